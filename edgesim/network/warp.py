"""Variability as a knob: the same path at the same realised mean, made more or less variable.

A path R is changed in this order, each step where it is asked for:

1. time: R(t / f), so that what took 1 s takes f s, and the autocorrelation at f t becomes the one at t;
2. outages: times at or below 2 % of the path's median are filled with the mean of the others, and the path is cut to
   zero by a two-state chain in continuous time of its own, with the share and the mean length that are asked for;
3. spread: R -> R^g, which keeps the order of rates, and zero at zero, with the exponent g for which the path has the
   coefficient of variation that is asked for, outages included (g >= 0, found numerically: it rises with g);
4. mean: times a constant, so that the path carries the same bits over the run as before.

"The path" is that of one entity over the run's arrivals, [0, horizon]: mean and coefficient of variation are those that
it really takes there, not those of its law, so that a comparison of two warps is not blurred by the luck of the draw.
One walk along the chunks finds them before the run (more for outages), without keeping the path.  Afterwards, while
a run drains, the path goes on with the same g and constant.  Mean transfer time is not kept: at the same mean rate it
still rises with variability, as 1 / R is convex (Jensen).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import brentq

from edgesim.errors import InputError
from edgesim.network.derived import MappedRate, ProductRate, ScaledRate, SlowedRate
from edgesim.network.markov import JumpLaw, JumpRate
from edgesim.network.rate import RateProcess
from edgesim.network.realised import Realised, realised

OUTAGE = 0.02  # of the median: a rate at or below it counts as none
STEEPEST = 64.0


@dataclass(frozen=True)
class Warp:
    """What is asked for; None leaves it as it is.

    cv_factor multiplies the path's own coefficient of variation, cv replaces it; outages of ``outage_mean_s`` on
    average take ``outage_share`` of the time.
    """

    cv: float | None = None
    cv_factor: float | None = None
    correlation_factor: float = 1.0
    outage_share: float | None = None
    outage_mean_s: float = 1.0


def warped(rate: RateProcess, warp: Warp, horizon_s: float, root: int, *key: str | int) -> RateProcess:
    """The path ``rate`` as changed by ``warp``, with the same mean over [0, horizon_s] to 1e-8.

    (root seed, key) is all that its outages depend on.  A path that has no rate over the whole horizon, before or after
    step 2, is left at that.  A coefficient of variation below what the outages alone bring becomes that (g = 0).
    Raises InputError where the path has too few rates for one so high.
    """
    plain = realised(rate, horizon_s)
    if not len(plain.rates_bps):
        return rate
    shaped = rate if warp.correlation_factor == 1 else SlowedRate(rate, warp.correlation_factor)
    if warp.outage_share is not None:
        shaped = _with_outages(shaped, warp.outage_share, warp.outage_mean_s, horizon_s, root, *key)
    found = plain if shaped is rate else realised(shaped, horizon_s)
    if not len(found.rates_bps):
        return shaped
    wanted = warp.cv if warp.cv_factor is None else warp.cv_factor * plain.cv()
    if wanted is None:
        return ScaledRate(shaped, plain.mean_bps / found.mean_bps)
    exponent = _exponent(found, wanted)
    scale_bps = plain.mean_bps / found.power_mean(exponent)
    return MappedRate(shaped, partial(_power, exponent=exponent, top_bps=found.rates_bps[-1], scale_bps=scale_bps))


def _with_outages(
    rate: RateProcess, share: float, mean_s: float, horizon_s: float, root: int, *key: str | int
) -> RateProcess:
    found = realised(rate, horizon_s)
    lowest_bps = OUTAGE * found.median_bps
    above = found.rates_bps > lowest_bps
    fill_bps = float(np.average(found.rates_bps[above], weights=found.seconds[above])) if above.any() else 0.0
    filled = MappedRate(rate, lambda rates_bps: np.where(rates_bps > lowest_bps, rates_bps, fill_bps))
    if share == 0:
        return filled
    begin_hz, end_hz = share / ((1 - share) * mean_s), 1 / mean_s
    law = JumpLaw((1.0, 0.0), ((-begin_hz, begin_hz), (end_hz, -end_hz)))
    return ProductRate(filled, JumpRate(law, root, "warp outages", *key))


def _exponent(found: Realised, wanted_cv: float) -> float:
    if wanted_cv <= found.cv(0.0):
        return 0.0
    highest = found.cv(STEEPEST)
    if wanted_cv >= highest:
        raise InputError(
            f"warp: a coefficient of variation of {wanted_cv:.3g} cannot be had: over the run this path takes "
            f"{len(found.rates_bps)} different rates, which allow at most {highest:.3g}"
        )
    return float(brentq(lambda exponent: found.cv(exponent) - wanted_cv, 0.0, STEEPEST, xtol=1e-13))


def _power(rates_bps: np.ndarray, exponent: float, top_bps: float, scale_bps: float) -> np.ndarray:
    return np.where(rates_bps > 0, scale_bps * (rates_bps / top_bps) ** exponent, 0.0)
