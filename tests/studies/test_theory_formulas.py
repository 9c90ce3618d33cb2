"""The formulas that the simulator is compared with, against other ways to find the same."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from edgesim.studies import theory
from edgesim.studies.theory import RateInSteps, transfer_ends, wait_in_mg1_s, wait_in_mmk_s


def test_examples() -> None:
    found = doctest.testmod(theory)
    assert found.attempted >= 3 and not found.failed


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_erlang_c_against_the_birth_and_death_chain(workers: int) -> None:
    rate_hz, mean_s = 0.85 * workers / 0.02, 0.02
    weights = [1.0]
    for n in range(1, 600):
        weights.append(weights[-1] * rate_hz * mean_s / min(n, workers))
    waiting = sum(weight * max(0, n - workers) for n, weight in enumerate(weights)) / sum(weights)
    assert wait_in_mmk_s(rate_hz, mean_s, workers) == pytest.approx(waiting / rate_hz, rel=1e-9)


def test_pollaczek_khinchine_against_lindley() -> None:
    """A long run of Lindley's recursion, with uniform services."""
    rng = np.random.default_rng(1)
    gaps, services = rng.exponential(1 / 70, 400_000), rng.uniform(0, 0.02, 400_000)
    walk = np.concatenate([[0.0], np.cumsum(services[:-1] - gaps[1:])])
    waits = walk - np.minimum.accumulate(walk)
    assert wait_in_mg1_s(70, 0.01, 3**-0.5) == pytest.approx(waits.mean(), rel=0.03)
    assert wait_in_mg1_s(70 * 1.05, 0.01, 3**-0.5) != pytest.approx(waits.mean(), rel=0.03)


def test_when_is_the_inverse_of_bits() -> None:
    rate = RateInSteps([(0.0, 8e6), (0.5, 0.0), (0.8, 2e6)], 1.5)
    assert rate.bits(0.5) == rate.bits(0.7) == 4e6 and rate.bits(1.5) == 5.4e6
    assert rate.when(4e6) == 0.5
    assert rate.when(4e6 + 2) == pytest.approx(0.800_001, abs=1e-12)
    assert rate.when(5.4e6) == 1.5 and rate.when(5.4e6 + 8) == pytest.approx(1.500_001, abs=1e-12)
    for time_s in (0.1, 0.9, 1.7, 10.3):
        assert rate.when(rate.bits(time_s)) == pytest.approx(time_s, rel=1e-12)


def test_transfers_wait_for_each_other() -> None:
    rate = RateInSteps([(0.0, 1e6)], 1.0)
    assert list(transfer_ends(rate, [0.0, 0.1, 5.25], 250_000)) == pytest.approx([0.25, 0.5, 5.5])
