"""The bounded random walk against reflected Brownian motion."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from edgesim.errors import InputError
from edgesim.network.random_walk import RandomWalk, RandomWalkRate

WALK = RandomWalk(2e6, 8e6, 3e6, 0.1)


def paths(walk: RandomWalk, count: int = 400, chunks: int = 60) -> np.ndarray:
    links = [RandomWalkRate(walk, 5, f"camera-{number}") for number in range(count)]
    return np.array([np.concatenate([link.chunk(k)[1] for k in range(chunks)]) for link in links])


def z_scores(rates: np.ndarray, walk: RandomWalk, step_s: float) -> dict[str, float]:
    """Means over time of what has a known expectation, in standard errors over paths."""
    lag, variance = round(1 / step_s), walk.width_bps**2 / 12
    middle = (walk.low_bps + walk.high_bps) / 2
    expected = {
        "mean": (rates, middle),
        "second moment": (rates**2, middle**2 + variance),
        "half squared change": ((rates[:, lag:] - rates[:, :-lag]) ** 2 / 2, variance * (1 - walk.correlation(1.0))),
    }
    scores = {}
    for name, (values, mean) in expected.items():
        means = values.mean(axis=1)
        scores[name] = float((means.mean() - mean) / (means.std(ddof=1) / math.sqrt(len(means))))
    return scores


@pytest.fixture(scope="module")
def rates() -> np.ndarray:
    return paths(WALK)


def test_uniform_between_the_bounds_and_correlated_as_it_should_be(rates: np.ndarray) -> None:
    scores = z_scores(rates, WALK, 0.1)
    assert all(abs(score) < 3.3 for score in scores.values()), scores
    assert 2e6 <= rates.min() < 2.01e6 and 7.99e6 < rates.max() <= 8e6
    starts = np.sort(rates[:, 0])
    assert np.abs((starts - 2e6) / 6e6 - (np.arange(400) + 0.5) / 400).max() < 1.63 / math.sqrt(400)  # Kolmogorov


@pytest.mark.parametrize("name", ["low_bps", "high_bps", "change_bps"])
def test_a_walk_five_percent_off_is_seen(rates: np.ndarray, name: str) -> None:
    scores = z_scores(rates, replace(WALK, **{name: 1.05 * getattr(WALK, name)}), 0.1)
    assert any(abs(score) > 3.3 for score in scores.values()), scores


def test_a_shorter_step_is_the_same_walk() -> None:
    fine = replace(WALK, step_s=0.025)
    scores = z_scores(paths(fine, 200, 150), WALK, 0.025)
    assert all(abs(score) < 3.3 for score in scores.values()), scores


def test_the_autocorrelation_begins_at_one() -> None:
    assert WALK.correlation(0.0) == pytest.approx(1, abs=1e-6)
    assert WALK.correlation(1.0) > WALK.correlation(2.0) > 0


@pytest.mark.parametrize("bad", [{"low_bps": 8e6}, {"low_bps": -1.0}, {"change_bps": 0.0}, {"high_bps": math.nan}])
def test_bad_walks_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="random_walk"):
        replace(WALK, **bad)
