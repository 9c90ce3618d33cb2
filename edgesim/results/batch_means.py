"""Intervals from one long run that is cut into batches: what is left where there are no replications."""

from __future__ import annotations

import numpy as np

from edgesim.results.statistics import Interval, t_interval

BATCHES = 20
"""Batches of the interval; 20 to 30 serve (Law, Simulation Modeling and Analysis, section 9.5.3)."""
FINE_BATCHES = 200
"""Ten in each of these, to see whether the run is long enough."""
MOST_CORRELATION = 0.4
"""Of neighbouring fine batches: above it, even batches ten times as long still depend on each other."""


def batch_means(values: np.ndarray, batches: int = BATCHES) -> np.ndarray:
    """Means of consecutive batches of a series, whose sizes differ by one at most, shape (batches,)."""
    edges = np.arange(batches + 1) * len(values) // batches
    return np.add.reduceat(values, edges[:-1]) / np.diff(edges)


def batch_interval(values: np.ndarray) -> Interval:
    """The interval on the mean of a stationary series, by batch means; NaN where the series is too short for it."""
    mean = float(values.mean()) if len(values) else np.nan
    if len(values) < FINE_BATCHES:
        return Interval(mean, np.nan, np.nan)
    return sectioned(mean, batch_means(values), batch_means(values, FINE_BATCHES))


def sectioned(whole: float, batches: np.ndarray, fine: np.ndarray) -> Interval:
    """The interval around what the whole run says, from how its batches differ.

    batches, fine: the same thing of each of BATCHES, and of each of FINE_BATCHES.  For quantiles and ratios this is
    sectioning (Asmussen and Glynn 2007, Stochastic Simulation, section III.5); for means it is batch means.  low and
    high are NaN where a batch has nothing to measure, or where neighbouring fine batches correlate by more than
    MOST_CORRELATION, which is how Law and Carson tell that a run is too short (1979, "A sequential procedure for
    determining the length of a steady-state simulation", Operations Research 27(5); theirs has 400 batches and 40).
    """
    if np.isnan(batches).any() or np.isnan(fine).any() or neighbours(fine) > MOST_CORRELATION:
        return Interval(whole, np.nan, np.nan)
    mean, low, high = t_interval(batches)
    return Interval(whole, whole - (mean - low), whole + (high - mean))


def neighbours(values: np.ndarray) -> float:
    """The lag-1 autocorrelation of a series; 0 where it does not vary."""
    centred = values - values.mean()
    power = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / power if power > 0 else 0.0
