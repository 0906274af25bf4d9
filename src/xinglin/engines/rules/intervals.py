"""Interval of a share."""

from __future__ import annotations

from math import sqrt
from typing import Final

_Z95: Final = 1.959963984540054


def wilson(numerator: int, denominator: int) -> tuple[float, float] | None:
    """Return the 95 % Wilson interval of numerator out of denominator, or None when nobody was counted. It always holds the share.

    Source: Wilson E. B., Probable inference, the law of succession, and statistical inference, JASA 22 (1927) 209-212.

    >>> tuple(round(end, 4) for end in wilson(8, 10))
    (0.4902, 0.9433)
    """
    if denominator <= 0:
        return None
    share = numerator / denominator
    spread = _Z95 * sqrt(share * (1 - share) / denominator + _Z95**2 / (4 * denominator**2))
    centre = share + _Z95**2 / (2 * denominator)
    scale = 1 + _Z95**2 / denominator
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return max(0.0, min(low, share)), min(1.0, max(high, share))  # at nought and at all, rounding would leave the share outside
