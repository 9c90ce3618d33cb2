from __future__ import annotations

import numpy as np
import pytest

from edgesim.results.quantiles import Pooled, bootstrap_difference, bootstrap_quantile, least_requests, rough_quantiles
from edgesim.results.statistics import Interval

REPLICATIONS, REQUESTS = 10, 300


def replications(random: np.random.Generator, spread: float = 0.3, scale: float = 1.0) -> list[np.ndarray]:
    """Latencies whose level differs from replication to replication, as with one link path each."""
    levels = np.exp(random.normal(0.0, spread, REPLICATIONS))
    return [scale * level * random.exponential(1.0, REQUESTS) for level in levels]


def true_quantile(probability: float, spread: float = 0.3) -> float:
    random = np.random.default_rng(0)
    return float(
        np.quantile(np.exp(random.normal(0, spread, 2_000_000)) * random.exponential(size=2_000_000), probability)
    )


def coverage(probability: float, narrower: float = 1.0) -> float:
    random, truth, rounds = np.random.default_rng(3), true_quantile(probability), 300
    found = []
    for _ in range(rounds):
        interval, _ = bootstrap_quantile(replications(random), probability, random)
        found.append(abs(truth - interval.mean) <= narrower * (interval.high - interval.mean))
    return float(np.mean(found))


def test_the_bootstrap_over_replications_covers_the_quantile() -> None:
    assert abs(coverage(0.9) - 0.95) < 3.3 * np.sqrt(0.95 * 0.05 / 300)
    assert coverage(0.9, narrower=0.6) < 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / 300)


def test_resampled_requests_would_cover_far_too_little() -> None:
    """The naive way: as though all requests of all replications were independent."""
    random, truth = np.random.default_rng(4), true_quantile(0.9)
    held = []
    for _ in range(100):
        pooled = np.concatenate(replications(random))
        drawn = np.quantile(random.choice(pooled, (100, len(pooled))), 0.9, axis=1)
        held.append(abs(truth - np.quantile(pooled, 0.9)) <= 1.96 * drawn.std(ddof=1))
    assert np.mean(held) < 0.75


@pytest.mark.parametrize("probability", [0.0, 0.5, 0.95, 0.99, 1.0])
def test_it_is_the_type_7_quantile_of_what_was_drawn(probability: float) -> None:
    random = np.random.default_rng(5)
    samples = [random.normal(size=size) for size in (7, 1, 30)]
    times = np.array([[1, 1, 1], [3, 0, 0], [0, 2, 1], [2, 1, 4]])
    found = Pooled(samples).quantile(probability, times)
    drawn = [np.concatenate([np.tile(values, n) for values, n in zip(samples, row, strict=True)]) for row in times]
    assert found == pytest.approx([np.quantile(each, probability) for each in drawn])


def test_what_was_not_answered_is_left_out() -> None:
    samples = [np.array([1.0, np.nan, 3.0]), np.array([np.nan])]
    assert Pooled(samples).whole(0.5) == 2.0
    assert np.isnan(Pooled(samples).quantile(0.5, np.array([[0, 2]]))).all()


def test_pairing_narrows_a_difference_and_finds_a_shift() -> None:
    random = np.random.default_rng(6)
    first = replications(random)
    second = [values * 1.1 for values in first]
    paired, error = bootstrap_difference(second, first, 0.9, True, random)
    apart, wider = bootstrap_difference(second, first, 0.9, False, random)
    assert paired.mean == apart.mean == pytest.approx(0.1 * Pooled(first).whole(0.9))
    assert paired.low > 0 and error < 0.3 * wider
    assert apart.low < 0


def test_its_error_is_not_the_bootstraps_alone() -> None:
    """Two replications of one value each, 0 and 2: the median is 0, 1 or 2, its standard error a mean's: 1."""
    interval, error = bootstrap_quantile([np.array([0.0]), np.array([2.0])], 0.5, np.random.default_rng(7))
    assert error == pytest.approx(1.0, rel=0.05)
    assert interval.high - interval.mean == pytest.approx(12.7062 * error, rel=1e-5)


def test_one_replication_has_no_interval() -> None:
    interval, error = bootstrap_quantile([np.arange(5.0)], 0.5, np.random.default_rng(1))
    assert interval.mean == 2.0 and np.isnan([interval.low, interval.high, error]).all()
    assert isinstance(interval, Interval)


def test_how_long_a_run_must_be() -> None:
    assert [least_requests(probability) for probability in (0.5, 0.95, 0.99)] == [200, 2000, 10_000]


def test_what_is_rough_is_named_with_what_it_needs() -> None:
    assert rough_quantiles(10_000) == []
    assert rough_quantiles(9_999) == [
        "rough: latency_p99_s; to be trusted a replication needs 10,000 answered requests"
    ]
    assert "latency_p95_s, latency_p99_s; to be trusted a replication needs 2,000, 10,000 " in rough_quantiles(1_999)[0]
