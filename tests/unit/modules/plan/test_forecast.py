"""The forecast against an example reckoned by hand and against numpy, and the quantiles against a printed table."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xinglin.modules.plan.living import Forecast, Target, fit, forecast, forecast_words, student_quantile

HAND = [(1.0, 2.0), (2.0, 3.0), (3.0, 5.0), (4.0, 6.0)]


def test_a_line_through_four_points_is_the_one_reckoned_by_hand() -> None:
    """x: 1 2 3 4, y: 2 3 5 6: mean 2.5 and 4, Sxx 5, Sxy 7, slope 1.4, rest 0.2, s = sqrt(0.1)."""
    line = fit(HAND)
    assert line is not None
    assert (line.mean_at, line.intercept, line.spread) == (2.5, 4.0, 5.0)
    assert line.slope == pytest.approx(1.4)
    assert line.residual == pytest.approx(math.sqrt(0.1))
    found = forecast(HAND, 5.0)
    assert found is not None
    # t(0.975, 2) = 4.302653; margin = t × sqrt(0.1 × (1 + 1/4 + 2.5²/5)).
    margin = 4.302653 * math.sqrt(0.1 * (1 + 0.25 + 6.25 / 5))
    assert found.value == pytest.approx(7.5)
    assert (found.low, found.high) == (pytest.approx(7.5 - margin, abs=1e-5), pytest.approx(7.5 + margin, abs=1e-5))


def test_the_line_is_the_one_of_numpy() -> None:
    random = np.random.default_rng(20261121)
    for _ in range(20):
        n = int(random.integers(3, 25))
        at = np.sort(random.uniform(2020, 2027, n))
        value = random.normal(60, 5, n) + 2 * (at - 2020)
        slope, _ = np.polyfit(at - at.mean(), value, 1)
        line = fit([(float(x), float(y)) for x, y in zip(at, value, strict=True)])
        assert line is not None
        assert line.slope == pytest.approx(float(slope), rel=1e-9)
        assert line.at(2030.0) == pytest.approx(float(value.mean() + slope * (2030 - at.mean())), rel=1e-9)


@pytest.mark.parametrize(
    ("degrees", "printed"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (30, 2.042), (120, 1.980)]
)
def test_quantiles_are_those_of_the_printed_table(degrees: int, printed: float) -> None:
    assert student_quantile(0.975, degrees) == pytest.approx(printed, abs=6e-4)


def test_fewer_than_three_values_or_one_day_give_no_forecast_and_say_so() -> None:
    assert forecast(HAND[:2], 5.0) is None
    assert fit([(1.0, 2.0)] * 5) is None
    said = forecast_words(None, Target(2030, ">=", 75.0), "%", 2)
    assert said.zh == "只有 2 个值，至少要 3 个才能预测"
    assert "at least 3" in said.en


def test_a_forecast_stays_within_what_a_share_can_be() -> None:
    found = forecast([(2020.0, 80.0), (2021.0, 90.0), (2022.0, 97.0)], 2030.0, (0.0, 100.0))
    assert found is not None
    assert (found.value, found.high) == (100.0, 100.0)


def test_the_sentence_says_how_far_below_or_above_the_target_it_ends() -> None:
    target = Target(2025, ">=", 75.0)
    said = forecast_words(Forecast(2026.0, 74.1, 72.0, 76.2, 12, 1.0), target, "%", 12)
    assert said.zh == "按目前速度，2025 年 12 月为 74.1 %（95 % 区间 72–76.2），低于目标 0.9 个百分点"
    assert said.en == "at this pace 74.1 % in December 2025 (95 % interval 72–76.2), 0.9 below"
    lower = forecast_words(Forecast(2026.0, 3.1, 2.0, 4.0, 12, 1.0), Target(2025, "<=", 2.5), "‰", 12)
    assert lower.zh.endswith("高于目标 0.6 ‰")
    assert forecast_words(Forecast(2026.0, 76.0, 72.0, 78.0, 12, 1.0), target, "%", 12).zh.endswith("可以达到目标")


def test_a_forecast_that_says_nothing_is_not_told_as_one() -> None:
    target = Target(2030, ">=", 70.0)
    wide = forecast_words(Forecast(2031.0, 32.6, 0.0, 100.0, 4, -5.0), target, "%", 4)
    assert "还不能预测" in wide.zh and "32.6" not in wide.zh
    narrow = forecast_words(Forecast(2031.0, 80.1, 80.1, 80.1, 4, 0.2), target, "岁", 4)
    assert "±0.01" in narrow.zh and "可以达到目标" in narrow.zh
