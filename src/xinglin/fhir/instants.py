"""Dates and times of R4 as spans of UTC microseconds that keep the precision they were written with."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from xinglin.base.errors import IncorrectError

EARLIEST: Final = -62_135_596_800_000_000
"""Start of an open period: 0001-01-01T00:00Z in microseconds since 1970."""
LATEST: Final = 253_402_300_800_000_000
"""End of an open period: the end of the year 9999."""
SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AFTER_SECONDS = frozenset("Z+-")
_FORM = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,30}))?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?)?)?",
    re.ASCII,
)


class Span(NamedTuple):
    """A date or time as written: [start_us, end_us) in microseconds since 1970 UTC; precision year, month, day, minute, second or fraction."""

    start_us: int
    end_us: int
    precision: str


def parse_datetime(text: str, zone: tzinfo) -> Span:
    """Return the span a FHIR date, dateTime, instant or date search value stands for.

    text: `2026`, `2026-11`, `2026-11-21`, or a time with minutes at least; zone: the district's zone, for text without one.
    A month is the whole month, a second the whole second. Source: HL7 FHIR R4 4.0.1, 3.1.1.4.7 date.
    Raises: IncorrectError for text that is not a date, or a day the calendar does not have.

    >>> parse_datetime("1970-01-01T08:00:00+08:00", UTC)
    Span(start_us=0, end_us=1000000, precision='second')
    """
    if (
        text[19:20] in _AFTER_SECONDS
        and len(text) in (20, 25)
        and text[4] == text[7] == "-"
        and text[10] == "T"
        and text[13] == text[16] == ":"
    ):
        try:
            start = _microseconds(datetime.fromisoformat(text))
        except ValueError:  # a leap second, or no such day
            return _careful_span(text, zone)
        return Span(start, start + SECOND, "second")
    return _careful_span(text, zone)


def _careful_span(text: str, zone: tzinfo) -> Span:
    form = _FORM.fullmatch(text)
    if form is None:
        raise _unreadable()
    year, month, day, hour, minute, second, fraction, offset = form.groups()
    try:
        if hour is None:
            return _calendar_span(int(year), int(month or 0), int(day or 0), zone)
        start = _moment(form, zone if offset is None else _zone_of(offset))
    except (ValueError, OverflowError):
        raise _unreadable() from None
    if fraction is not None:
        return Span(start, start + max(1, 10 ** (6 - len(fraction)) if len(fraction) <= 6 else 1), "fraction")
    return Span(start, start + SECOND, "second") if second is not None else Span(start, start + 60 * SECOND, "minute")


def _unreadable() -> IncorrectError:
    return IncorrectError(
        "无法识别日期，请写成 2026、2026-11、2026-11-21 或 2026-11-21T08:30:00+08:00",
        "the date cannot be read; write 2026, 2026-11, 2026-11-21 or 2026-11-21T08:30:00+08:00",
    )


def _moment(form: re.Match[str], zone: tzinfo) -> int:
    year, month, day, hour, minute, second, fraction, _ = form.groups()
    seconds = int(second or 0)
    leap = seconds == 60
    written = datetime(int(year), int(month), int(day), int(hour), int(minute), 59 if leap else seconds, tzinfo=zone)
    microseconds = int((fraction + "000000")[:6]) if fraction else 0
    return _microseconds(written) + microseconds + (SECOND if leap else 0)


def _microseconds(moment: datetime) -> int:
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * SECOND + passed.microseconds


@lru_cache(maxsize=64)
def _zone_of(offset: str) -> tzinfo:
    if offset == "Z":
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[4:6])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


@lru_cache(maxsize=50_000)
def _calendar_span(year: int, month: int, day: int, zone: tzinfo) -> Span:
    start = _microseconds(datetime(year, month or 1, day or 1, tzinfo=zone))
    if day:
        following = (datetime(year, month, day) + timedelta(days=1)) if (year, month, day) != (9999, 12, 31) else None
        precision = "day"
    elif month:
        following = _month_after(year, month)
        precision = "month"
    else:
        following = _month_after(year, 12)
        precision = "year"
    end = LATEST if following is None else _microseconds(following.replace(tzinfo=zone))
    return Span(start, end, precision)


def _month_after(year: int, month: int) -> datetime | None:
    if month < 12:
        return datetime(year, month + 1, 1)
    return datetime(year + 1, 1, 1) if year < 9999 else None
