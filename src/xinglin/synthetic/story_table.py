"""The table of story residents, with its moments turned into days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from xinglin.synthetic.plan import EPOCH, FAR, Plan, table


@dataclass(frozen=True, slots=True)
class ScriptedVisit:
    """A visit as scripted: day, way, pressure mmHg, fasting glucose mmol/L or 0."""

    day: int
    way: int
    systolic: int
    diastolic: int
    glucose: float


@dataclass(frozen=True, slots=True)
class Story:
    """One story resident; days since 1970-01-01, FAR = never."""

    id: str
    town: int
    sex: int
    age: int
    name: tuple[str, str]
    diagnosed: int
    enrolled: int
    died: int
    moved_out: int
    moved_back: int
    examined: int
    diabetes: bool
    visits: tuple[ScriptedVisit, ...]
    zh: str
    en: str


def read_stories(plan: Plan) -> list[Story]:
    """Return the stories in the order of the table."""
    return [_story(plan, row) for row in table("stories")["story"]]


def _story(plan: Plan, row: dict[str, Any]) -> Story:
    moments = {name: moment(plan, row.get(name)) for name in ("diagnosed", "enrolled", "died", "moved_out", "moved_back", "examined")}
    visits = tuple(ScriptedVisit(moment(plan, v[0]), int(v[1]), int(v[2]), int(v[3]), float(v[4])) for v in row.get("visits", ()))
    visits = tuple(v for v in visits if v.day < min(moments["died"], FAR))
    return Story(
        id=row["id"], town=row.get("town", 0), sex=row["sex"], age=row["age"], name=(row["name"][0], row["name"][1]), diabetes=row.get("diabetes", False),
        visits=visits, zh=row["zh"], en=row["en"], **moments,
    )  # fmt: skip


def moment(plan: Plan, written: int | str | None) -> int:
    """Return a day: days before the day of data, or the latest MM-DD not after it; FAR for None."""
    if written is None:
        return FAR
    if isinstance(written, int):
        return plan.last_day - written
    month, day = (int(part) for part in written.split("-"))
    this = date(plan.as_of.year, month, day)
    return (this if this <= plan.as_of else date(plan.as_of.year - 1, month, day)).toordinal() - EPOCH


def story_birth(plan: Plan, age: int) -> int:
    """Return a birth day that makes a person `age` on the day of data, with the birthday some three months ago."""
    this_year = plan.as_of - timedelta(days=97)
    return date(this_year.year - age, this_year.month, min(this_year.day, 28)).toordinal() - EPOCH
