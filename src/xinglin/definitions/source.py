"""A definition file as read: its TOML and the line on which each key stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from xinglin.base.errors import DefinitionError
from xinglin.definitions.tokens import Place

_HEADER: Final = re.compile(r"^\s*\[(\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"^\s*([A-Za-z0-9_\-.]+|\"[^\"]+\")\s*=\s*(.*)$")
_FIELDS: Final = frozenset(
    [
        "id",
        "kind",
        "zh",
        "en",
        "source",
        "clause",
        "effective_from",
        "effective_to",
        "status",
        "verified",
        "note_zh",
        "note_en",
        "uses",
        "let",
        "code_set",
        "parameter",
        "inputs",
        "value",
        "classes",
        "population",
        "numerator",
        "denominator",
        "unknown",
        "responsible",
        "evidence",
        "exclusion",
        "advice",
        "variant",
        "unit",
        "applies",
        "due_from",
        "due_by",
        "lost_after",
        "state",
        "page",
        "figure",
    ]
)
STATUSES: Final = ("national", "local", "unverified")
KINDS: Final = ("terms", "calculator", "classification", "measure", "programme", "worklist")


def key_lines(text: str) -> dict[str, int]:
    """Return dotted key → line (from 1) for a TOML text; items of an array of tables are numbered: `exclusion.0.when`."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix, inside = "", False
    for number, line in enumerate(text.split("\n"), start=1):
        if inside:
            inside = line.count('"""') % 2 == 0
            continue
        header = _HEADER.match(line)
        if header:
            name = header.group(2).replace('"', "")
            if header.group(1):
                counts[name] = counts.get(name, -1) + 1
                name = f"{name}.{counts[name]}"
            prefix = name + "."
            found[name] = number
            continue
        pair = _KEY.match(line)
        if pair:
            found[prefix + pair.group(1).replace('"', "")] = number
            inside = pair.group(2).count('"""') == 1
    return found


def _led_into(prefixes: tuple[str, ...], usable: Mapping[tuple[str, str], Sequence[str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for (system, code), targets in sorted(usable.items()):
        if any(target.startswith(prefixes) for target in targets):
            found.setdefault(system, []).append(code)
    return {system: tuple(codes) for system, codes in found.items()}


@dataclass(frozen=True)
class Source:
    """One definition file: where it is, what it says, and the line of each key."""

    path: str
    data: Mapping[str, Any]
    lines: Mapping[str, int]

    def with_equivalents(self, usable: Mapping[tuple[str, str], Sequence[str]]) -> Source:
        """Return the source with, in each code set, the codes of other systems that a steward's map leads into it.

        usable: (system, code) → codes here that the record may be counted under.
        """
        sets = self.data.get("code_set", {})
        found = {name: {**told, "also": _led_into(tuple(told.get("codes", ())), usable)} for name, told in sets.items()}
        return replace(self, data={**self.data, "code_set": found}) if sets else self

    @property
    def id(self) -> str:
        """Return the definition's id."""
        return str(self.data["id"])

    @property
    def effective_from(self) -> date:
        """Return the first day the definition holds."""
        day = self.data.get("effective_from", date(1949, 10, 1))
        assert isinstance(day, date)
        return day

    @property
    def effective_to(self) -> date | None:
        """Return the last day the definition holds, or None."""
        day = self.data.get("effective_to")
        assert day is None or isinstance(day, date)
        return day

    def holds_on(self, day: date) -> bool:
        """Return whether the definition is in force on the day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)

    def place(self, key: str = "") -> Place:
        """Return the place of a dotted key (of the file when it has no line)."""
        return Place(self.path, self.lines.get(key, 1), key)

    def fault(self, key: str, zh: str, en: str) -> DefinitionError:
        """Return the error for what stands under a key."""
        return DefinitionError(zh, en, where=str(self.place(key)))


def read(path: Path, shown: str) -> Source:
    """Return a definition file as read. shown: the path as messages and documents name it.

    Raises: DefinitionError for broken TOML, unknown keys, a missing id, name or source, a kind or status outside the list.
    """
    text = path.read_text(encoding="utf-8")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"不是有效的 TOML：{error}", f"not valid TOML: {error}", where=shown) from error
    source = Source(shown, data, key_lines(text))
    _check_head(source)
    return source


def _check_head(source: Source) -> None:
    for key in ("id", "kind", "zh", "en", "source", "status"):
        if not isinstance(source.data.get(key), str) or not source.data[key]:
            raise source.fault(key, f'缺少 {key}，写 {key} = "..."', f'{key} is missing; write {key} = "..."')
    for key, allowed in (("kind", KINDS), ("status", STATUSES)):
        if source.data[key] not in allowed:
            raise source.fault(key, f"{key} 只能是 {', '.join(allowed)}", f"{key} must be one of {', '.join(allowed)}")
    for key in source.data:
        if key not in _FIELDS:
            raise source.fault(key, f"没有字段 {key}", f"there is no field {key}; the fields are {', '.join(sorted(_FIELDS))}")
    for key in ("effective_from", "effective_to"):
        if key in source.data and not isinstance(source.data[key], date):
            raise source.fault(key, f"{key} 写日期，如 2017-02-28", f"write {key} as a date such as 2017-02-28")
    if not isinstance(source.data.get("verified"), bool):
        raise source.fault(
            "verified", "写 verified = true 或 false（是否核对过原文）", "write verified = true or false (checked against the text)"
        )
