"""The interval of a share holds the share and stays within nought and one, at both ends too."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xinglin.engines.rules import wilson


@given(st.integers(1, 2_000_000).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))))
@example((0, 1))
@example((1, 1))
@example((0, 1_400_000_000))
@example((1_400_000_000, 1_400_000_000))
def test_the_interval_holds_the_share(counts: tuple[int, int]) -> None:
    told = wilson(*counts)
    assert told is not None
    assert 0.0 <= told[0] <= counts[0] / counts[1] <= told[1] <= 1.0


def test_nobody_counted_has_no_interval() -> None:
    assert wilson(0, 0) is None


@pytest.mark.parametrize(
    ("counts", "ends"), [((0, 10), (0.0, 0.2775)), ((10, 10), (0.7225, 1.0)), ((1, 1), (0.2065, 1.0)), ((5, 10), (0.2366, 0.7634))]
)
def test_values_reckoned_by_hand(counts: tuple[int, int], ends: tuple[float, float]) -> None:
    told = wilson(*counts)
    assert told is not None and tuple(round(end, 4) for end in told) == ends
