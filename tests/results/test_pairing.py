"""Two queues of which one serves 5 % faster: common random numbers, 20 runs of each, paired and unpaired."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from edgesim.results.statistics import Interval, paired_p, t_interval, welch

LOAD, FASTER = 0.8, 0.95
TRUE_DIFFERENCE = LOAD / (1 - LOAD) - FASTER * LOAD * FASTER / (1 - LOAD * FASTER)
RUNS, REQUESTS, WARMUP, ROUNDS = 20, 5000, 400, 60


def mean_waits(gaps: np.ndarray, services: np.ndarray) -> np.ndarray:
    """Of each row, by Lindley's recursion without its loop."""
    walk = np.concatenate([np.zeros((len(gaps), 1)), np.cumsum(services - gaps, axis=1)[:, :-1]], axis=1)
    return (walk - np.minimum.accumulate(walk, axis=1))[:, WARMUP:].mean(axis=1)


def drawn(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return random.exponential(1 / LOAD, (RUNS, REQUESTS)), random.exponential(1.0, (RUNS, REQUESTS))


@pytest.fixture(scope="module")
def differences() -> tuple[list[Interval], list[Interval]]:
    """Slower minus faster, paired on the same draws, and with draws of its own for each."""
    random, paired, apart = np.random.default_rng(1), [], []
    for _ in range(ROUNDS):
        (gaps, services), (other_gaps, other_services) = drawn(random), drawn(random)
        slow = mean_waits(gaps, services)
        paired.append(t_interval(slow - mean_waits(gaps, FASTER * services)))
        apart.append(welch(slow, mean_waits(other_gaps, FASTER * other_services))[0])
    return paired, apart


def halves(intervals: list[Interval]) -> np.ndarray:
    return np.array([each.high - each.mean for each in intervals])


def test_pairing_halves_the_interval_at_least(differences: tuple[list[Interval], list[Interval]]) -> None:
    """0.147 paired and 0.321 unpaired for 20 runs that differ by 0.94: one such experiment among ours."""
    paired, apart = map(halves, differences)
    assert abs(0.147 - paired.mean()) < 3.3 * paired.std(ddof=1)
    assert abs(0.321 - apart.mean()) < 3.3 * apart.std(ddof=1)
    assert paired.mean() < apart.mean() / 2
    means = np.array([each.mean for each in differences[0]])
    assert abs(0.94 - means.mean()) < 3.3 * means.std(ddof=1)
    assert abs(means.mean() - TRUE_DIFFERENCE) < 3.3 * means.std(ddof=1) / np.sqrt(ROUNDS)


@pytest.mark.parametrize("way", [0, 1], ids=["paired", "apart"])
def test_both_cover_the_difference(differences: tuple[list[Interval], list[Interval]], way: int) -> None:
    covered = np.mean([each.low <= TRUE_DIFFERENCE <= each.high for each in differences[way]])
    assert abs(covered - 0.95) < 3.3 * np.sqrt(0.95 * 0.05 / ROUNDS)


def test_welch_is_the_unequal_variance_t_test() -> None:
    random = np.random.default_rng(2)
    first, second = random.normal(1.0, 0.2, 12), random.normal(0.8, 0.6, 7)
    interval, p = welch(np.append(first, np.nan), second)
    assert p == ttest_ind(first, second, equal_var=False).pvalue
    assert interval.mean == pytest.approx(first.mean() - second.mean())
    degrees = ttest_ind(first, second, equal_var=False).df
    error = np.sqrt(first.var(ddof=1) / 12 + second.var(ddof=1) / 7)
    from scipy.stats import t

    assert interval.high - interval.mean == pytest.approx(t.ppf(0.975, degrees) * error)


def test_what_cannot_be_tested_has_no_p() -> None:
    alone, p = welch(np.array([1.0]), np.array([0.5, 0.6]))
    assert alone.mean == pytest.approx(0.45) and np.isnan([alone.low, alone.high, p]).all()
    assert np.isnan(welch(np.array([]), np.array([1.0]))[0].mean)
    assert welch(np.ones(3), np.ones(4)) == ((0.0, 0.0, 0.0), 1.0)
    assert welch(np.ones(3), np.zeros(4)) == ((1.0, 1.0, 1.0), 0.0)
    assert np.isnan(paired_p(np.array([1.0])))
