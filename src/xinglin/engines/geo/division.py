"""Division codes: twelve digits, of which a subtree is a range.

Source: GB/T 2260 (province, city, county: 2, 4, 6 digits), GB/T 10114 (town: 9 digits), statistics bureau's village codes (12 digits; unverified).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from xinglin.base.errors import IncorrectError

Level = Literal["province", "city", "county", "town", "village"]
# Level → how many of the twelve digits stand under it.
_SPAN: Final[Mapping[Level, int]] = {"village": 1, "town": 10**3, "county": 10**6, "city": 10**8, "province": 10**10}
LAST_AREA: Final = 999_999_999_999
LEVELS: Final[tuple[Level, ...]] = ("province", "city", "county", "town", "village")


@dataclass(frozen=True, slots=True)
class Division:
    """A place in the tree of divisions.

    area: integer of the 12 digits.  polygon: GeoJSON geometry or None.  lon, lat: degrees of a place inside.
    valid_from, valid_to: first and last day the code was in force, None where open.
    """

    area: int
    name: str
    level: Level
    parent: int | None
    polygon: Mapping[str, Any] | None = None
    lon: float | None = None
    lat: float | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def code(self) -> str:
        """Return the code as twelve digits."""
        return code_of(self.area)


def code_of(area: int) -> str:
    """Return an area as twelve digits.

    >>> code_of(420999101000)
    '420999101000'
    """
    return f"{area:012d}"


def area_of(code: str) -> int:
    """Return the area of a code of 2, 4, 6, 9 or 12 digits.  Raises: IncorrectError.

    >>> area_of("420999")
    420999000000
    """
    code = code.strip()
    if not (code.isascii() and code.isdecimal() and len(code) in (2, 4, 6, 9, 12)) or int(code) == 0:
        raise IncorrectError("区划代码为 2、4、6、9 或 12 位数字", "write a division code of 2, 4, 6, 9 or 12 digits", where="code")
    return int(code.ljust(12, "0"))


def level_of(area: int) -> Level:
    """Return the level a code's trailing zeros tell.

    >>> level_of(420999101000)
    'town'
    """
    return next(level for level in LEVELS if area % _SPAN[level] == 0)


def parent_of(area: int) -> int | None:
    """Return the division a code's digits place it under, None above a province.

    >>> parent_of(420999101201)
    420999101000
    """
    level = level_of(area)
    if level == "province":
        return None
    span = _SPAN[LEVELS[LEVELS.index(level) - 1]]
    return area - area % span


def subtree(area: int) -> tuple[int, int]:
    """Return the closed range of codes a division and everything under it take up.

    >>> subtree(420999101000)
    (420999101000, 420999101999)
    """
    return area, area + _SPAN[level_of(area)] - 1


def subtree_ranges(areas: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return the subtrees of some areas as ascending ranges, joined where they touch.

    >>> subtree_ranges([420999102000, 420999101000, 420999101201])
    ((420999101000, 420999102999),)
    """
    joined: list[tuple[int, int]] = []
    for low, high in sorted(subtree(area) for area in areas):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)
