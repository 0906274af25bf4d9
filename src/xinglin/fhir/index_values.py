"""What one resource contributes to the search index, and how each data type gives its values.

An emitter is a closure (value, out) → None that appends plain tuples to an `Extracted`. Values are taken from validated resources.
Source: HL7 FHIR R4 4.0.1, 3.1.1.4 Search Parameter Types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from math import inf
from typing import Any, Final

from xinglin.base.text import fold
from xinglin.fhir.instants import EARLIEST, LATEST, parse_datetime

CURRENCY: Final = "urn:iso:std:iso:4217"

Emitter = Callable[[Any, "Extracted"], None]


@dataclass(slots=True)
class Extracted:
    """The index values of one resource, as plain tuples; a parameter may stand in several lists.

    tokens: (param, system or None, code or None, text or None); `identifier:of-type` carries (type system, "type code|value").
    strings: (param, as written, folded).  references: (param, resource type or None, id of a resource here | absolute URL | urn).
    identifiers: (param, system or None, value) of logical references.  dates: (param, start_us, end_us), end exclusive, UTC microseconds.
    numbers: (param, low, high).  quantities: (param, low, high, system or None, code or None, unit or None); open ends are infinite.
    uris: (param, value).  positions: (param, latitude, longitude) in degrees.
    """

    tokens: list[tuple[str, str | None, str | None, str | None]] = field(default_factory=list)
    strings: list[tuple[str, str, str]] = field(default_factory=list)
    references: list[tuple[str, str | None, str]] = field(default_factory=list)
    identifiers: list[tuple[str, str | None, str]] = field(default_factory=list)
    dates: list[tuple[str, int, int]] = field(default_factory=list)
    numbers: list[tuple[str, float, float]] = field(default_factory=list)
    quantities: list[tuple[str, float, float, str | None, str | None, str | None]] = field(default_factory=list)
    uris: list[tuple[str, str]] = field(default_factory=list)
    positions: list[tuple[str, float, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where an expression ends: the parameters indexed there, the code system a bound code implies, the zone of dates without one.

    pointed: parameter → the only resource type it takes (`where(resolve() is T)`).  sole_target: the one type a reference here may have.
    """

    params: tuple[str, ...]
    zone: tzinfo
    system: str | None = None
    pointed: Mapping[str, str] = field(default_factory=dict)
    sole_target: str | None = None


def coding_tokens(leaf: Leaf) -> Emitter:
    """Index a Coding."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        for param in params:
            out.tokens.append((param, value.get("system"), value.get("code"), value.get("display")))

    return emit


def concept_tokens(leaf: Leaf) -> Emitter:
    """Index a CodeableConcept: each coding, and its text where no coding says the same."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        tokens = out.tokens
        said = value.get("text")
        for coding in value.get("coding", ()):
            display = coding.get("display")
            if display == said:
                said = None
            for param in params:
                tokens.append((param, coding.get("system"), coding.get("code"), display))
        if said is not None:
            for param in params:
                tokens.append((param, None, None, said))

    return emit


def identifier_tokens(leaf: Leaf) -> Emitter:
    """Index an Identifier, and its type for the modifier `:of-type`."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        written = value.get("value")
        kind = value.get("type")
        said = kind.get("text") if kind is not None else None
        for param in params:
            out.tokens.append((param, value.get("system"), written, said))
            if kind is not None and written is not None:
                for coding in kind.get("coding", ()):
                    if "code" in coding:
                        out.tokens.append((f"{param}:of-type", coding.get("system"), f"{coding['code']}|{written}", None))

    return emit


def contact_tokens(leaf: Leaf) -> Emitter:
    """Index a ContactPoint by its value; a telephone number also without its punctuation."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        written = value.get("value")
        if written is None:
            return
        bare = "".join(c for c in written if c.isdigit()) if value.get("system") in ("phone", "fax", "sms", "pager") else written
        for param in params:
            out.tokens.append((param, None, written, None))
            if bare and bare != written:
                out.tokens.append((param, None, bare, None))

    return emit


def plain_tokens(leaf: Leaf) -> Emitter:
    """Index a code, id, string or uri; a code carries the system its required value set implies."""
    params, system = leaf.params, leaf.system

    def emit(value: Any, out: Extracted) -> None:
        for param in params:
            out.tokens.append((param, system, value, None))

    return emit


def boolean_tokens(leaf: Leaf) -> Emitter:
    """Index a boolean as true or false."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        for param in params:
            out.tokens.append((param, "http://hl7.org/fhir/special-values", "true" if value is True else "false", None))

    return emit


def truth_tokens(leaf: Leaf) -> Emitter:
    """Index "is there, and is not false" (Patient.deceased); `absent_truth` of the extractor adds the false for what is absent."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        for param in params:
            out.tokens.append((param, "http://hl7.org/fhir/special-values", "false" if value is False else "true", None))

    return emit


def folded(text: str) -> str:
    """Return text as string search compares it (see base.text.fold), quickly for ASCII."""
    return " ".join(text.lower().split()) if text.isascii() else fold(text)


def plain_strings(leaf: Leaf) -> Emitter:
    """Index a string or markdown."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        low = folded(value)
        for param in params:
            out.strings.append((param, value, low))

    return emit


def name_strings(leaf: Leaf) -> Emitter:
    """Index every part of a HumanName, and family and given joined where they are written without a blank (王 + 小东)."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        given = value.get("given", ())
        parts = [value.get("text"), value.get("family"), *given, *value.get("prefix", ()), *value.get("suffix", ())]
        family = value.get("family")
        if family and given and not family.isascii():
            parts.append(family + "".join(part or "" for part in given))
        _each_string(parts, params, out)

    return emit


def address_strings(leaf: Leaf) -> Emitter:
    """Index every part of an Address."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        parts = [value.get(name) for name in ("text", "city", "district", "state", "country", "postalCode")]
        _each_string([*parts, *value.get("line", ())], params, out)

    return emit


def _each_string(parts: list[Any], params: tuple[str, ...], out: Extracted) -> None:
    for part in dict.fromkeys(parts):
        if part is not None:
            low = folded(part)
            for param in params:
                out.strings.append((param, part, low))


def moment_dates(leaf: Leaf) -> Emitter:
    """Index a date, dateTime or instant."""
    params, zone = leaf.params, leaf.zone

    def emit(value: Any, out: Extracted) -> None:
        start, end, _ = parse_datetime(value, zone)
        for param in params:
            out.dates.append((param, start, end))

    return emit


def period_dates(leaf: Leaf) -> Emitter:
    """Index a Period; an absent end is open."""
    params, zone = leaf.params, leaf.zone

    def emit(value: Any, out: Extracted) -> None:
        start, end = period_of(value, zone)
        for param in params:
            out.dates.append((param, start, end))

    return emit


def period_of(value: Mapping[str, Any], zone: tzinfo) -> tuple[int, int]:
    """Return [start_us, end_us) of a Period; EARLIEST and LATEST where an end is absent."""
    start, end = value.get("start"), value.get("end")
    return (
        EARLIEST if start is None else parse_datetime(start, zone).start_us,
        LATEST if end is None else parse_datetime(end, zone).end_us,
    )


def timing_dates(leaf: Leaf) -> Emitter:
    """Index the outer limits of a Timing: its events and its bounds."""
    params, zone = leaf.params, leaf.zone

    def emit(value: Any, out: Extracted) -> None:
        limits = [parse_datetime(event, zone)[:2] for event in value.get("event", ()) if event is not None]
        bounds = value.get("repeat", {}).get("boundsPeriod")
        if bounds is not None:
            limits.append(period_of(bounds, zone))
        if limits:
            for param in params:
                out.dates.append((param, min(start for start, _ in limits), max(end for _, end in limits)))

    return emit


def plain_numbers(leaf: Leaf) -> Emitter:
    """Index an integer or decimal."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        for param in params:
            out.numbers.append((param, value, value))

    return emit


def range_numbers(leaf: Leaf) -> Emitter:
    """Index a Range as a number from low to high."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        for param in params:
            out.numbers.append((param, value.get("low", {}).get("value", -inf), value.get("high", {}).get("value", inf)))

    return emit


def plain_quantities(leaf: Leaf) -> Emitter:
    """Index a Quantity, Age or Duration; a comparator opens one end."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        number = value.get("value")
        if number is None:
            return
        comparator = value.get("comparator", "")
        low = -inf if comparator[:1] == "<" else number
        high = inf if comparator[:1] == ">" else number
        for param in params:
            out.quantities.append((param, low, high, value.get("system"), value.get("code"), value.get("unit")))

    return emit


def range_quantities(leaf: Leaf) -> Emitter:
    """Index a Range of quantities."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        low, high = value.get("low", {}), value.get("high", {})
        unit = low or high
        for param in params:
            out.quantities.append(
                (param, low.get("value", -inf), high.get("value", inf), unit.get("system"), unit.get("code"), unit.get("unit"))
            )

    return emit


def money_quantities(leaf: Leaf) -> Emitter:
    """Index Money in its currency."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        number = value.get("value")
        if number is not None:
            for param in params:
                out.quantities.append((param, number, number, CURRENCY, value.get("currency"), value.get("currency")))

    return emit


def plain_uris(leaf: Leaf) -> Emitter:
    """Index a uri, url or canonical as written."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        for param in params:
            out.uris.append((param, value))

    return emit


def positions(leaf: Leaf) -> Emitter:
    """Index Location.position."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        if "latitude" in value and "longitude" in value:
            for param in params:
                out.positions.append((param, value["latitude"], value["longitude"]))

    return emit
