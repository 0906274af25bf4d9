"""Nodes of the algebra about days: moving them, counting between them, ages, parts and bounds of periods."""

from __future__ import annotations

from dataclasses import dataclass

from xinglin.definitions.lake_columns import Kind
from xinglin.definitions.nodes import Node, need


@dataclass(frozen=True, eq=False, repr=False)
class AddTime(Node):
    """A date moved by a whole number of days or months (the day is cut to the length of the month); a fraction is cut off.

    A result outside the years 1 to 9999 is missing.
    """

    day: Node
    amount: Node
    unit: str

    def check(self) -> None:
        """A date, a number, and days or months."""
        need(self.day, Kind.DATE)
        need(self.amount, Kind.NUMBER)

    @property
    def kind(self) -> Kind:
        """Return DATE."""
        return Kind.DATE


@dataclass(frozen=True, eq=False, repr=False)
class DaysBetween(Node):
    """Days from the first date to the second (negative when the second is earlier)."""

    first: Node
    last: Node

    def check(self) -> None:
        """Two dates."""
        need(self.first, Kind.DATE)
        need(self.last, Kind.DATE)

    @property
    def kind(self) -> Kind:
        """Return NUMBER."""
        return Kind.NUMBER


@dataclass(frozen=True, eq=False, repr=False)
class AgeAt(Node):
    """Completed years from birth to a day; a person born on 29 February completes a year on 1 March of a common year."""

    birth: Node
    on: Node

    def check(self) -> None:
        """Two dates."""
        need(self.birth, Kind.DATE)
        need(self.on, Kind.DATE)

    @property
    def kind(self) -> Kind:
        """Return NUMBER."""
        return Kind.NUMBER


@dataclass(frozen=True, eq=False, repr=False)
class PartOf(Node):
    """The year, quarter (1-4) or month (1-12) of a date."""

    part: str
    day: Node

    def check(self) -> None:
        """A date."""
        need(self.day, Kind.DATE)

    @property
    def kind(self) -> Kind:
        """Return NUMBER."""
        return Kind.NUMBER


@dataclass(frozen=True, eq=False, repr=False)
class Boundary(Node):
    """The first or last day of the year, quarter or month that holds a date."""

    edge: str
    period: str
    day: Node

    def check(self) -> None:
        """A date."""
        need(self.day, Kind.DATE)

    @property
    def kind(self) -> Kind:
        """Return DATE."""
        return Kind.DATE
