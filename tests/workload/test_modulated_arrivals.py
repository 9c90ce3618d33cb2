"""Bursts and daily courses: counts against their formulas, and 5 % wrong is seen."""

from __future__ import annotations

from itertools import islice, takewhile
from math import exp, pi, sin
from typing import Any

import numpy as np
import pytest

from edgesim.scenario.arrivals import DiurnalArrivals, MmppArrivals
from edgesim.workload.arrivals import arrival_times

MMPP = {"burst_hz": 30.0, "quiet_hz": 2.0, "burst_mean_s": 0.5, "quiet_mean_s": 1.5}
BIN_S, BINS, DEVICES = 2.0, 1000, 60


def mmpp(**changes: float) -> MmppArrivals:
    return MmppArrivals(process="mmpp", **{**MMPP, **changes})


def diurnal(**keys: Any) -> DiurnalArrivals:
    return DiurnalArrivals.model_validate({"process": "diurnal", "rate_hz": 5.0, "period_s": 60.0, **keys})


def times(spec: Any, until_s: float, device: str = "cam-0", root: int = 1) -> np.ndarray:
    return np.array(list(takewhile(lambda time_s: time_s < until_s, arrival_times(spec, root, device))))


def counts(spec: Any, bin_s: float, bins: int, devices: int) -> np.ndarray:
    """(devices, bins)."""
    edges = np.arange(bins + 1) * bin_s
    return np.array([np.histogram(times(spec, bins * bin_s, f"cam-{n}"), edges)[0] for n in range(devices)])


@pytest.fixture(scope="module")
def burst_counts() -> np.ndarray:
    return counts(mmpp(), BIN_S, BINS, DEVICES)


def mmpp_z(found: np.ndarray, spec: MmppArrivals) -> tuple[float, float]:
    """Standard errors by which the mean and the second moment of counts are away from their formulas."""
    share = spec.burst_mean_s / (spec.burst_mean_s + spec.quiet_mean_s)
    r = 1 / spec.burst_mean_s + 1 / spec.quiet_mean_s
    mean = BIN_S * (share * spec.burst_hz + (1 - share) * spec.quiet_hz)
    difference = (spec.burst_hz - spec.quiet_hz) ** 2
    variance = mean + 2 * share * (1 - share) * difference * (BIN_S / r - (1 - exp(-r * BIN_S)) / r**2)
    z = []
    for values, expected in ((found, mean), (found.astype(float) ** 2, variance + mean**2)):
        of_devices = values.mean(axis=1)
        z.append((of_devices.mean() - expected) / (of_devices.std(ddof=1) / np.sqrt(len(of_devices))))
    return z[0], z[1]


def test_bursts_have_the_mean_and_the_index_of_dispersion_of_their_formulas(burst_counts: np.ndarray) -> None:
    assert all(abs(z) < 3.3 for z in mmpp_z(burst_counts, mmpp()))
    assert burst_counts.var() / burst_counts.mean() > 5, "far from Poisson, which has 1"


@pytest.mark.parametrize("name", MMPP)
@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_bursts_five_percent_off_are_seen(burst_counts: np.ndarray, name: str, factor: float) -> None:
    if name == "quiet_hz":
        factor = 1 + 4 * (factor - 1)  # a sixth of the requests are its own
    assert any(abs(z) > 3.3 for z in mmpp_z(burst_counts, mmpp(**{name: factor * MMPP[name]})))


def test_bursts_start_in_their_stationary_state() -> None:
    """Otherwise the first moments of a run would differ from the others."""
    spec = mmpp(quiet_hz=0.0)
    early = np.array([len(times(spec, 0.05, f"cam-{n}")) for n in range(4000)])
    expected = 0.05 * 30 * 0.25
    assert abs(early.mean() - expected) < 3.3 * early.std() / np.sqrt(len(early))
    assert abs(early.mean() - 4 * expected) > 10 * early.std() / np.sqrt(len(early))


def test_nothing_comes_between_bursts_of_quiet_zero() -> None:
    gaps = np.diff(np.array(list(islice(arrival_times(mmpp(quiet_hz=0.0), 1, "cam-0"), 20_000))))
    assert (gaps > 0).all() and (gaps > 0.5).mean() == pytest.approx(exp(-0.5 / 1.5) / 15.0, rel=0.1)


def diurnal_z(found: np.ndarray, expected: np.ndarray) -> float:
    """Pearson's chi-square of counts summed over devices against the integral, as a normal score."""
    total = found.sum(axis=0)
    chi2 = ((total - expected) ** 2 / expected).sum()
    return (chi2 - len(total)) / np.sqrt(2 * len(total))


def sinusoid(rate_hz: float, amplitude: float, peak_s: float, edges_s: np.ndarray) -> np.ndarray:
    """The integral of the rate over each bin."""
    turn = 2 * pi / 60.0
    integral = rate_hz * (edges_s + amplitude / turn * np.array([sin(turn * (t - peak_s)) for t in edges_s]))
    return np.diff(integral)


EDGES = np.arange(61) * 5.0
COPIES = 200


@pytest.fixture(scope="module")
def day_counts() -> np.ndarray:
    return counts(diurnal(amplitude=0.8, peak_s=20.0), 5.0, 60, COPIES)


def test_counts_follow_the_integral_of_a_sinusoid(day_counts: np.ndarray) -> None:
    assert abs(diurnal_z(day_counts, COPIES * sinusoid(5.0, 0.8, 20.0, EDGES))) < 3.3


@pytest.mark.parametrize(
    "wrong", [(5.25, 0.8, 20.0), (4.75, 0.8, 20.0), (5.0, 0.84, 20.0), (5.0, 0.76, 20.0), (5.0, 0.8, 21.0)]
)
def test_a_course_five_percent_off_is_seen(day_counts: np.ndarray, wrong: tuple[float, float, float]) -> None:
    assert diurnal_z(day_counts, COPIES * sinusoid(*wrong, EDGES)) > 3.3


def test_the_middle_of_the_period_is_the_peak_unless_said() -> None:
    assert (times(diurnal(amplitude=1.0), 600) == times(diurnal(amplitude=1.0, peak_s=30.0), 600)).all()


def test_a_table_is_scaled_to_its_mean_rate_and_repeats() -> None:
    found = counts(diurnal(factors=[0, 6, 2, 4]), 15.0, 8, COPIES)
    expected = np.tile(15.0 * 5.0 * np.array([0, 2, 2 / 3, 4 / 3]), 2)
    assert (found[:, ::4] == 0).all()
    assert abs(diurnal_z(found[:, expected > 0], COPIES * expected[expected > 0])) < 3.3
    assert diurnal_z(found[:, expected > 0], COPIES * 1.05 * expected[expected > 0]) > 3.3


def test_a_run_may_begin_within_the_period() -> None:
    later = counts(diurnal(factors=[0, 6, 2, 4], start_s=15.0), 15.0, 4, 30)
    assert (later[:, 3] == 0).all() and (later[:, 0] > 0).all()


@pytest.mark.parametrize("spec", [mmpp(), diurnal(amplitude=0.5), diurnal(factors=[1, 2])])
def test_arrivals_belong_to_seed_and_device(spec: Any) -> None:
    assert (times(spec, 60) == times(spec, 60)).all()
    assert not set(times(spec, 60)) & set(times(spec, 60, "cam-1"))
    assert not set(times(spec, 60)) & set(times(spec, 60, root=2))
