"""Fitting the AR(1) with outages: what a link generates has its parameters within the fit's intervals."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from test_ar1_moments import z_scores

from edgesim.errors import InputError
from edgesim.network.ar1 import CHUNK_STEPS, Ar1Moments, Ar1Rate, match
from edgesim.network.ar1_fit import Ar1Fit, ar1_path, estimate, fit_ar1
from edgesim.network.presets import PRESETS
from edgesim.network.trace_statistics import outages

LEVEL = 0.99
STEP_S = 0.5


def generated(moments: Ar1Moments, steps: int, step_s: float = STEP_S) -> np.ndarray:
    """What a link of a scenario generates."""
    rate = Ar1Rate(match(moments, step_s), 11, "link", "camera-0", "up")
    return np.concatenate([rate.chunk(k)[1] for k in range(steps // CHUNK_STEPS)])


@cache
def fitted(moments: Ar1Moments, steps: int) -> Ar1Fit:
    return fit_ar1(generated(moments, steps), STEP_S, np.random.default_rng(3), paths=80, level=LEVEL)


def outside(fit: Ar1Fit, moments: Ar1Moments) -> list[str]:
    """The parameters that are not within the intervals of a fit."""
    found = []
    for name, interval in fit.intervals.items():
        if interval is None:
            found += [name] if name == "outage_share" and moments.outage_share else []
        elif not interval.low <= getattr(moments, name) <= interval.high:
            found.append(name)
    return found


@pytest.mark.parametrize("name", PRESETS)
def test_a_fit_returns_the_parameters_of_a_preset_within_its_intervals(name: str) -> None:
    row = PRESETS[name].moments
    fit = fitted(row, 204_800 if name == "5g-car-verizon" else 12_800)  # that one is correlated over minutes
    assert outside(fit, row) == [], fit
    assert (fit.moments.outage_share > 0) == (row.outage_share > 0)


@pytest.mark.parametrize("name", ["lte-bus-62", "4g-tram", "4g-car"])
def test_a_long_record_is_certain_to_a_few_percent(name: str) -> None:
    row = PRESETS[name].moments
    fit = fitted(row, 102_400)
    assert outside(fit, row) == []
    for parameter in ("mean_bps", "cv", "correlation_1s"):
        interval = fit.intervals[parameter]
        assert interval is not None and interval.high < 1.1 * interval.low


@pytest.mark.parametrize("name", ["lte-bus-62", "4g-tram", "4g-car"])
@pytest.mark.parametrize("parameter", ["mean_bps", "cv"])
@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_a_generator_that_is_five_percent_wrong_is_seen(name: str, parameter: str, factor: float) -> None:
    row = PRESETS[name].moments
    wrong = replace(row, **{parameter: factor * getattr(row, parameter)})
    assert parameter in outside(fitted(wrong, 102_400), row)


def test_paths_made_at_once_have_the_moments_of_the_law() -> None:
    moments = Ar1Moments(10e6, 0.8, 0.6, outage_share=0.2, outage_mean_s=1.5)
    rng = np.random.default_rng(5)
    scores = z_scores(np.array([ar1_path(match(moments, 0.1), 3000, rng) for _ in range(200)]), moments, 0.1)
    assert all(abs(score) < 3.3 for score in scores.values()), scores


def test_what_falls_below_the_threshold_on_its_own_is_no_outage() -> None:
    """This one is below 0.1 Mb/s for 4 % of the time."""
    smooth = Ar1Moments(1.2e6, 1.5, 0.8)
    rates = ar1_path(match(smooth, 1.0), 400_000, np.random.default_rng(1))
    assert outages(rates).mean() > 0.035
    assert estimate(rates, 1.0).outage_share < 0.1 * outages(rates).mean()
    both = replace(smooth, outage_share=0.05, outage_mean_s=4.0)
    found = estimate(ar1_path(match(both, 1.0), 400_000, np.random.default_rng(1)), 1.0)
    assert found.outage_share == pytest.approx(0.05, rel=0.1) and found.outage_mean_s == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize("step_s", [0.25, 1.0, 1.25, 3.0])
def test_the_autocorrelation_is_carried_over_from_any_step(step_s: float) -> None:
    moments = Ar1Moments(10e6, 0.5, 0.9, outage_share=0.1, outage_mean_s=8.0)
    found = estimate(ar1_path(match(moments, step_s), 400_000, np.random.default_rng(2)), step_s)
    assert found.correlation_1s == pytest.approx(0.9, abs=0.01)


def test_moments_that_no_process_has_are_named_with_the_nearest() -> None:
    rng = np.random.default_rng(4)
    wild = 1e6 * np.tile([1.0, 5.0], 200) + rng.uniform(0, 1e5, 400)
    fit = fit_ar1(wild, 1.0, rng, paths=20)
    assert fit.adjusted["correlation_1s"] < -0.9 and 0 <= fit.moments.correlation_1s < 0.01
    assert fit.adjusted.keys() == {"correlation_1s"}


@pytest.mark.parametrize(
    ("rates", "words"), [(np.full(500, 3e6), "never changes"), (np.arange(1.0, 20.0) * 1e6, "19 steps of 1 s, allowed")]
)
def test_what_cannot_be_fitted_is_refused(rates: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        fit_ar1(rates, 1.0, np.random.default_rng(1))
