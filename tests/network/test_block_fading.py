"""Fading gains at the ergodic capacities of the textbook channels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import exp1
from scipy.stats import ncx2

from edgesim.network.fading import BlockFading, coherence_s

DRAWS = 1_000_000
RAYLEIGH = {0: 0.8603, 10: 2.9065, 20: 5.8840}
AWGN = {0: 1.0, 10: 3.4594, 20: 6.6582}


def gains(k: float) -> np.ndarray:
    return BlockFading(k).gains(np.random.default_rng(5), DRAWS)


def score(found: np.ndarray, expected: float) -> float:
    """In standard errors."""
    return float((found.mean() - expected) / (found.std() / np.sqrt(len(found))))


@pytest.mark.parametrize("snr_db", RAYLEIGH)
def test_capacity_under_rayleigh_fading(snr_db: int) -> None:
    snr = 10 ** (snr_db / 10)
    closed = np.exp(1 / snr) * exp1(1 / snr) / np.log(2)
    assert closed == pytest.approx(RAYLEIGH[snr_db], abs=5e-5)
    assert abs(score(np.log2(1 + snr * gains(0.0)), closed)) < 3.3


@pytest.mark.parametrize("k", [0.0, 1.0, 8.0])
def test_gains_have_mean_one_and_the_spread_of_their_factor(k: float) -> None:
    found = gains(k)
    assert abs(score(found, 1.0)) < 3.3
    assert abs(score((found - 1) ** 2, (1 + 2 * k) / (1 + k) ** 2)) < 3.3
    assert abs(score(1.05 * found, 1.0)) > 3.3


@pytest.mark.parametrize("k", [1e-9, 1.0, 8.0])
def test_capacity_under_rician_fading(k: float) -> None:
    """Against the integral over the non-central chi-square law; next to no steady part is Rayleigh."""
    law = ncx2(2, 2 * k, scale=0.5 / (1 + k))
    expected = quad(lambda g: np.log2(1 + 10 * g) * law.pdf(g), 0, 40, limit=200)[0]
    found = np.log2(1 + 10 * gains(k))
    assert abs(score(found, expected)) < 3.3
    assert abs(score(np.log2(1 + 10 * 1.05 * gains(k)), expected)) > 3.3
    if k < 1e-6:
        assert expected == pytest.approx(RAYLEIGH[10], abs=5e-5)


@pytest.mark.parametrize("snr_db", AWGN)
def test_a_strong_steady_part_is_no_fading(snr_db: int) -> None:
    capacity = np.log2(1 + 10 ** (snr_db / 10) * gains(1e6)).mean()
    assert capacity == pytest.approx(AWGN[snr_db], abs=1e-4)


def test_coherence_time() -> None:
    """30 m/s at 3.5 GHz: a Doppler shift of 350.2 Hz."""
    assert coherence_s(30.0, 3.5) == pytest.approx(0.423 / 350.24, rel=1e-4)
