"""The log-normal AR(1) with outages that reproduces a recorded rate.

Mean, coefficient of variation and autocorrelation are those of the recorded rate itself, outages included, as
``ar1.match`` takes them.  The outages are fitted jointly with the rate between them: a log-normal rate falls below the
threshold c of an outage now and then on its own.  With z = (ln c - mu) / sigma, f = Phi(z) is its share of time below c
and g = P(y_i >= z, y_{i+1} < z) = 2 T(z, sqrt((1 - a) / (1 + a))) how often it falls below in a step (Owen's T, a the
autocorrelation of its logarithm at one step).  The share B of steps below c and the share w of steps that begin such a
stretch are then

    B = p + (1 - p) f           w = (1 - p) (q (1 - f) + (1 - q) g)

which is solved for the share of outages p and the probability q of beginning one, where mu, sigma and a depend on p and
q again: a fixed point, found by iteration.  An outage lasts L = step p / ((1 - p) q).

Intervals are a parametric bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 6 and 13):
paths of the fitted law as long as the record are fitted in turn, and the spread of these fits, mirrored at the
estimate, is the interval.  They hold if the law does: a record whose level drifts over minutes is less certain than
they say.  And a short record of a slow, strongly varying rate shows too little of its variation, which mirroring mends
in part only.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter
from scipy.special import ndtr, owens_t

from edgesim.errors import InputError
from edgesim.network.ar1 import Ar1Law, Ar1Moments, match
from edgesim.network.trace_statistics import correlation, outage_below_bps, outages

LEAST_BINS = 30
ITERATIONS = 30
MARGIN = 1e-3
"""How far the autocorrelation of the logarithm stays away from 0, and outages from the fewest steps."""
LEAST_TIMES = 10.0
"""Correlation times of the logarithm that a record must hold: of slower processes it says nothing."""


class Interval(NamedTuple):
    low: float
    high: float


@dataclass(frozen=True)
class Ar1Fit:
    """moments: the estimate.  intervals: of each of them by name; None without outages.

    adjusted: the measured moments that no such process has, with their measured values; the estimate is the nearest.
    """

    law: Ar1Law
    moments: Ar1Moments
    intervals: dict[str, Interval | None]
    adjusted: dict[str, float]


def fit_ar1(
    rates_bps: np.ndarray, step_s: float, rng: np.random.Generator, paths: int = 200, level: float = 0.95
) -> Ar1Fit:
    """Fit to the mean rates of steps of ``step_s``; intervals of this level from as many simulated paths.

    Raises InputError where the record has fewer than 30 steps, or a rate that never changes.
    """
    if len(rates_bps) < LEAST_BINS:
        raise InputError(
            f"found {len(rates_bps)} steps of {step_s:g} s, allowed: at least {LEAST_BINS} to fit anything"
        )
    if np.ptp(rates_bps) <= 1e-9 * rates_bps.max():
        raise InputError("the rate never changes: process constant describes it")
    measured = _measured(rates_bps, step_s)
    nearest = _nearest(measured, step_s, len(rates_bps))
    moments = Ar1Moments(*(float(f"{value:.4g}") for value in astuple(nearest)))
    law = match(moments, step_s)
    simulated = [estimate(_some_path(law, len(rates_bps), rng), step_s) for _ in range(paths)]
    intervals = _intervals(moments, simulated, level)
    given = [(name, getattr(measured, name), getattr(nearest, name)) for name in intervals]
    adjusted = {name: old for name, old, new in given if abs(old - new) > 0.01 * abs(old)}
    return Ar1Fit(law, moments, intervals, adjusted)


def estimate(rates_bps: np.ndarray, step_s: float) -> Ar1Moments:
    """The moments of the process that is nearest to these rates."""
    return _nearest(_measured(rates_bps, step_s), step_s, len(rates_bps))


def ar1_path(law: Ar1Law, steps: int, rng: np.random.Generator) -> np.ndarray:
    """The rates of a path of the law, at once: many of them are needed, and none is a link's."""
    shocks = rng.standard_normal(steps + 1)
    levels, _ = lfilter([math.sqrt(1 - law.a**2)], [1.0, -law.a], shocks[1:], zi=[law.a * shocks[0]])
    rates_bps = np.exp(law.mu + law.sigma * levels)
    if law.outage_share:
        rates_bps[_outage_path(law, steps, rng)] = 0.0
    return rates_bps


def _some_path(law: Ar1Law, steps: int, rng: np.random.Generator) -> np.ndarray:
    """A path that is not all outage, as a record that is would not be fitted."""
    while not (path := ar1_path(law, steps, rng)).any():
        pass
    return path


def _outage_path(law: Ar1Law, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Whether each step is an outage: runs of geometric lengths by turns."""
    out = bool(rng.random() < law.outage_share)
    count = 16 + int(2 * steps * law.outage_share * law.p_end)
    pieces, length = [], 0
    while length < steps:
        leaving = [law.p_end, law.p_begin] if out else [law.p_begin, law.p_end]
        lengths = rng.geometric(np.tile(leaving, count))
        pieces.append(np.repeat(np.tile([out, not out], count), lengths))
        length += len(pieces[-1])
    return np.concatenate(pieces)[:steps]


def _measured(rates_bps: np.ndarray, step_s: float) -> Ar1Moments:
    """Moments of the record, its outages apart from what the rate between them explains."""
    mean_bps = float(rates_bps.mean())
    cv = float(rates_bps.std()) / mean_bps
    lag = max(round(1 / step_s), 1)
    plain = Ar1Moments(mean_bps, cv, correlation(rates_bps, lag))
    out = outages(rates_bps)
    begun = float((out[1:] & ~out[:-1]).mean())
    share = float(out.mean())
    below_bps = outage_below_bps(rates_bps)
    tail, falling = 0.0, 0.0
    for _ in range(ITERATIONS):
        found = _with_outages(plain, step_s, share, begun, tail, falling)
        law = match(_nearest(_at_1s(found, step_s, lag), step_s, len(rates_bps)), step_s)
        if law.sigma == 0:
            break
        z = (math.log(below_bps) - law.mu) / law.sigma
        before = tail, falling
        tail, falling = float(ndtr(z)), 2 * float(owens_t(z, math.sqrt((1 - law.a) / (1 + law.a))))
        if max(abs(tail - before[0]), abs(falling - before[1])) < 1e-12:
            break
    return _at_1s(found, step_s, lag)


def _with_outages(
    plain: Ar1Moments, step_s: float, below: float, begun: float, tail: float, falling: float
) -> Ar1Moments:
    """The outages that are left when the tail of the rate between them is taken away."""
    share = max((below - tail) / (1 - tail), 0.0)
    begin = (begun / (1 - share) - falling) / (1 - tail - falling)
    if share == 0 or begin <= 0:
        return replace(plain, outage_share=0.0)
    return replace(plain, outage_share=share, outage_mean_s=step_s * share / ((1 - share) * begin))


def _at_1s(moments: Ar1Moments, step_s: float, lag: int) -> Ar1Moments:
    """The same with its autocorrelation, measured at ``lag`` steps, carried over to 1 s along the law."""
    time_s = lag * step_s
    if abs(time_s - 1) < 1e-9:
        return moments
    p, cv2 = moments.outage_share, moments.cv**2
    sigma2 = math.log(max((1 - p) * (1 + cv2), 1 + MARGIN))
    odds = p / (1 - p)
    beta = max(1 - step_s / ((1 - p) * moments.outage_mean_s), 0.0) ** (1 / step_s) if p else 0.0
    wanted = math.log(max(1 + moments.correlation_1s * cv2, MARGIN) / (1 + beta**time_s * odds)) / sigma2
    a = min(max(wanted, MARGIN), 1 - MARGIN) ** (1 / time_s)
    return replace(moments, correlation_1s=(math.exp(sigma2 * a) * (1 + beta * odds) - 1) / cv2)


def _nearest(moments: Ar1Moments, step_s: float, steps: int) -> Ar1Moments:
    """The same where there is such a process and a record of ``steps`` can show it; else the CV, the autocorrelation
    and the length of outages that are nearest."""
    p = moments.outage_share
    least_s = step_s / (1 - p) * (1 + MARGIN)
    mean_s = max(moments.outage_mean_s, least_s) if p else 1.0
    odds = p / (1 - p)
    cv2 = max(moments.cv**2, odds * (1 + MARGIN) + MARGIN * MARGIN)
    sigma2 = math.log((1 - p) * (1 + cv2))
    beta = (1 - step_s / ((1 - p) * mean_s)) ** (1 / step_s) if p else 0.0
    most_a = math.exp(-LEAST_TIMES / (steps * step_s))
    least, most = (((1 + beta * odds) * math.exp(sigma2 * a) - 1) / cv2 for a in (MARGIN, most_a))
    correlation_1s = min(max(moments.correlation_1s, least), most)
    return Ar1Moments(moments.mean_bps, math.sqrt(cv2), correlation_1s, p, mean_s)


def _intervals(moments: Ar1Moments, fits: list[Ar1Moments], level: float) -> dict[str, Interval | None]:
    """By name; where a fit has no outages, their length is not among the simulated ones."""
    found: dict[str, Interval | None] = {
        "mean_bps": _interval(moments.mean_bps, [fit.mean_bps for fit in fits], level, np.log, np.exp),
        "cv": _interval(moments.cv, [fit.cv for fit in fits], level, np.log, np.exp),
        "correlation_1s": _interval(
            moments.correlation_1s, [fit.correlation_1s for fit in fits], level, np.arctanh, np.tanh
        ),
        "outage_share": None,
        "outage_mean_s": None,
    }
    lengths_s = [fit.outage_mean_s for fit in fits if fit.outage_share]
    if moments.outage_share:
        shares = [fit.outage_share for fit in fits]
        found["outage_share"] = _interval(moments.outage_share, shares, level, _to_angle, _from_angle)
    if moments.outage_share and len(lengths_s) > len(fits) / 2:
        found["outage_mean_s"] = _interval(moments.outage_mean_s, lengths_s, level, np.log, np.exp)
    return found


def _interval(value: float, simulated: list[float], level: float, to, back) -> Interval:  # type: ignore[no-untyped-def]
    """Quantiles of the simulated estimates, mirrored at the estimate, on a scale on which their spread is even."""
    low, high = np.quantile(to(np.array(simulated)), ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(back(2 * to(value) - high)), float(back(2 * to(value) - low)))


def _to_angle(share: np.ndarray) -> np.ndarray:
    return np.arcsin(np.sqrt(share))


def _from_angle(angle: np.ndarray) -> np.ndarray:
    return np.sin(np.clip(angle, 0, math.pi / 2)) ** 2
