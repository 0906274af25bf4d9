"""The district's figures beside the record: usual residents (denominators), assigned target numbers, truth about institutions."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from xinglin.synthetic.emission import Emission
from xinglin.synthetic.institutions import Institutions
from xinglin.synthetic.plan import day_of, whole_years
from xinglin.synthetic.population import Population
from xinglin.synthetic.scene import World

_SOURCE = "合成人口普查 synthetic census"
_OLDEST = 17  # band 85+
# share of usual residents a township is asked to manage; the county's own rule in this demonstration
_TASK_SHARES = {"hypertension": 0.075, "diabetes2": 0.026, "family_doctor": 0.40}
_ELDER_SHARE = 0.70


def write_figures(world: World, population: Population, into: Emission) -> None:
    """Add `population.csv`, `tasks.csv` and `truth/institutions.ndjson` to an emission."""
    census = _census(world, population)
    into.files["population.csv"] = bytearray(population_csv(world, census).encode("utf-8"))
    into.files["tasks.csv"] = bytearray(tasks_csv(world, census).encode("utf-8"))
    for institution in _all(world.institutions):
        into.line("truth/institutions.ndjson", institution)


def _census(world: World, population: Population) -> dict[int, np.ndarray]:
    """Return year → counts (village, band, sex) of those present on 1 July, or on the day of data if that is earlier."""
    plan, villages = world.plan, range(len(world.places.villages))
    days = {year: min(day_of(year, 7, 1), plan.last_day) for year in plan.calendar_years}
    return {year: np.stack([census_of(population.of_village(village), day) for village in villages]) for year, day in days.items()}


def census_of(population: Population, day: int) -> np.ndarray:
    """Return counts (five-year age band, sex) of those present on a day."""
    counts = np.zeros((_OLDEST + 1, 2), dtype=np.int64)
    here = population.present(day)
    band = np.minimum(whole_years(population.birth[here], day) // 5, _OLDEST)
    np.add.at(counts, (band, population.sex[here] - 1), 1)
    return counts


def population_csv(world: World, census: dict[int, np.ndarray]) -> str:
    """Return the usual residents by village, year, age band and sex. census: year → counts (village, band, sex)."""
    lines = ["area,year,age_band,sex,count,source"]
    bands = [f"{5 * b}-{5 * b + 4}" for b in range(_OLDEST)] + [f"{5 * _OLDEST}+"]
    for year, counts in census.items():
        for number, village in enumerate(world.places.villages):
            for band, label in enumerate(bands):
                lines += [f"{village.code},{year},{label},{sex},{counts[number, band, sex - 1]},{_SOURCE}" for sex in (1, 2)]
    return "\n".join(lines) + "\n"


def tasks_csv(world: World, census: dict[int, np.ndarray]) -> str:
    """Return the target numbers of each township, programme and year of a census."""
    lines = ["year,area,institution,programme,target,source"]
    for year, found in census.items():
        for number, town in enumerate(world.places.towns):
            counts = found[list(town.villages)]
            people, elders = int(counts.sum()), int(counts[:, 13:].sum())
            targets = {name: round(people * share) for name, share in _TASK_SHARES.items()} | {"elderly": round(elders * _ELDER_SHARE)}
            code = world.institutions.township[number].code
            lines += [
                f"{year},{town.code},{code},{programme},{target},{year} 年度任务分解（虚构）"
                for programme, target in sorted(targets.items())
            ]
    return "\n".join(lines) + "\n"


def _all(institutions: Institutions) -> list[dict[str, object]]:
    return [
        {"institution": i.code, "name": i.name, "class": i.institution_class, **{k: round(v, 4) for k, v in asdict(i.traits).items()}}
        for i in institutions.all
    ]
