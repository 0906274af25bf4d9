"""A day as people type it into a search box or an address: 20261121, 2026-11-21, 2026年11月21日."""

from __future__ import annotations

from datetime import date

from xinglin.base.errors import IncorrectError
from xinglin.web.forms import normal_date


def read_day(text: str, today: date, where: str = "") -> date | None:
    """Return a typed day, None for nothing.  Raises: IncorrectError that says what to write.

    today: gives the year of `1121`.  where: the field, for the error.

    >>> read_day("20261121", date(2026, 11, 22)), read_day("２０２６年１１月２１日", date(2026, 11, 22)), read_day(" ", date(2026, 11, 22))
    (datetime.date(2026, 11, 21), datetime.date(2026, 11, 21), None)
    """
    plain = normal_date(text, today)
    if not plain:
        return None
    try:
        return date.fromisoformat(plain)
    except ValueError as error:
        raise IncorrectError(
            "没有这一天：请写成 20261121 或 2026-11-21", "there is no such day: write it as 20261121 or 2026-11-21", where=where
        ) from error
