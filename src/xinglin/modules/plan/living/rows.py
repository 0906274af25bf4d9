"""From a reading to the rows that are kept of one plan."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from xinglin.modules.plan.reading import CHANGEABLE, Correction, PlanPart, Reading, apply_corrections, indicator_data, read_document
from xinglin.modules.plan.reading.normal import plain

Keyed = list[tuple[str, dict[str, Any]]]


def read_corrected(content: bytes, filename: str, corrections: Sequence[Mapping[str, Any]]) -> Reading:
    """Return a document read afresh with people's corrections laid over it. corrections: fingerprint, action, changes.

    Raises: as `read_document`.
    """
    reading = read_document(content, filename)
    return apply_corrections(reading, [Correction(one["fingerprint"], one["action"], one["changes"]) for one in corrections])


def part_of(reading: Reading, number: int) -> PlanPart | None:
    """Return a plan of a document by its number, None where there is none."""
    return next((one for one in reading.plans if one.number == number), None)


def rows_of(reading: Reading, part: int) -> Mapping[str, Keyed]:
    """Return the rows of one plan as (key, data): indicators, tasks, projects, findings. Keys hold while the printed words hold."""
    here = part_of(reading, part)
    first, last = (here.from_line, here.to_line) if here else (1, len(reading.lines))
    return {
        "indicators": [(one.fingerprint, indicator_data(one)) for one in reading.indicators if one.plan == part],
        "tasks": _keyed([_plain(asdict(one)) for one in reading.tasks if one.plan == part], ("number", "title", "text")),
        "projects": _keyed([_plain(asdict(one)) for one in reading.projects if one.plan == part], ("name", "unit")),
        "findings": _keyed(
            [_plain(asdict(one)) for one in reading.findings if not one.lines or any(first <= line <= last for line in one.lines)],
            ("rule", "zh"),
        ),
    }


def same_rows(before: Reading, now: Reading, parts: tuple[int, int]) -> dict[str, str]:
    """Return fingerprint before → fingerprint now of the rows that are the same indicator in two versions: equal origin, period, name, parent."""
    waiting: dict[tuple[str, ...], list[str]] = {}
    for one in now.indicators:
        if one.plan == parts[1]:
            waiting.setdefault((one.origin, one.period, plain(one.name), plain(one.parent or "")), []).append(one.fingerprint)
    found: dict[str, str] = {}
    for one in before.indicators:
        queue = waiting.get((one.origin, one.period, plain(one.name), plain(one.parent or "")), [])
        if one.plan == parts[0] and queue:
            found[one.fingerprint] = queue.pop(queue.index(one.fingerprint) if one.fingerprint in queue else 0)
    return found


def changes_from(typed: Mapping[str, str], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields a person typed that differ from the row, as a correction's changes. Empty text is null; owners are parted by 、.

    Raises: ValueError for a number that is none (the field's name is the message).
    """
    found: dict[str, Any] = {}
    for name, text in typed.items():
        if name not in CHANGEABLE:
            continue
        value = _value_of(name, text.strip())
        if value != (list(data.get(name) or ()) if name == "owners" else data.get(name)):
            found[name] = value
    return found


def _value_of(name: str, text: str) -> Any:
    if name == "owners":
        return [part for part in text.replace("，", "、").replace(",", "、").split("、") if part.strip()]
    if name in ("note", "name"):
        return text
    if not text:
        return None
    if name in ("base_value", "target_value", "target_high"):
        return _number(name, text)
    return _year(name, text) if name in ("base_year", "target_year") else text


def _number(name: str, text: str) -> float:
    try:
        value = float(text.replace(",", "").replace("，", ""))
    except ValueError as error:
        raise ValueError(name) from error
    if not math.isfinite(value):
        raise ValueError(name)
    return value


def _year(name: str, text: str) -> int:
    value = _number(name, text)
    if value != int(value) or not 1900 <= value <= 2200:
        raise ValueError(name)
    return int(value)


def _keyed(rows: Sequence[dict[str, Any]], names: tuple[str, ...]) -> Keyed:
    """Return the rows with a key of their words; the second of equal words gets a number of its own."""
    counted: dict[str, int] = {}
    found: Keyed = []
    for row in rows:
        words = "\n".join(plain(str(row.get(name) or "")) for name in names)
        counted[words] = counted.get(words, 0) + 1
        digest = hashlib.sha256(f"{words}\n{counted[words]}".encode()).hexdigest()[:16]
        found.append((digest, row))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value
