"""A daily rhythm, or one of any other period."""

from __future__ import annotations

import math
from functools import lru_cache

from edgesim.network.rate import Stretch
from edgesim.network.tabled import TabledRate

STEPS = 288  # a period, 5 min of a day


def seasonal_factor(period_s: float, amplitude: float, peak_s: float) -> TabledRate:
    """1 + amplitude cos(2 pi (t - peak) / period), for 0 <= amplitude <= 1, as a factor for rates.

    Piecewise constant: 288 steps a period, each at the mean of the cosine over it, so that the mean over a period
    is 1.
    """
    return TabledRate(_table(period_s, amplitude, peak_s), "loop")


@lru_cache(maxsize=32)
def _table(period_s: float, amplitude: float, peak_s: float) -> Stretch:
    edges_s = [period_s * step / STEPS for step in range(STEPS + 1)]
    sines = [math.sin(2 * math.pi * (step / STEPS - peak_s / period_s)) for step in range(STEPS + 1)]
    rises = [after - before for before, after in zip(sines, sines[1:], strict=False)]
    return Stretch(edges_s, [1 + amplitude * rise * STEPS / (2 * math.pi) for rise in rises])
