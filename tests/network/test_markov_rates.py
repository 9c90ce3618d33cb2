"""Markov-modulated rates: shares, means and holding times of the chain, in steps and at any time."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from edgesim.errors import InputError
from edgesim.network.markov import JumpLaw, JumpRate, StepLaw, StepRate
from edgesim.network.markov_chain import MarkovChain
from edgesim.network.markov_fit import fit_markov

RATES = (0.0, 2e6, 10e6)
MATRIX = ((0.9, 0.1, 0.0), (0.05, 0.8, 0.15), (0.0, 0.1, 0.9))
QUICK = ((-2.0, 2.0, 0.0), (0.5, -2.0, 1.5), (0.25, 0.25, -0.5))
PATHS = 60


def steps(matrix: tuple[tuple[float, ...], ...] = MATRIX) -> StepLaw:
    return StepLaw(RATES, MarkovChain(matrix), 0.1)


def realised(rates: list[StepRate] | list[JumpRate], chunks: int) -> tuple[np.ndarray, np.ndarray]:
    """(share of the time in each state, mean rate), a row a path."""
    shares, means = [], []
    for rate in rates:
        lengths, values = [], []
        for k in range(chunks):
            edges, found = rate.chunk(k)
            lengths += np.diff(edges).tolist()
            values += found
        weights = np.array(lengths) / sum(lengths)
        shares.append([weights[np.array(values) == each].sum() for each in RATES])
        means.append(weights @ values)
    return np.array(shares), np.array(means)


@pytest.fixture(scope="module")
def step_paths() -> tuple[np.ndarray, np.ndarray]:
    return realised([StepRate(steps(), 3, f"camera-{n}") for n in range(PATHS)], 400)


@pytest.fixture(scope="module")
def jump_paths() -> tuple[np.ndarray, np.ndarray]:
    return realised([JumpRate(JumpLaw(RATES, QUICK), 3, f"camera-{n}") for n in range(PATHS)], 400)


def score(found: np.ndarray, expected: float) -> float:
    return float((found.mean() - expected) / (found.std(ddof=1) / math.sqrt(len(found))))


def scores(paths: tuple[np.ndarray, np.ndarray], law: StepLaw | JumpLaw) -> list[float]:
    shares, means = paths
    return [score(shares[:, i], law.share[i]) for i in range(3)] + [score(means, law.mean_bps)]


def test_the_share_is_the_left_eigenvector() -> None:
    """pi P = pi, and pi Q = 0, solved here by hand: detailed balance of the birth and death chain."""
    weights = np.array([1, 0.1 / 0.05, 0.1 / 0.05 * 0.15 / 0.1])
    assert steps().share == pytest.approx(weights / weights.sum(), rel=1e-12)
    share = np.array(JumpLaw(RATES, QUICK).share)
    assert share @ np.array(QUICK) == pytest.approx(np.zeros(3), abs=1e-15)
    assert share.sum() == pytest.approx(1, rel=1e-15)


def test_time_shares_and_mean_in_steps(step_paths) -> None:
    assert steps().mean_bps == pytest.approx((2 * 2e6 + 3 * 10e6) / 6)
    assert all(abs(each) < 3.3 for each in scores(step_paths, steps()))


def test_time_shares_and_mean_at_any_time(jump_paths) -> None:
    law = JumpLaw(RATES, QUICK)
    assert all(abs(each) < 3.3 for each in scores(jump_paths, law))


@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_rates_of_leaving_five_percent_off_are_seen(step_paths, jump_paths, factor: float) -> None:
    away = 0.1 * factor
    wrong = steps(((1 - away, away, 0.0), *MATRIX[1:]))
    assert any(abs(each) > 3.3 for each in scores(step_paths, wrong))
    leaving = [0.25 * factor, 0.25 * factor]
    quick = JumpLaw(RATES, (*QUICK[:2], (*leaving, -sum(leaving))))
    assert any(abs(each) > 3.3 for each in scores(jump_paths, quick))


def visits(law: JumpLaw, state: int, chunks: int = 4000) -> np.ndarray:
    """Lengths of whole visits to a state, put together across chunks."""
    rate, lengths, now = JumpRate(law, 9, "up"), [], None
    for k in range(chunks):
        edges, values = rate.chunk(k)
        for (left, right), value in zip(pairwise(edges), values, strict=True):
            if value != now:
                lengths.append((value, 0.0))
                now = value
            lengths[-1] = (now, lengths[-1][1] + right - left)
    return np.array([length for value, length in lengths[1:-1] if value == law.rates_bps[state]])


def test_holding_times_are_exponential_across_chunks() -> None:
    """Mean and standard deviation agree with 1 / q; a chunk here holds few jumps, so that many are cut by its end."""
    found = visits(JumpLaw(RATES, QUICK), 2)
    error = 2.0 / math.sqrt(len(found))
    assert abs(found.mean() - 2.0) < 3.3 * error < 0.05 * 2.0
    assert found.std() == pytest.approx(2.0, rel=0.03)
    assert np.mean(found > 2.0) == pytest.approx(math.exp(-1), abs=0.01)


def test_where_it_jumps_follows_the_generator() -> None:
    law = JumpLaw(RATES, QUICK)
    assert [law.following(1, draw) for draw in (0.0, 0.249, 0.251, 0.999)] == [0, 0, 2, 2]
    assert [law.following(2, draw) for draw in (0.0, 0.499, 0.501, 0.999)] == [0, 0, 1, 1]


def test_a_fit_keeps_share_and_mean_exactly() -> None:
    rates = np.random.default_rng(2).lognormal(15, 0.8, 5000) * (np.random.default_rng(3).random(5000) > 0.1)
    law = fit_markov(rates, 1.0, 6)
    assert law.rates_bps[0] == 0 and len(law.rates_bps) == 6
    assert law.share[0] == pytest.approx(np.mean(rates == 0), rel=1e-9)
    assert law.share[1:] == pytest.approx([np.mean(rates > 0) / 5] * 5, rel=2e-3)
    assert law.mean_bps == pytest.approx(rates.mean(), rel=1e-9)


def test_a_fit_finds_the_chain_again() -> None:
    """Each probability within 3.3 binomial standard errors, and below 5 % of the large ones."""
    rate = StepRate(steps(), 4, "up")
    rates = np.concatenate([rate.chunk(k)[1] for k in range(2000)])
    law = fit_markov(rates, 0.1, 3)
    assert law.rates_bps == RATES
    for state, row in enumerate(MATRIX):
        visited = np.sum(rates == RATES[state])
        for found, expected in zip(law.chain.matrix[state], row, strict=True):
            assert abs(found - expected) <= 3.3 * math.sqrt(expected * (1 - expected) / visited)


def test_equal_rates_make_a_state_less() -> None:
    assert fit_markov([1e6] * 50 + [2e6] * 10, 1.0, 5).rates_bps == (1e6, 2e6)


@pytest.mark.parametrize(("rates", "states", "word"), [([1e6, 1e6], 3, "one value"), ([1e6, 2e6], 1, "at least 2")])
def test_rates_that_cannot_be_fitted(rates: list[float], states: int, word: str) -> None:
    with pytest.raises(InputError, match=word):
        fit_markov(rates, 1.0, states)


@pytest.mark.parametrize(
    ("matrix", "word"),
    [
        (((0.5, 0.5), (0.5, 0.4)), "sum is 1"),
        (((0.5, 0.5), (1.5, -0.5)), "probabilities"),
        (((1.0,), (0.5, 0.5)), "as many as rows"),
        (((0.5, math.nan), (0.5, 0.5)), "finite"),
        (((1.0, 0.0), (0.0, 1.0)), "never left"),
    ],
)
def test_bad_matrices(matrix: tuple[tuple[float, ...], ...], word: str) -> None:
    with pytest.raises(InputError, match=word):
        MarkovChain(matrix)


@pytest.mark.parametrize(
    "generator", [((-1.0, 2.0), (1.0, -1.0)), ((0.0, 0.0), (1.0, -1.0)), ((1.0, -1.0), (1.0, -1.0))]
)
def test_bad_generators(generator: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(InputError, match="rates of leaving"):
        JumpLaw((1e6, 2e6), generator)


def test_rates_must_fit_and_flow() -> None:
    with pytest.raises(InputError, match="3 rates for 2 states"):
        JumpLaw(RATES, ((-1.0, 1.0), (1.0, -1.0)))
    with pytest.raises(InputError, match="mean rate is 0"):
        StepLaw((0.0, 5e6), MarkovChain(((1.0, 0.0), (0.5, 0.5))), 0.1)
