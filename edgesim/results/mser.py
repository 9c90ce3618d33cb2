"""How much of a run looks like warm-up: MSER-5, for stationary series only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

BATCH = 5


class Truncation(NamedTuple):
    """observations: how many at the start look like warm-up.  too_short: none of the places searched is the least, as
    the statistic still falls where the search ends, so that a longer run is needed to tell."""

    observations: int
    too_short: bool


def mser5(values: np.ndarray) -> Truncation:
    """Where the rest of a series estimates its own mean best.

    The series is averaged in batches of 5; of the batch means z the first d are cut, with d the first minimum of the
    marginal standard error sum over i > d of (z_i - mean_d)^2 / (n - d)^2, mean_d that of what is kept.  d is searched
    in the first half only.  Sources: White 1997, "An effective truncation heuristic for bias reduction in simulation
    output", Simulation 69(6); batches of 5: Spratt 1998 (thesis, University of Virginia).

    A trend, a season or a trace make it cut what is no warm-up: it is for stationary series.
    """
    batches = len(values) // BATCH
    if batches < 2:
        return Truncation(0, True)
    means = values[: BATCH * batches].reshape(batches, BATCH).mean(1)
    means = means - means.mean()  # so that squares lose no digits
    limit = batches // 2
    kept = batches - np.arange(limit + 1)
    total = np.cumsum(means[::-1])[::-1][: limit + 1]
    squares = np.cumsum(means[::-1] ** 2)[::-1][: limit + 1]
    cut = int(np.argmin((squares - total**2 / kept) / kept**2))
    return Truncation(BATCH * cut, cut == limit)
