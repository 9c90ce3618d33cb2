"""Images of requests: uniform whatever their correlation in difficulty is."""

from __future__ import annotations

from itertools import islice
from math import asin, pi, sin

import numpy as np
import pytest

from edgesim.outcomes.table import OutcomeTable
from edgesim.workload.samples import by_difficulty, correlated_samples, independent_samples

POOL, COUNT, DEVICES = 40, 3000, 40
ORDER = np.random.default_rng(5).permutation(POOL).tolist()
RANK = np.argsort(ORDER)


def drawn(correlation: float) -> np.ndarray:
    """(devices, requests) ranks in difficulty."""
    return RANK[
        np.array([list(islice(correlated_samples(ORDER, correlation, 1, f"cam-{n}"), COUNT)) for n in range(DEVICES)])
    ]


@pytest.fixture(scope="module")
def ranks() -> np.ndarray:
    return drawn(0.8)


def correlation_z(ranks: np.ndarray, lag: int, expected: float) -> float:
    """Of the product of standard scores, whose mean is the correlation up to the pool's grain (1 / pool^2)."""
    scores = (ranks - (POOL - 1) / 2) / np.sqrt((POOL**2 - 1) / 12)
    of_devices = (scores[:, lag:] * scores[:, :-lag]).mean(axis=1)
    return float((of_devices.mean() - expected) / (of_devices.std(ddof=1) / np.sqrt(DEVICES)))


def test_each_image_comes_as_often_as_any_other(ranks: np.ndarray) -> None:
    shares = np.array([np.bincount(row, minlength=POOL) for row in ranks]) / COUNT
    z = (shares.mean(axis=0) - 1 / POOL) / (shares.std(axis=0, ddof=1) / np.sqrt(DEVICES))
    assert (np.abs(z) < 3.9).all(), "40 of them"
    assert abs((z**2).sum() - POOL) < 3.3 * np.sqrt(2 * POOL) * 1.5, "mean squares of Student's t are a little above 1"


def test_ranks_are_correlated_as_said_and_as_the_copula_goes_on(ranks: np.ndarray) -> None:
    a = 2 * sin(pi * 0.8 / 6)
    assert abs(correlation_z(ranks, 1, 0.8)) < 3.3
    for lag in (2, 5):
        assert abs(correlation_z(ranks, lag, 6 / pi * asin(a**lag / 2))) < 3.3


@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_a_correlation_five_percent_off_is_seen(ranks: np.ndarray, factor: float) -> None:
    assert abs(correlation_z(ranks, 1, factor * 0.8)) > 3.3


def test_independent_draws_are_uniform_and_uncorrelated() -> None:
    ranks = np.array([list(islice(independent_samples(POOL, 1, f"cam-{n}"), COUNT)) for n in range(DEVICES)])
    assert abs(correlation_z(ranks, 1, 0.0)) < 3.3
    assert ranks.min() == 0 and ranks.max() == POOL - 1


def test_devices_and_seeds_draw_their_own() -> None:
    one, same, other, seed = (
        list(islice(correlated_samples(range(10**6), 0.5, root, device), 50))
        for root, device in ((1, "a"), (1, "a"), (1, "b"), (2, "a"))
    )
    assert one == same and not set(one) & set(other) and not set(one) & set(seed)


def table(confidence: list[list[float]], error: list[list[float]] | None = None) -> OutcomeTable:
    values = np.array(confidence)
    return OutcomeTable(
        tuple(range(len(values))),
        values,
        values,
        values,
        values,
        values > 0.5,
        None if error is None else np.array(error),
    )


def test_difficulty_is_that_of_the_last_exit() -> None:
    assert by_difficulty(table([[0.1, 0.2, 0.3, 0.4], [0.5, 0.9, 0.2, 0.9]]), 4) == [1, 3, 0, 2]
    assert by_difficulty(table([[0.5, 0.9, 0.2, 0.95]]), 3) == [1, 0, 2], "the pool's images only"
    nan = [[np.nan] * 3]
    assert by_difficulty(table(nan, [[0.4, 0.1, 2.0]]), 3) == [1, 0, 2]
