"""Generate a district into a folder: every village in turn or in several processes, always the same bytes."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from xinglin.base.errors import ConflictError
from xinglin.synthetic.emission import Emission
from xinglin.synthetic.figures import write_figures
from xinglin.synthetic.institutions import make_institutions, organizations, practitioners
from xinglin.synthetic.places import geojson, make_places
from xinglin.synthetic.plan import Plan, iso
from xinglin.synthetic.population import Population, make_population
from xinglin.synthetic.samples import write_bundles, write_damaged, write_roster, write_sheet
from xinglin.synthetic.scene import World
from xinglin.synthetic.village import write_village

FORMAT = "xinglin-synthetic/1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder holds: the plan, resources per source and type, files with size, lines and sha256, the story residents."""

    seed: int
    as_of: str
    first_day: str
    residents: int
    span_years: float
    resources: int
    counts: dict[str, dict[str, int]]
    files: list[dict[str, Any]]
    stories: list[dict[str, Any]] = field(default_factory=list)
    tallies: dict[str, float] = field(default_factory=dict)


class Folder:
    """Appends to files below a folder and keeps their hashes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._open: dict[str, tuple[BinaryIO, Any, list[int]]] = {}

    def append(self, path: str, content: bytes | bytearray) -> None:
        """Add content to a file."""
        if path not in self._open:
            place = self.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            self._open[path] = (place.open("wb"), hashlib.sha256(), [0, 0])
        file, digest, size = self._open[path]
        file.write(content)
        digest.update(content)
        size[0] += len(content)
        size[1] += content.count(b"\n")

    def close(self) -> list[dict[str, Any]]:
        """Close the files and return path, size, lines and sha256 of each."""
        for file, _, _ in self._open.values():
            file.close()
        return [{"path": p, "bytes": s[0], "lines": s[1], "sha256": d.hexdigest()} for p, (_, d, s) in sorted(self._open.items())]


def generate(plan: Plan, folder: Path | str) -> Manifest:
    """Write a district into an empty or new folder and return what was written.

    Invariant: equal plans (whatever `workers`) give equal bytes in every file.
    Raises: ConflictError when the folder has files that this generator did not write.
    """
    root = Path(folder)
    clear(root)
    places = make_places(plan)
    institutions = make_institutions(plan, places)
    world = World(plan, places, institutions)
    population = make_population(plan, places)
    out = Folder(root)
    out.append("organizations.ndjson", _lines(organizations(institutions)))
    out.append("practitioners.ndjson", _lines(practitioners(institutions)))
    out.append("divisions.geojson", orjson.dumps(geojson(places)))
    counts: Counter[tuple[str, str]] = Counter()
    for kind in (*organizations(institutions), *practitioners(institutions)):
        counts["district-registry", kind["resourceType"]] += 1
    tallies: Counter[Any] = Counter()
    aside = Emission()
    for emission in _villages(world, population):
        for path, content in emission.files.items():
            out.append(path, content)
        counts.update(emission.counts)
        tallies.update(emission.tallies)
        aside.stories += emission.stories
        aside.newest += emission.newest
        aside.sheet += emission.sheet
        aside.roster += emission.roster
    _write_aside(world, population, aside)
    for path, content in aside.files.items():
        out.append(path, content)
    tallies["held_back"] = len(aside.newest)
    return _finish(plan, out, (counts, tallies), aside.stories)


def _write_aside(world: World, population: Population, aside: Emission) -> None:
    """Make the files that need all villages: figures, exchange samples, damaged lines."""
    write_figures(world, population, aside)
    write_bundles(aside.newest, aside)
    write_sheet(aside.sheet, aside)
    town = next((story["town"] for story in aside.stories), world.places.towns[0].name)
    write_roster([line for line in aside.roster if world.places.towns[line["town"]].name == town], aside)
    write_damaged(aside)


def _villages(world: World, population: Population) -> Iterator[Emission]:
    numbers = range(len(world.places.villages))
    if world.plan.workers == 1:
        for village in numbers:
            yield write_village(world, village, population.of_village(village))
        return
    with multiprocessing.get_context("spawn").Pool(world.plan.workers) as pool:
        jobs = ((village, population.of_village(village)) for village in numbers)
        yield from pool.imap(partial(_write, world), jobs)


def _write(world: World, job: tuple[int, Population]) -> Emission:
    return write_village(world, *job)


def _finish(plan: Plan, out: Folder, numbers: tuple[Counter[tuple[str, str]], Counter[Any]], stories: list[dict[str, Any]]) -> Manifest:
    counts, tallies = numbers
    by_source: dict[str, dict[str, int]] = {}
    for (source, kind), number in sorted(counts.items()):
        by_source.setdefault(source, {})[kind] = number
    manifest = Manifest(
        plan.seed, plan.as_of.isoformat(), iso(plan.first_day), plan.residents, round(plan.span_years, 3), sum(counts.values()), by_source, out.close(),
        stories, {str(name): value for name, value in sorted(tallies.items(), key=str)},
    )  # fmt: skip
    (out.root / "manifest.json").write_bytes(
        orjson.dumps({"format": FORMAT, **{k: getattr(manifest, k) for k in manifest.__slots__}}, option=orjson.OPT_INDENT_2)
    )
    return manifest


def clear(root: Path) -> None:
    """Empty a folder for a generation, or make it.  Raises: ConflictError when it has files that this generator did not write."""
    if root.exists() and any(root.iterdir()) and not (root / "manifest.json").exists():
        raise ConflictError(
            "目标文件夹不是空的，也不是以前生成的结果；请换一个空文件夹。",
            "the folder is neither empty nor made by this generator; name an empty one.",
            where=str(root),
        )
    if root.exists():
        for place in sorted(root.rglob("*"), reverse=True):
            place.rmdir() if place.is_dir() else place.unlink()
    root.mkdir(parents=True, exist_ok=True)


def _lines(resources: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in resources)
