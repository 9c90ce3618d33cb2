"""One long run of M/M/1 at load 0.8, whose mean wait is 4 mean services (Pollaczek and Khinchine)."""

from __future__ import annotations

import numpy as np
import pytest

from edgesim.results.batch_means import batch_interval, batch_means, neighbours, sectioned
from edgesim.results.statistics import Interval, t_interval

LOAD, MEAN_WAIT = 0.8, 4.0
RUNS, BATCHES, BATCH, WARMUP = 200, 20, 2000, 400


def waits(random: np.random.Generator, requests: int) -> np.ndarray:
    """Waits in the queue, in mean services, by Lindley's recursion without its loop."""
    steps = random.exponential(1.0, requests) - random.exponential(1.0 / LOAD, requests)
    walk = np.concatenate([[0.0], np.cumsum(steps)[:-1]])
    return walk - np.minimum.accumulate(walk)


def held(interval: Interval) -> bool:
    return interval.low <= MEAN_WAIT <= interval.high


def half(interval: Interval) -> float:
    return interval.high - interval.mean


@pytest.fixture(scope="module")
def intervals() -> tuple[list[Interval], list[Interval]]:
    """By batch means, and naively over single requests as though they were independent."""
    random = np.random.default_rng(1)
    runs = [waits(random, WARMUP + BATCHES * BATCH)[WARMUP:] for _ in range(RUNS)]
    return [t_interval(batch_means(run)) for run in runs], [t_interval(run) for run in runs]


def test_batch_means_cover_almost_as_often_as_they_say(intervals: tuple[list[Interval], list[Interval]]) -> None:
    """0.910 with 20 batches of 2,000; half of the interval is 0.438 on average."""
    batched, _ = intervals
    assert abs(np.mean([held(each) for each in batched]) - 0.910) < 3.3 * np.sqrt(0.91 * 0.09 / RUNS)
    assert np.mean([half(each) for each in batched]) == pytest.approx(0.438, rel=0.06)


def test_an_interval_over_requests_covers_a_sixth_of_the_time(intervals: tuple[list[Interval], list[Interval]]) -> None:
    """17 % in place of 95 %, with half of the interval at 0.047."""
    _, naive = intervals
    assert abs(np.mean([held(each) for each in naive]) - 0.17) < 3.3 * np.sqrt(0.17 * 0.83 / RUNS)
    assert np.mean([half(each) for each in naive]) == pytest.approx(0.047, rel=0.06)


def test_a_run_that_is_too_short_says_so() -> None:
    """Batches of 200 are about as long as the queue's memory, and would cover 87 %; those of 4,000 are long enough."""
    random = np.random.default_rng(3)
    refused = [np.isnan(batch_interval(waits(random, BATCHES * 200)).low) for _ in range(100)]
    accepted = [not np.isnan(batch_interval(waits(random, BATCHES * 4000)).low) for _ in range(100)]
    assert np.mean(refused) > 0.9 and np.mean(accepted) > 0.9


def test_ten_replications_cover_as_they_say() -> None:
    """0.935 at ten replications of 4,000 waits after 400."""
    random, rounds = np.random.default_rng(2), 400
    covered = [held(t_interval(np.array([waits(random, 4400)[400:].mean() for _ in range(10)]))) for _ in range(rounds)]
    assert abs(np.mean(covered) - 0.935) < 3.3 * np.sqrt(0.935 * 0.065 / rounds)


def test_means_by_hand() -> None:
    assert batch_means(np.arange(10.0), 5).tolist() == [0.5, 2.5, 4.5, 6.5, 8.5]
    assert batch_means(np.arange(7.0), 3).tolist() == [0.5, 2.5, 5.0], "sizes differ by one at most"
    assert neighbours(np.array([1.0, -1.0, 1.0, -1.0])) == pytest.approx(-0.75)
    assert neighbours(np.full(5, 2.0)) == 0.0


def test_the_interval_is_that_of_the_batches_around_the_whole() -> None:
    values = np.random.default_rng(5).normal(3.0, 1.0, 20_010)
    interval, batches = batch_interval(values), t_interval(batch_means(values))
    assert interval.mean == pytest.approx(values.mean())
    assert half(interval) == pytest.approx(half(batches))


def test_a_short_or_correlated_series_has_no_interval() -> None:
    random = np.random.default_rng(6)
    assert np.isnan(batch_interval(random.normal(size=199)).low)
    assert not np.isnan(batch_interval(random.normal(size=200)).low)
    assert np.isnan(batch_interval(np.cumsum(random.normal(size=2000))).low)
    assert np.isnan(batch_interval(np.array([])).mean)


def test_a_batch_with_nothing_to_measure_leaves_no_interval() -> None:
    batches, fine = np.ones(20), np.ones(200)
    batches[3] = np.nan
    assert np.isnan(sectioned(1.0, batches, fine).high)
    assert sectioned(1.0, np.ones(20), fine) == (1.0, 1.0, 1.0)
