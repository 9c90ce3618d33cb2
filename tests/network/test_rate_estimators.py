"""What an estimator says before, at and after its first samples."""

from __future__ import annotations

import pytest

from edgesim.network.estimators import Estimator, EwmaRate, HarmonicRate, LastRate

MAKERS = [LastRate, lambda prior: EwmaRate(prior, 0.3), lambda prior: HarmonicRate(prior, 3)]


@pytest.mark.parametrize("make", MAKERS)
def test_the_prior_holds_until_the_first_sample_and_no_longer(make) -> None:
    estimator: Estimator = make(5e6)
    estimator.observe(0, 1.0)
    estimator.observe(100, 0.0)
    assert estimator.rate_bps == 5e6
    estimator.observe(2e6, 0.5)
    assert estimator.rate_bps == 4e6


@pytest.mark.parametrize("make", MAKERS)
def test_equal_samples_are_the_estimate(make) -> None:
    estimator: Estimator = make(1.0)
    for seconds in (0.1, 0.2, 0.7, 3.0):
        estimator.observe(8e6 * seconds, seconds)
    assert estimator.rate_bps == pytest.approx(8e6)


def fed(estimator: Estimator) -> float:
    for rate_bps in (1e6, 2e6, 4e6, 8e6):
        estimator.observe(rate_bps, 1.0)
    return estimator.rate_bps


def test_last() -> None:
    assert fed(LastRate(1.0)) == 8e6


def test_ewma() -> None:
    expected = 1e6
    for rate_bps in (2e6, 4e6, 8e6):
        expected = 0.3 * rate_bps + 0.7 * expected
    assert fed(EwmaRate(1.0, 0.3)) == pytest.approx(expected)
    assert fed(EwmaRate(1.0, 1.0)) == 8e6


def test_harmonic_mean_of_the_window() -> None:
    assert fed(HarmonicRate(1.0, 3)) == pytest.approx(3 / (1 / 2e6 + 1 / 4e6 + 1 / 8e6))
    assert fed(HarmonicRate(1.0, 1)) == 8e6
    assert fed(HarmonicRate(1.0, 99)) == pytest.approx(4 / (1 / 1e6 + 1 / 2e6 + 1 / 4e6 + 1 / 8e6))
