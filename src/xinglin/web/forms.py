"""A form as it stands on the screen: values as typed, where each came from, and what is wrong with it.

The server is the truth: it reads every value again (`normal_*`), so that the form works without scripts; `static/forms.js` only
gives the keys. Nothing typed is lost on an error: the page that says what is wrong carries every value as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from xinglin.base.text import to_halfwidth

_DATE = re.compile(r"(\d{4})[-./年 ]?(\d{1,2})[-./月 ]?(\d{1,2})日?")
_SHORT_DATE = re.compile(r"(\d{1,2})[-./月 ]?(\d{2})日?")
_PRESSURE = re.compile(r"(\d{2,3})\s*[/、-]\s*(\d{2,3})")


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a coded field: the digit and its words, already in the page's language."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field. label, unit, hint, error, warning: in the page's language.

    kind: code, codes (several), number, date, text.  value: as typed.
    origin: "" typed, "carried" brought over and not confirmed, "computed", "overruled" (computed, then changed: `reason` says why).
    computed: what the computation gives.  earlier: the last readings, newest first, as (day, text).  pair: link id of the other half of `135/85`.
    error: must be put right.  warning: unusual, may be saved when seen.
    """

    link_id: str
    label: str
    kind: str
    value: str = ""
    unit: str = ""
    hint: str = ""
    choices: Sequence[Choice] = ()
    origin: str = ""
    computed: str = ""
    reason: str = ""
    earlier: Sequence[tuple[str, str]] = ()
    pair: str = ""
    required: bool = False
    width: str = ""
    error: str = ""
    warning: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the chosen codes of a coded field."""
        return split_codes(self.value, [choice.code for choice in self.choices])


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a form under one heading; rows: the lines of a repeating group, each a list of fields.

    known: what its fields say in words; such a part is folded away, because it is answered already.
    """

    title: str
    fields: Sequence[Field] = ()
    rows: Sequence[Sequence[Field]] = ()
    group: str = ""
    icon: str = ""
    known: Sequence[str] = ()


def with_problems(fields: Sequence[Field], errors: Mapping[str, str], warnings: Mapping[str, str]) -> list[Field]:
    """Return the fields with what is wrong written beside each."""
    return [replace(one, error=errors.get(one.link_id, ""), warning=warnings.get(one.link_id, "")) for one in fields]


def split_codes(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the codes in what somebody typed: `2,5`, `25` and `２、５` are two codes, `10` is one where 10 is a code.

    >>> split_codes("25", ["1", "2", "5", "10"])
    ('2', '5')
    >>> split_codes("10", ["1", "2", "5", "10"])
    ('10',)
    """
    found: list[str] = []
    for part in re.findall(r"\d+", to_halfwidth(text)):
        while part:
            code = part[:2] if part[:2] in known else part[:1]
            found.append(code)
            part = part[len(code) :]
    return tuple(dict.fromkeys(found))


def normal_date(text: str, today: date) -> str:
    """Return a typed day as 2026-11-21 where it is one, else the text unchanged (the check will say what to write).

    today: gives the year of `1121`, the latest such day that is not after today.

    >>> normal_date("20261121", date(2026, 11, 22)), normal_date("2026年3月5日", date(2026, 11, 22)), normal_date("1125", date(2026, 11, 22))
    ('2026-11-21', '2026-03-05', '2025-11-25')
    """
    plain = to_halfwidth(text).strip()
    full, short = _DATE.fullmatch(plain), _SHORT_DATE.fullmatch(plain)
    parts = tuple(int(part) for part in full.groups()) if full else (today.year, *(int(part) for part in short.groups())) if short else ()
    try:
        day = date(*parts) if parts else None
        if day is None:
            return plain
        return (day if full or day <= today else day.replace(year=day.year - 1)).isoformat()
    except ValueError:
        return plain


def normal_pressure(first: str, second: str) -> tuple[str, str]:
    """Return systolic and diastolic as typed, splitting `135/85` when it stands in the first box.

    >>> normal_pressure("135/85", "")
    ('135', '85')
    """
    found = _PRESSURE.fullmatch(to_halfwidth(first).strip())
    return (found[1], found[2]) if found and not second.strip() else (to_halfwidth(first).strip(), to_halfwidth(second).strip())
