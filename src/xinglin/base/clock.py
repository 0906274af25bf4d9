"""Where "now" and "today" come from: always an argument, so that a test or a demo can choose the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """A source of instants; a day is a day of the district's zone."""

    @property
    def zone(self) -> ZoneInfo:
        """Return the district's zone."""
        ...

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...

    def today(self) -> date:
        """Return the present day in the district's zone."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock."""

    zone: ZoneInfo

    def now(self) -> datetime:
        """Return the machine's instant in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """Return the day that instant has in the zone."""
        return self.now().astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still. instant must be aware."""

    instant: datetime
    zone: ZoneInfo

    def now(self) -> datetime:
        """Return the fixed instant in UTC."""
        return self.instant.astimezone(UTC)

    def today(self) -> date:
        """Return the day of the fixed instant in the zone."""
        return self.instant.astimezone(self.zone).date()
