"""Shadowing has unit variance and the correlation of Gudmundson's model, whatever the steps."""

from __future__ import annotations

import numpy as np
import pytest

from edgesim.network.shadowing import correlated, correlation

D_COR_M = 13.0


def walks(step_m: float, reach_m: float, count: int = 40_000, wrong: float = 1.0) -> np.ndarray:
    """(positions, walks) of independent walks; ``wrong`` scales the correlation distance."""
    draws = np.random.default_rng(3).standard_normal((round(reach_m / step_m) + 1, count))
    moved_m = np.full((len(draws), 1), step_m)
    moved_m[0] = np.inf
    return correlated(np.zeros(count), correlation(moved_m, D_COR_M * wrong), draws)


def z_scores(found: np.ndarray) -> tuple[float, float]:
    """How far the variance at the end, and the correlation over the whole way, are from 1 and 1/e."""
    first, last = found[0], found[-1]
    n = len(last)
    product = first * last
    return (np.mean(last**2) - 1) * np.sqrt(n / 2), (product.mean() - np.exp(-1)) / (product.std() / np.sqrt(n))


@pytest.mark.parametrize("step_m", [D_COR_M, D_COR_M / 4, D_COR_M / 50])
def test_correlation_is_one_over_e_at_the_correlation_distance(step_m: float) -> None:
    assert all(abs(score) < 3.3 for score in z_scores(walks(step_m, D_COR_M)))


def test_a_distance_or_a_deviation_five_percent_off_is_seen() -> None:
    assert abs(z_scores(walks(D_COR_M / 4, D_COR_M, 200_000, wrong=1.05))[1]) > 3.3
    assert abs(z_scores(1.05 * walks(D_COR_M / 4, D_COR_M))[0]) > 3.3


def test_all_at_once_is_step_by_step() -> None:
    rng = np.random.default_rng(1)
    a, draws = rng.uniform(0, 1, (37, 3)), rng.standard_normal((37, 3))
    a[5], a[20] = 1.0, 0.0
    value, expected = start, _ = (np.array([0.3, -1.0, 2.0]), [])
    for step, draw in zip(a, draws, strict=True):
        value = step * value + np.sqrt(1 - step**2) * draw
        expected.append(value)
    assert correlated(start, a, draws) == pytest.approx(np.array(expected), rel=1e-12)


def test_who_does_not_move_keeps_the_shadow() -> None:
    draws = np.random.default_rng(1).standard_normal((100, 2))
    stays = correlation(np.zeros((100, 1)), D_COR_M) * np.ones((1, 2))
    assert (correlated(np.array([0.7, -0.2]), stays, draws) == [0.7, -0.2]).all()
