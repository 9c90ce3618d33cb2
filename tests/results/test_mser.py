"""MSER-5 on AR(1) with a transient that adds 0.39 to the mean of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from edgesim.results.mser import Truncation, mser5

MEAN, CORRELATION, EXCESS, FADES, LENGTH = 5.0, 0.5, 20.0, 50.0, 2600
RUNS = 300


def series(random: np.random.Generator, excess: float = EXCESS, length: int = LENGTH) -> np.ndarray:
    noise = lfilter([1.0], [1.0, -CORRELATION], random.normal(size=length))
    return MEAN + noise + excess * np.exp(-np.arange(length) / FADES)


def test_it_takes_the_transient_away() -> None:
    """5.390 as it is, 5.014 of what MSER-5 keeps; it cuts 152 observations (the median)."""
    random = np.random.default_rng(1)
    raw, kept, cut = [], [], []
    for _ in range(RUNS):
        values = series(random)
        found = mser5(values)
        raw.append(values.mean())
        kept.append(values[found.observations :].mean())
        cut.append(found.observations)
        assert not found.too_short
    error = np.std(kept, ddof=1) / np.sqrt(RUNS)
    assert np.mean(raw) == pytest.approx(5.390, abs=3.3 * error)
    assert np.mean(kept) == pytest.approx(5.014, abs=3.3 * error)
    assert np.median(cut) == pytest.approx(152, abs=15)


def test_it_is_the_least_marginal_standard_error() -> None:
    values = series(np.random.default_rng(2), length=503)
    means = values[:500].reshape(100, 5).mean(1)
    errors = [np.sum((means[cut:] - means[cut:].mean()) ** 2) / (100 - cut) ** 2 for cut in range(51)]
    assert mser5(values) == Truncation(5 * int(np.argmin(errors)), False)


def test_a_large_mean_changes_nothing() -> None:
    values = series(np.random.default_rng(3))
    assert mser5(values + 1e9).observations == mser5(values).observations


def test_without_a_transient_it_cuts_little() -> None:
    random = np.random.default_rng(4)
    assert np.median([mser5(series(random, excess=0.0)).observations for _ in range(RUNS)]) < 0.05 * LENGTH


def test_a_run_that_is_still_warming_up_is_too_short() -> None:
    random = np.random.default_rng(5)
    assert mser5(np.linspace(5.0, 0.0, 400) + random.normal(0, 0.1, 400)).too_short
    assert mser5(np.arange(9.0)) == Truncation(0, True)
