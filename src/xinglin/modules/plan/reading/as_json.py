"""A reading as plain data: the shape that `xinglin plan read --json` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from xinglin.modules.plan.reading.model import Indicator, Reading

_INSIDE = frozenset({"printed", "reasons"})
PRINTED_KEYS = (
    "name", "parent", "category", "unit", "base_year", "base_value", "bases", "target_year", "target_op", "target_value", "target_high", "others",
    "kind", "owners", "origin", "from_line", "to_line", "sure", "note", "period",
)  # fmt: skip


def indicator_data(one: Indicator) -> dict[str, Any]:
    """Return an indicator as plain data; reasons of doubt are part of `note` for a person who reads only that."""
    data = {key: value for key, value in asdict(one).items() if key not in _INSIDE}
    doubts = "；".join(f"存疑：{reason}" for reason in one.reasons)
    data["note"] = "；".join(part for part in (one.note, doubts) if part)
    data["reasons"] = list(one.reasons)
    data["printed"] = one.printed
    return {key: _lists(value) for key, value in data.items()}


def reading_data(reading: Reading) -> dict[str, Any]:
    """Return a reading as plain data: indicators, tasks, projects, findings first, then boxes, footnotes, coverage, plans."""
    return {
        "indicators": [indicator_data(one) for one in reading.indicators],
        "tasks": [_lists(asdict(one)) for one in reading.tasks],
        "projects": [_lists(asdict(one)) for one in reading.projects],
        "findings": [_lists(asdict(one)) for one in reading.findings],
        "boxes": [_lists(asdict(one)) for one in reading.boxes],
        "footnotes": [_lists(asdict(one)) for one in reading.footnotes],
        "coverage": _lists(asdict(reading.coverage)),
        "plans": [_lists(asdict(one)) for one in reading.plans],
        "notices": list(reading.notices),
    }


def printed_data(reading: Reading) -> dict[str, Any]:
    """Return what `xinglin plan read --json` prints: four lists; an indicator has PRINTED_KEYS and no others.  Numbers are numbers or null."""
    whole = reading_data(reading)
    return {
        "indicators": [{key: one[key] for key in PRINTED_KEYS} for one in whole["indicators"]],
        **{part: whole[part] for part in ("tasks", "projects", "findings")},
    }


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_lists(inner) for inner in value]
    return value
