"""Arithmetic on days, as the algebra means it; missing in, missing out."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta


def add_days(day: date, amount: int) -> date | None:
    """Return the day `amount` days later, or None outside the years 1 to 9999.

    >>> add_days(date(2026, 12, 31), 14)
    datetime.date(2027, 1, 14)
    """
    try:
        return day + timedelta(days=amount)
    except OverflowError:
        return None


def add_months(day: date, amount: int) -> date | None:
    """Return the same day of the month `amount` months later, cut to that month's length; None outside the years 1 to 9999.

    >>> add_months(date(2026, 11, 30), 3)
    datetime.date(2027, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + amount, 12)
    if not 1 <= year <= 9999:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def age_years(birth: date, on: date) -> int:
    """Return completed years; someone born on 29 February completes a year on 1 March of a common year.

    >>> age_years(date(1961, 11, 21), date(2026, 11, 20))
    64
    """
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def quarter(day: date) -> int:
    """Return 1 to 4."""
    return (day.month - 1) // 3 + 1


def part_of(part: str, day: date) -> int:
    """Return the year, quarter or month of a day."""
    return {"year": day.year, "quarter": quarter(day), "month": day.month}[part]


def boundary(edge: str, period: str, day: date) -> date:
    """Return the first (`start`) or last (`end`) day of the year, quarter or month that holds the day."""
    first_month = {"year": 1, "quarter": quarter(day) * 3 - 2, "month": day.month}[period]
    if edge == "start":
        return date(day.year, first_month, 1)
    last_month = {"year": 12, "quarter": quarter(day) * 3, "month": day.month}[period]
    return date(day.year, last_month, monthrange(day.year, last_month)[1])
