"""The same realised mean, more or less variability: what each knob does, and what it leaves."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from edgesim.errors import InputError
from edgesim.network.ar1 import Ar1Moments, Ar1Rate, match
from edgesim.network.constant import ConstantRate
from edgesim.network.markov import JumpLaw, JumpRate
from edgesim.network.rate import RateProcess, pieces
from edgesim.network.realised import realised
from edgesim.network.steps import steps_table
from edgesim.network.tabled import TabledRate
from edgesim.network.warp import Warp, warped

HORIZON_S = 120.0
OUTAGES = Ar1Moments(5e6, 0.9, 0.7, outage_share=0.1, outage_mean_s=2.0)
STEPS = TabledRate(steps_table([[0, 5], [7, 0], [9, 20], [12, 0.1], [30, 1]]), "loop", offset_s=3.3)


def link() -> Ar1Rate:
    return Ar1Rate(match(OUTAGES, 0.1), 7, "camera-0")


def moments(rate: RateProcess, horizon_s: float = HORIZON_S) -> tuple[float, float, float]:
    """Mean, CV and share of outage from the whole path, in arithmetic of its own."""
    edges, rates = pieces(rate, 0.0, horizon_s)
    weights, values = np.diff(edges) / horizon_s, np.array(rates)
    mean = weights @ values
    return mean, math.sqrt(weights @ (values - mean) ** 2) / mean, weights @ (values == 0)


@pytest.mark.parametrize("rate", [link(), STEPS], ids=["ar1", "steps"])
@pytest.mark.parametrize(
    "warp",
    [
        Warp(cv_factor=1.5),
        Warp(cv_factor=0.8),
        Warp(cv=1.1),
        Warp(correlation_factor=3.0),
        Warp(correlation_factor=0.2),
        Warp(outage_share=0.3, outage_mean_s=1.5),
        Warp(outage_share=0.0),
        Warp(cv=1.2, correlation_factor=2.0, outage_share=0.2, outage_mean_s=1.0),
    ],
    ids=str,
)
def test_the_realised_mean_stays_and_the_cv_is_the_wanted_one(rate: RateProcess, warp: Warp) -> None:
    mean, cv, _ = moments(rate)
    found_mean, found_cv, _ = moments(warped(rate, warp, HORIZON_S, 3, "camera-0"))
    assert found_mean == pytest.approx(mean, rel=1e-8)
    wanted = warp.cv if warp.cv_factor is None else warp.cv_factor * cv
    if wanted is not None:
        assert found_cv == pytest.approx(wanted, rel=1e-6)


def test_the_survey_agrees_with_the_whole_path() -> None:
    found, (mean, cv, out) = realised(link(), 10_000.0), moments(link(), 10_000.0)
    assert (found.mean_bps, found.cv()) == pytest.approx((mean, cv), rel=1e-8)
    assert found.zero_s / 10_000 == pytest.approx(out, rel=1e-9)
    assert found.median_bps == pytest.approx(np.median(pieces(link(), 0.0, 10_000.0)[1]), rel=1e-3)


def test_spread_keeps_order_and_outages() -> None:
    plain, spread = link(), warped(link(), Warp(cv_factor=1.6), HORIZON_S, 3, "camera-0")
    before, after = (np.array(pieces(rate, 0.0, HORIZON_S)[1]) for rate in (plain, spread))
    assert np.array_equal(before == 0, after == 0)
    assert np.array_equal(np.argsort(before, kind="stable"), np.argsort(after, kind="stable"))


def test_no_spread_is_a_constant_rate_between_outages() -> None:
    rates = np.array(pieces(warped(link(), Warp(cv=0.0), HORIZON_S, 3, "camera-0"), 0.0, HORIZON_S)[1])
    assert np.ptp(rates[rates > 0]) == pytest.approx(0, abs=1e-3)
    assert moments(link())[2] == pytest.approx(np.mean(rates == 0), rel=1e-6) and np.mean(rates == 0) > 0


def test_a_longer_correlation_is_the_same_path_more_slowly() -> None:
    slow = warped(link(), Warp(correlation_factor=4.0), HORIZON_S, 3, "camera-0")
    scale = slow.rate(0.0) / link().rate(0.0)
    for time_s in (0.0, 3.0, 17.1, 110.0):
        assert slow.rate(time_s) == pytest.approx(scale * link().rate(time_s / 4), rel=1e-12)


def outage_lengths(rate: RateProcess, horizon_s: float) -> list[float]:
    edges, rates = pieces(rate, 0.0, horizon_s)
    lengths, before = [], 1.0
    for (left, right), value in zip(pairwise(edges), rates, strict=True):
        if value == 0 and before != 0:
            lengths.append(0.0)
        if value == 0:
            lengths[-1] += right - left
        before = value
    return lengths


@pytest.fixture(scope="module")
def cut_paths() -> tuple[list[float], list[float]]:
    """(share of outage of each path, lengths of outages)"""
    warp, shares, lengths = Warp(outage_share=0.25, outage_mean_s=1.5), [], []
    for number in range(40):
        path = warped(ConstantRate(5e6), warp, 2500.0, 3, f"camera-{number}")
        shares.append(moments(path, 2500.0)[2])
        lengths += outage_lengths(path, 2500.0)[1:-1]
    return shares, lengths


def z_scores(cut_paths: tuple[list[float], list[float]], share: float, mean_s: float) -> list[float]:
    shares, lengths = map(np.array, cut_paths)
    return [
        (found.mean() - wanted) / (found.std(ddof=1) / math.sqrt(len(found)))
        for found, wanted in ((shares, share), (lengths, mean_s))
    ]


def test_outages_have_the_share_and_length_that_are_asked_for(cut_paths) -> None:
    assert all(abs(score) < 3.3 for score in z_scores(cut_paths, 0.25, 1.5))


@pytest.mark.parametrize(("share", "mean_s"), [(0.2625, 1.5), (0.2375, 1.5), (0.25, 1.575), (0.25, 1.425)])
def test_outages_five_percent_off_are_seen(cut_paths, share: float, mean_s: float) -> None:
    assert any(abs(score) > 3.3 for score in z_scores(cut_paths, share, mean_s))


def test_outages_below_two_percent_of_the_median_are_filled() -> None:
    rate = TabledRate(steps_table([[0, 5], [10, 0.1], [12, 0], [13, 7], [20, 5]]), "loop")
    whole = warped(rate, Warp(outage_share=0.0), 30.0, 3, "up")
    assert whole.rate(11.0) == whole.rate(12.5) > whole.rate(5.0)
    assert whole.rate(5.0) == pytest.approx(5e6 * rate.integral(0, 30) / (30 * (5e6 * 20 + 7e6 * 7) / 27))


def test_mean_transfer_time_rises_with_variability_at_the_same_mean() -> None:
    def mean_s(rate: RateProcess) -> float:
        starts = np.arange(0, 110, 0.05).tolist()
        return float(np.mean([rate.finish(start, 2e4) - start for start in starts]))

    smooth = Ar1Rate(match(Ar1Moments(5e6, 0.3, 0.7), 0.1), 7, "up")
    times = [mean_s(warped(smooth, Warp(cv=cv), HORIZON_S, 3, "up")) for cv in (0.0, 0.3, 0.6)]
    assert times[0] == pytest.approx(2e4 / (smooth.integral(0, HORIZON_S) / HORIZON_S), rel=1e-6)
    assert times[0] * 1.05 < times[1] < times[2] / 1.05


def test_any_order_gives_the_same_values_and_keys_are_apart() -> None:
    warp = Warp(cv=1.3, outage_share=0.2, outage_mean_s=1.0)
    first, second = (warped(link(), warp, HORIZON_S, 3, "camera-0") for _ in range(2))
    assert [first.chunk(k) for k in range(9)] == [second.chunk(k) for k in reversed(range(9))][::-1]
    assert warped(link(), warp, HORIZON_S, 3, "camera-1").chunk(2) != first.chunk(2)


def test_a_path_that_is_dead_over_the_run_stays_so() -> None:
    late = TabledRate(steps_table([[0, 0], [50, 5]]), "hold")
    assert warped(late, Warp(cv=0.5), 20.0, 3, "up").integral(0, 20) == 0
    dark = JumpRate(JumpLaw((0.0, 5e6), ((-1e-9, 1e-9), (1.0, -1.0))), 3, "up")
    assert warped(dark, Warp(cv_factor=2), 20.0, 3, "up").integral(0, 20) == 0


def test_a_cv_that_the_rates_do_not_allow_is_refused() -> None:
    with pytest.raises(InputError, match="1 different rates, which allow at most 0"):
        warped(ConstantRate(5e6), Warp(cv=0.3), 60.0, 3, "up")
    two = TabledRate(steps_table([[0, 1], [9, 10], [10, 1]]), "loop")
    with pytest.raises(InputError, match="2 different rates"):
        warped(two, Warp(cv=4.0), 100.0, 3, "up")
