"""Dates keep the precision they are written with and are read in the district's zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from xinglin.base.errors import IncorrectError
from xinglin.fhir import LATEST, parse_datetime


def micro(text: str) -> int:
    """Return the microseconds of an ISO instant."""
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("text", "start", "end", "precision"),
    [
        ("2026", "2025-12-31T16:00:00Z", "2026-12-31T16:00:00Z", "year"),
        ("2026-11", "2026-10-31T16:00:00Z", "2026-11-30T16:00:00Z", "month"),
        ("2026-12", "2026-11-30T16:00:00Z", "2026-12-31T16:00:00Z", "month"),
        ("2024-02-29", "2024-02-28T16:00:00Z", "2024-02-29T16:00:00Z", "day"),
        ("2026-11-21T08:30", "2026-11-21T00:30:00Z", "2026-11-21T00:31:00Z", "minute"),
        ("2026-11-21T08:30:00", "2026-11-21T00:30:00Z", "2026-11-21T00:30:01Z", "second"),
        ("2026-11-21T08:30:00Z", "2026-11-21T08:30:00Z", "2026-11-21T08:30:01Z", "second"),
        ("2026-11-21T08:30:00-05:30", "2026-11-21T14:00:00Z", "2026-11-21T14:00:01Z", "second"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", "2017-01-01T00:00:01Z", "second"),
    ],
)
def test_the_span_of_a_date(text: str, start: str, end: str, precision: str, zone: ZoneInfo) -> None:
    assert parse_datetime(text, zone) == (micro(start), micro(end), precision)


def test_fractions_of_a_second(zone: ZoneInfo) -> None:
    start = micro("2026-11-21T08:30:00Z")
    assert parse_datetime("2026-11-21T08:30:00.5Z", zone) == (start + 500_000, start + 600_000, "fraction")
    assert parse_datetime("2026-11-21T08:30:00.123456789Z", zone) == (start + 123_456, start + 123_457, "fraction")
    assert parse_datetime("2026-11-21T08:30:00.1234Z", zone).precision == "fraction"


def test_the_end_of_time(zone: ZoneInfo) -> None:
    assert parse_datetime("9999", zone).end_us == LATEST
    assert parse_datetime("9999-12-31", UTC).end_us == LATEST


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-02-31",
        "2026-13",
        "26",
        "20261121",
        "2026-W47-6",
        "2026-11-21T24:00:00Z",
        "2026-11-21T08",
        "2026-11-21 08:30",
        "昨天",
        "0000",
    ],
)
def test_what_is_no_date_is_refused(text: str, zone: ZoneInfo) -> None:
    with pytest.raises(IncorrectError) as refused:
        parse_datetime(text, zone)
    assert "2026-11-21" in refused.value.zh
