"""The words the reader knows (units, header words, directions, plausible units), loaded from catalogue.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from xinglin.base.errors import DefinitionError
from xinglin.modules.plan.reading.normal import bare

LOWER, HIGHER = "lower", "higher"


@dataclass(frozen=True, slots=True)
class Plausible:
    """Which units an indicator of such a name may carry, and between which values it lies in the first of them."""

    words: tuple[str, ...]
    units: tuple[str, ...]
    lowest: float
    highest: float
    source: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Header words by role, units, measure words, categories, directions and plausible units."""

    units: frozenset[str]
    counters: tuple[str, ...]
    header: dict[str, frozenset[str]]
    base_words: tuple[str, ...]
    target_words: tuple[str, ...]
    project_header: dict[str, frozenset[str]]
    natures: frozenset[str]
    categories: frozenset[str]
    general_scopes: frozenset[str]
    directions: tuple[tuple[str, tuple[str, ...]], ...]
    plausible: tuple[Plausible, ...]

    def is_unit(self, text: str) -> bool:
        """Say whether the text is a unit: listed, or listed parts joined by a stroke (张/千人)."""
        word = bare(text).lower().replace("％", "%")
        if word in self.units or _GREAT.sub("", word) in self.units:
            return True
        if not word or len(word) > 14 or re.fullmatch(r"每?1?\d*[十百千万]*(?:常住)?(?:人口|居民|人)?", word):
            return False
        parts = [part for part in re.split(r"[/·每]", word) if part]
        return bool(parts) and all(part in self.units or _PER.fullmatch(part) for part in parts) and not word.isdigit()

    def direction(self, name: str) -> str | None:
        """Return "lower" or "higher" for an indicator of this name, None where its wording says nothing."""
        word = bare(name)
        for better, words in self.directions:
            if any(part in word for part in words):
                return better
        return None

    def plausible_for(self, name: str) -> Plausible | None:
        """Return the entry on plausible units for this name, None where there is none."""
        word = bare(name)
        return next((entry for entry in self.plausible if any(part in word for part in entry.words)), None)


_GREAT = re.compile(r"^(?:万亿|[十百千]?万|亿)(?=.)")
_PER = re.compile(r"1?\d*[十百千万]*(?:人|人口|常住人口|人天|床日|人次|名|人年|户)?")


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Return the catalogue, read once.  Raises: DefinitionError when catalogue.toml cannot be read."""
    try:
        data = tomllib.loads(files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DefinitionError("词表 catalogue.toml 无法读取，请重新安装。", "catalogue.toml cannot be read; install again.") from error
    header = {role: frozenset(words) for role, words in data["header"].items() if not role.endswith("_words")}
    projects = {role: frozenset(words) for role, words in data["project_header"].items() if role != "natures"}
    return Catalogue(
        units=frozenset(word.lower() for word in data["units"]),
        counters=tuple(sorted(data["counters"], key=len, reverse=True)),
        header=header,
        base_words=tuple(data["header"]["base_words"]),
        target_words=tuple(data["header"]["target_words"]),
        project_header=projects,
        natures=frozenset(data["project_header"]["natures"]),
        categories=frozenset(data["category_words"]["whole"]),
        general_scopes=frozenset(data["general_scope"]["words"]),
        directions=tuple((entry["better"], tuple(entry["words"])) for entry in data["direction"]),
        plausible=tuple(
            Plausible(tuple(entry["words"]), tuple(entry["units"]), entry["lowest"], entry["highest"], entry["source"])
            for entry in data["plausible"]
        ),
    )
