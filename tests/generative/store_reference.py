"""A search that is slow and plain: every resource, one after the other. It decides what is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from xinglin.base.text import fold
from xinglin.fhir import Extracted, extractor, parse_datetime

UNIONS = {"combo-code": ("code", "component-code"), "combo-value-quantity": ("value-quantity", "component-value-quantity")}
EARLIEST = float("-inf")
PRECISION = {0: Fraction(1, 2), 1: Fraction(1, 20), 2: Fraction(1, 200)}


@dataclass(frozen=True)
class Part:
    """One parameter of a query: kind of the parameter, name, modifier, alternatives as written."""

    kind: str
    name: str
    modifier: str = ""
    values: tuple[str, ...] = ()

    @property
    def written(self) -> tuple[str, str]:
        """Return the parameter as it goes into a query."""
        return (f"{self.name}:{self.modifier}" if self.modifier else self.name, ",".join(self.values))


@dataclass
class Kept:
    """A resource as the reference keeps it."""

    rid: int
    seq: int
    resource: Mapping[str, Any]
    values: Extracted = field(init=False)

    def __post_init__(self) -> None:
        self.values = extractor(self.resource["resourceType"], ZONE)(self.resource)


ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(repr=False)
class Corpus:
    """Everything there is. persons: source patient id → person."""

    kept: list[Kept]
    persons: Mapping[str, int]
    now: datetime

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """Keep what a failing example prints short."""
        printer.text("Corpus()")

    def search(self, rtype: str, parts: Sequence[Part], sort: Sequence[tuple[str, str, bool]]) -> list[str]:
        """Return ids in order. sort: (kind, name, descending)."""
        found = [each for each in self.kept if each.resource["resourceType"] == rtype and all(self.holds(each, part) for part in parts)]
        found.sort(key=lambda each: each.rid)
        for kind, name, descending in reversed(sort):
            wish = (kind, name, descending)
            found.sort(key=lambda each, wish=wish: self.sort_key(each, wish), reverse=descending)  # type: ignore[misc]
        return [each.resource["id"] for each in found]

    def sort_key(self, each: Kept, wish: tuple[str, str, bool]) -> Any:
        """Return what a resource is sorted by; what has no value comes first going up and last going down."""
        kind, name, descending = wish
        pick = max if descending else min
        if name == "_lastUpdated":
            return each.seq
        if name == "_id":
            return each.resource["id"]
        if kind == "string":
            return pick((folded for param, _, folded in each.values.strings if param == name), default="")
        if kind == "date":
            return pick((start for param, start, _ in each.values.dates if param == name), default=EARLIEST)
        names = UNIONS.get(name, (name,))
        return pick((low for param, low, *_ in (*each.values.quantities, *each.values.numbers) if param in names), default=EARLIEST)

    def holds(self, each: Kept, part: Part) -> bool:
        """Tell whether a resource fulfils one parameter."""
        if part.name == "_id":
            return each.resource["id"] in part.values
        if part.modifier == "missing":
            return self.is_present(each, part.name) == (part.values[0] == "false")
        if part.kind == "token":
            return any(self.is_coded(each, part.name, value) for value in part.values) != (part.modifier == "not")
        if part.kind == "reference":
            return any(self.refers(each, part.name, value) for value in part.values)
        if part.kind == "string":
            return any(self.says(each, part, value) for value in part.values)
        if part.kind == "date":
            spans = [(start, end) for param, start, end in each.values.dates if param == part.name]
            return any(self.dated(value, *span) for value in part.values for span in spans)
        return any(self.measures(each, part.name, value) for value in part.values)

    def is_present(self, each: Kept, name: str) -> bool:
        """Tell whether a resource has any value for a parameter."""
        v = each.values
        lists: Sequence[Sequence[tuple[Any, ...]]] = (
            v.tokens,
            v.strings,
            v.references,
            v.identifiers,
            v.dates,
            v.numbers,
            v.quantities,
            v.uris,
        )
        return any(row[0] in UNIONS.get(name, (name,)) for rows in lists for row in rows)

    def is_coded(self, each: Kept, name: str, value: str) -> bool:
        """Tell whether a resource carries a token."""
        system, bar, code = value.rpartition("|")
        for param, own_system, own_code, _ in each.values.tokens:
            if param in UNIONS.get(name, (name,)):
                fits_code = own_code == code if code else own_code is not None or own_system is not None
                if fits_code and (not bar or (own_system or "") == system):
                    return True
        return False

    def refers(self, each: Kept, name: str, value: str) -> bool:
        """Tell whether a resource refers to something; a patient means every source patient of the person."""
        kind, _, own = value.rpartition("/")
        for param, target, target_id in each.values.references:
            if param != name or (kind and target != kind):
                continue
            if target_id == own:
                return True
            one, other = self.persons.get(target_id), self.persons.get(own)
            if target == "Patient" and name in ("patient", "subject") and one is not None and one == other:
                return True
        return False

    def says(self, each: Kept, part: Part, value: str) -> bool:
        """Tell whether a text begins with, contains or is the value."""
        for param, written, _ in each.values.strings:
            if param == part.name:
                if part.modifier == "exact" and written == value:
                    return True
                if part.modifier == "contains" and fold(value) in fold(written):
                    return True
                if not part.modifier and fold(written).startswith(fold(value)):
                    return True
        return False

    def dated(self, value: str, start: int, end: int) -> bool:
        """Tell whether a span fulfils a date with its prefix."""
        prefix, text = (value[:2], value[2:]) if value[:2].isalpha() else ("eq", value)
        low, high, _ = parse_datetime(text, ZONE)
        inside = low <= start and end <= high
        if prefix == "ap":
            slack = abs(int((self.now - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000) - low) // 10
            return start < high + slack and end > low - slack
        return {
            "eq": inside,
            "ne": not inside,
            "gt": end > high,
            "lt": start < low,
            "ge": end > high or inside,
            "le": start < low or inside,
            "sa": start >= high,
            "eb": end <= low,
        }[prefix]

    def measures(self, each: Kept, name: str, value: str) -> bool:
        """Tell whether a quantity fulfils a number with its prefix and unit."""
        prefix, text = (value[:2], value[2:]) if value[:2].isalpha() else ("eq", value)
        number, *unit = text.split("|")
        wanted = Fraction(number)
        half = PRECISION[len(number.partition(".")[2])]
        if prefix == "ap":
            half = max(half, abs(wanted) / 10)
        for param, low, high, system, code, said in each.values.quantities:
            if param not in UNIONS.get(name, (name,)):
                continue
            if unit and not (unit[1] in (code, said) if not unit[0] else (system, code) == (unit[0], unit[1])):
                continue
            inside = wanted - half <= _exact(low) and _exact(high) < wanted + half
            answers = {
                "eq": inside,
                "ne": not inside,
                "gt": _exact(high) > wanted,
                "lt": _exact(low) < wanted,
                "ge": _exact(high) >= wanted,
                "le": _exact(low) <= wanted,
                "sa": _exact(low) > wanted,
                "eb": _exact(high) < wanted,
                "ap": _exact(low) < wanted + half and _exact(high) >= wanted - half,
            }
            if answers[prefix]:
                return True
        return False


def _exact(number: float) -> Fraction | float:
    return number if number in (float("inf"), float("-inf")) else Fraction(str(number))
