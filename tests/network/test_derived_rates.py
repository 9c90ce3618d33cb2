"""Rates made of other rates: the season, and what slowing, scaling, mapping and multiplying do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edgesim.network.constant import ConstantRate
from edgesim.network.derived import MappedRate, ProductRate, ScaledRate, SlowedRate
from edgesim.network.rate import RateProcess
from edgesim.network.seasonal import seasonal_factor
from edgesim.network.steps import steps_table
from edgesim.network.tabled import TabledRate


def steps(*rows: list[float], ends: str = "loop") -> TabledRate:
    return TabledRate(steps_table(rows), ends)


def test_a_season_has_its_peak_its_trough_and_its_mean() -> None:
    rate = ProductRate(ConstantRate(10e6), seasonal_factor(86_400.0, 0.6, 50_400.0))
    assert rate.integral(0, 86_400) == pytest.approx(86_400 * 10e6, rel=1e-9)
    assert rate.rate(50_400 + 86_400) == pytest.approx(16e6, rel=1e-3)
    assert rate.rate(50_400 - 43_200) == pytest.approx(4e6, rel=1e-3)
    quarter = rate.integral(50_400, 72_000) / 21_600
    assert quarter == pytest.approx(10e6 * (1 + 0.6 * 2 / math.pi), rel=1e-6)


def test_a_season_follows_the_cosine_throughout() -> None:
    """Each step is the mean of the cosine over it; five percent of the amplitude would be seen."""
    rate = ProductRate(ConstantRate(1.0), seasonal_factor(288.0, 0.8, 70.0))
    middles = np.arange(288) + 0.5
    found = [rate.rate(time_s) for time_s in middles.tolist()]
    assert found == pytest.approx(1 + 0.8 * np.cos(2 * np.pi * (middles - 70) / 288), abs=1e-4)


def test_the_product_is_the_product_at_every_time() -> None:
    one, other = steps([0, 5], [0.7, 1], [1.1, 8]), steps([0, 2], [0.4, 0.5])
    product = ProductRate(one, other)
    for time_s in np.linspace(0, 40, 977).tolist():
        assert product.rate(time_s) == one.rate(time_s) * other.rate(time_s)


def test_slowed_scaled_and_mapped_by_hand() -> None:
    rate = steps([0, 5], [1, 1], [2, 9])
    slowed, scaled = SlowedRate(rate, 3.0), ScaledRate(rate, 0.5)
    rooted = MappedRate(rate, np.sqrt)
    for time_s in np.linspace(0, 20, 331).tolist():
        assert slowed.rate(time_s) == rate.rate(time_s / 3)
        assert scaled.rate(time_s) == rate.rate(time_s) / 2
        assert rooted.rate(time_s) == math.sqrt(rate.rate(time_s))
    assert slowed.integral(0, 9) == pytest.approx(3 * rate.integral(0, 3))


@pytest.mark.parametrize(
    "derive",
    [
        lambda rate: SlowedRate(rate, 2.0),
        lambda rate: ScaledRate(rate, 2.0),
        lambda rate: MappedRate(rate, np.sqrt),
        lambda rate: ProductRate(rate, seasonal_factor(10.0, 0.5, 0.0)),
    ],
)
def test_what_never_flows_never_ends(derive) -> None:
    held: RateProcess = derive(steps([0, 5], [1, 0], ends="hold"))
    assert held.finish(0.0, 1e9) == math.inf and held.finish(50.0, 1.0) == math.inf


def test_a_map_that_lifts_zero_does_flow() -> None:
    lifted = MappedRate(steps([0, 5], [1, 0], ends="hold"), lambda rates: np.maximum(rates, 1e6))
    assert lifted.finish(0.0, 15e6) == pytest.approx(11.0)
