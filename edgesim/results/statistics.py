"""Intervals and comparisons over independent replications.

Requests of one run depend on each other through queues and links: an interval over them covers far too little.
Everything here takes one value per replication.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95
BOOTSTRAP_DRAWS = 1000
LEAST_REPLICATIONS = 10
"""Replications from which intervals are trusted (Law, Simulation Modeling and Analysis, ch. 9)."""


class Interval(NamedTuple):
    """A mean over replications and its 95 % interval; low and high are NaN with fewer than two replications."""

    mean: float
    low: float
    high: float


class Difference(NamedTuple):
    """A paired difference first - second over replications that both ran.

    ``p``: two-sided paired t-test.  ``p_holm``: adjusted for the whole family by Holm's method.
    """

    first: str
    second: str
    interval: Interval
    p: float
    p_holm: float


def t_interval(values: np.ndarray) -> Interval:
    """Student's t-interval on the mean of one value per replication; NaN (nothing to measure) left out."""
    values = values[~np.isnan(values)]
    if not len(values):
        return Interval(np.nan, np.nan, np.nan)
    mean = float(values.mean())
    if len(values) < 2:
        return Interval(mean, np.nan, np.nan)
    return t_around(mean, float(values.std(ddof=1)) / np.sqrt(len(values)), len(values))


def image_weights(images: int, random: np.random.Generator) -> np.ndarray:
    """How often each image is in each resample of the image pool, (images, draws)."""
    chosen = random.integers(images, size=(BOOTSTRAP_DRAWS, images))
    flat = np.arange(BOOTSTRAP_DRAWS)[:, None] * images + chosen
    counts = np.bincount(flat.ravel(), minlength=BOOTSTRAP_DRAWS * images)
    return counts.reshape(BOOTSTRAP_DRAWS, images).T.astype(np.float32)


def pool_interval(total: np.ndarray, asked: np.ndarray, weights: np.ndarray, random: np.random.Generator) -> Interval:
    """On-time accuracy, or error, with an interval that also resamples the image pool.

    total, asked: (replications, images), how often each image was answered rightly (or the sum of the errors), and how
    often it was asked.
    weights: (images, draws) from ``image_weights``.  Replications and images are resampled independently and
    crossed (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2): its variance errs on the safe
    side).  The interval is mean +- t s, with s the bootstrap's standard error times sqrt(R / (R - 1)) and Student's t
    of R - 1 degrees of freedom, because resampling R replications alone understates their spread so.
    """
    asked_of = asked.sum(1)
    total, asked, asked_of = total[asked_of > 0], asked[asked_of > 0], asked_of[asked_of > 0]
    replications = len(asked_of)
    if not replications:
        return Interval(np.nan, np.nan, np.nan)
    mean = float(np.mean(total.sum(1) / asked_of))
    if replications < 2:
        return Interval(mean, np.nan, np.nan)
    means = (total.astype(np.float32) @ weights) / np.maximum(asked.astype(np.float32) @ weights, 1.0)
    chosen = random.integers(replications, size=(replications, means.shape[1]))
    resampled = np.take_along_axis(means, chosen, axis=0).mean(0)
    error = float(resampled.std(ddof=1)) * np.sqrt(replications / (replications - 1))
    return t_around(mean, error, replications)


def t_around(mean: float, error: float, replications: int) -> Interval:
    """Mean +- t times its standard error, with the degrees of freedom of so many replications."""
    from scipy.special import stdtrit

    half = float(stdtrit(replications - 1, 0.5 + CONFIDENCE / 2)) * error
    return Interval(mean, mean - half, mean + half)


def paired_p(differences: np.ndarray) -> float:
    """Two-sided p of a paired t-test on differences, one per replication; NaN with fewer than two."""
    if len(differences) < 2:
        return float("nan")
    return t_p(float(differences.mean()), float(differences.std(ddof=1)) / np.sqrt(len(differences)), len(differences))


def t_p(mean: float, error: float, replications: int) -> float:
    """Two-sided p of a t-test that a mean with this standard error is 0."""
    from scipy.special import stdtr

    if error == 0.0:
        return 1.0 if mean == 0.0 else 0.0
    return float(2.0 * stdtr(replications - 1, -abs(mean) / error))


def welch(first: np.ndarray, second: np.ndarray) -> tuple[Interval, float]:
    """The difference first - second of means over independent replications, and its two-sided p; unequal variances.

    Source: Welch 1947, "The generalization of 'Student's' problem", Biometrika 34.  NaN values are left out; ends and p
    are NaN where a side has fewer than two.
    """
    from scipy.stats import ttest_ind

    first, second = first[~np.isnan(first)], second[~np.isnan(second)]
    if not len(first) or not len(second):
        return Interval(np.nan, np.nan, np.nan), float("nan")
    mean = float(first.mean() - second.mean())
    if min(len(first), len(second)) < 2:
        return Interval(mean, np.nan, np.nan), float("nan")
    if not first.std() and not second.std():
        return Interval(mean, mean, mean), 1.0 if mean == 0.0 else 0.0
    test = ttest_ind(first, second, equal_var=False)
    low, high = test.confidence_interval(CONFIDENCE)
    return Interval(mean, float(low), float(high)), float(test.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values; NaN stays NaN and does not count.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6(2).
    """
    adjusted = [float("nan")] * len(p_values)
    order = sorted((p, place) for place, p in enumerate(p_values) if not np.isnan(p))
    largest = 0.0
    for rank, (p, place) in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p))
        adjusted[place] = largest
    return adjusted


def paired_differences(values: dict[str, dict[int, float]]) -> list[Difference]:
    """Every pair's difference, replications paired by number, Holm-adjusted over all the pairs.

    values: name -> replication -> value.  The first of a pair is the one with the larger mean.
    """
    found = []
    names = sorted(values, key=lambda name: -np.mean([*values[name].values()]))
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            common = sorted(values[first].keys() & values[second].keys())
            differences = np.array([values[first][number] - values[second][number] for number in common])
            differences = differences[~np.isnan(differences)]
            found.append(Difference(first, second, t_interval(differences), paired_p(differences), float("nan")))
    adjusted = holm([difference.p for difference in found])
    return [difference._replace(p_holm=p) for difference, p in zip(found, adjusted, strict=True)]
