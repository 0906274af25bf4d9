"""Corrections that a person made to a reading: kept apart, laid over every re-read by the fingerprint of the printed row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from xinglin.base.errors import IncorrectError
from xinglin.modules.plan.reading.findings import RULE_NAMES, findings_of
from xinglin.modules.plan.reading.model import Base, Indicator, OtherValue, Reading

ACCEPT, CHANGE, REMOVE, ADD = "accept", "change", "remove", "add"
_FIXED: Final = frozenset({"fingerprint", "printed", "plan", "origin", "from_line", "to_line", "reasons", "sure"})
CHANGEABLE: Final = tuple(one.name for one in fields(Indicator) if one.name not in _FIXED)
_OPS: Final = frozenset({"=", "<=", ">=", "<", ">", "range", "rise", "grow", None})


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person decided about one printed row.

    fingerprint: the row's.  action: accept the guess, change fields, remove (it is no indicator), or add one the reader missed
    (then `changes` has at least name, from_line and to_line, and the fingerprint is any name of its own).
    """

    fingerprint: str
    action: str
    changes: Mapping[str, Any] = field(default_factory=dict)


def apply_corrections(reading: Reading, corrections: Sequence[Correction]) -> Reading:
    """Return the reading with the corrections laid over it and its findings asked again.

    A correction whose row is not in this document any more changes nothing and is named in `notices`, so that it is not lost.
    Raises: IncorrectError for an unknown action or field, or a value of a wrong kind.
    """
    for one in corrections:
        _check(one)
    by_row = {one.fingerprint: one for one in corrections if one.action != ADD}
    known = {one.fingerprint for one in reading.indicators}
    kept = [_corrected(one, by_row.get(one.fingerprint)) for one in reading.indicators]
    added = [_added(one) for one in corrections if one.action == ADD]
    lost = [one.fingerprint for one in corrections if one.action != ADD and one.fingerprint not in known]
    notices = (f"有 {len(lost)} 处人工更正找不到原来的行（原文已改），没有套用：{'、'.join(lost)}",) if lost else ()
    corrected = replace(reading, indicators=tuple([one for one in kept if one is not None] + added), notices=reading.notices + notices)
    others = [one for one in reading.findings if one.rule not in RULE_NAMES]
    found = sorted([*findings_of(corrected), *others], key=lambda one: (one.lines, one.rule))
    return replace(corrected, findings=tuple(found))


def _check(one: Correction) -> None:
    if one.action not in {ACCEPT, CHANGE, REMOVE, ADD}:
        raise IncorrectError(
            f"更正的动作是“{one.action}”；请写 accept、change、remove 或 add。",
            f"The action of a correction is {one.action!r}; write accept, change, remove or add.",
            where=one.fingerprint,
        )
    allowed = {*CHANGEABLE, *({"from_line", "to_line", "plan"} if one.action == ADD else set())}
    unknown = sorted(set(one.changes) - allowed)
    if unknown:
        raise IncorrectError(
            f"更正里有不能改的字段 {'、'.join(unknown)}；能改的是 {'、'.join(CHANGEABLE)}。",
            f"A correction changes {', '.join(unknown)}; it may change {', '.join(CHANGEABLE)}.",
            where=one.fingerprint,
        )
    for name, value in one.changes.items():
        _check_value(one, name, value)
    if one.action == ADD and not {"name", "from_line", "to_line"} <= set(one.changes):
        raise IncorrectError(
            "补录一条指标至少要有 name、from_line、to_line。",
            "An added indicator needs name, from_line and to_line.",
            where=one.fingerprint,
        )


def _check_value(one: Correction, name: str, value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    right = {
        "name": isinstance(value, str) and bool(value),
        "target_op": value in _OPS if isinstance(value, str | None) else False,
        "kind": value in ("binding", "expected", None),
        "period": value in ("current", "past"),
        "base_value": number or value is None,
        "target_value": number or value is None,
        "target_high": number or value is None,
        "base_year": number or value is None,
        "target_year": number or value is None,
    }.get(name, True)
    if not right:
        raise IncorrectError(
            f"更正的 {name} 不能是这个值；数值写数字，op 写 = <= >= < > range rise grow 之一。",
            f"The correction's {name} has a wrong value; write a number, or one of = <= >= < > range rise grow.",
            where=one.fingerprint,
        )


def _corrected(one: Indicator, correction: Correction | None) -> Indicator | None:
    if correction is None:
        return one
    if correction.action == REMOVE:
        return None
    note = "；".join(part for part in (one.note, "已由人确认" if correction.action == ACCEPT else "已由人更正") if part)
    return replace(one, **_typed(correction.changes, one), sure=True, reasons=(), note=correction.changes.get("note", note))


def _typed(changes: Mapping[str, Any], one: Indicator) -> dict[str, Any]:
    """Turn lists and mappings of stored corrections into the tuples of the record; a changed base follows into `bases`."""
    typed = {name: value for name, value in changes.items() if name != "note"}
    if "bases" in typed:
        typed["bases"] = tuple(base if isinstance(base, Base) else Base(**base) for base in typed["bases"])
    elif "base_value" in typed or "base_year" in typed:
        year, value = typed.get("base_year", one.base_year), typed.get("base_value", one.base_value)
        typed["bases"] = tuple(base for base in one.bases if base.year not in {year, one.base_year}) + (Base(year, value),)
    if "others" in typed:
        typed["others"] = tuple(other if isinstance(other, OtherValue) else OtherValue(**other) for other in typed["others"])
    if "owners" in typed:
        typed["owners"] = tuple(typed["owners"])
    return typed


def _added(correction: Correction) -> Indicator:
    blank = Indicator(
        name="",
        parent=None,
        category=None,
        unit=None,
        base_year=None,
        base_value=None,
        bases=(),
        target_year=None,
        target_op=None,
        target_value=None,
        target_high=None,
        others=(),
        kind=None,
        owners=(),
        origin="text",
        from_line=0,
        to_line=0,
        sure=True,
        note="由人补录",
        fingerprint=correction.fingerprint,
    )
    return replace(blank, **_typed(correction.changes, blank), note=correction.changes.get("note", "由人补录"))
