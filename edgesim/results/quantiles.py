"""Quantiles of what single requests say, over replications: how sure they are, and how long runs must be."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edgesim.results.statistics import BOOTSTRAP_DRAWS, Interval, t_around

BEYOND = 100
"""So many requests of a replication should lie beyond its quantile."""
PROBABILITIES = {"latency_p50_s": 0.5, "latency_p95_s": 0.95, "latency_p99_s": 0.99}
"""The metrics that are quantiles."""


def least_requests(probability: float) -> int:
    """How many answered requests a replication needs before its quantile is to be trusted: 10,000 for p99.

    >>> least_requests(0.95), least_requests(0.99)
    (2000, 10000)
    """
    return math.ceil(round(BEYOND / (1 - probability), 6))


def rough_quantiles(answered: float) -> list[str]:
    """A sentence naming the metrics for which a replication of so many answered requests is too short."""
    needed = {name: least_requests(probability) for name, probability in PROBABILITIES.items()}
    rough = [name for name, least in needed.items() if answered < least]
    if not rough:
        return []
    counts = ", ".join(f"{needed[name]:,}" for name in rough)
    return [f"rough: {', '.join(rough)}; to be trusted a replication needs {counts} answered requests"]


class Pooled:
    """The type 7 quantile of the requests of several replications together, as often as replications are resampled.

    samples: one array per replication, NaN left out.
    """

    def __init__(self, samples: Sequence[np.ndarray]) -> None:
        kept = [values[~np.isnan(values)] for values in samples]
        values = np.concatenate(kept)
        order = np.argsort(values, kind="stable")
        owner = np.repeat(np.arange(len(kept)), [len(each) for each in kept])[order]
        self._values = values[order]
        self._up_to = np.cumsum(owner == np.arange(len(kept))[:, None], axis=1, dtype=np.int32)
        self._sizes = np.array([len(each) for each in kept])

    def quantile(self, probability: float, times: np.ndarray) -> np.ndarray:
        """With replication r taken ``times[draw, r]`` times, shape (draws,); NaN where a draw has no request."""
        size = times @ self._sizes
        place = (size - 1) * probability
        filled = size > 0
        found = np.full(len(times), np.nan)
        low, high = (self._at(np.floor(place[filled]), times[filled]), self._at(np.ceil(place[filled]), times[filled]))
        found[filled] = low + (high - low) * (place[filled] % 1)
        return found

    def whole(self, probability: float) -> float:
        """With every replication once."""
        return float(self.quantile(probability, np.ones((1, len(self._sizes)), np.int64))[0])

    def _at(self, rank: np.ndarray, times: np.ndarray) -> np.ndarray:
        """The value of each draw that so many others lie below: the first place that more than ``rank`` are up to."""
        low, high = np.zeros(len(rank), np.int64), np.full(len(rank), len(self._values) - 1)
        while (low < high).any():
            middle = (low + high) // 2
            reached = (times * self._up_to[:, middle].T).sum(1) > rank
            low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
        return self._values[low]


def bootstrap_quantile(
    samples: Sequence[np.ndarray], probability: float, random: np.random.Generator
) -> tuple[Interval, float]:
    """The quantile of all replications' requests together, with its interval and standard error.

    Whole replications are resampled: requests of one depend on each other and are never drawn alone.  The standard
    error is the bootstrap's times sqrt(R / (R - 1)), and the interval value +- t error, t of R - 1 degrees of freedom,
    because resampling R replications alone understates their spread so.  NaN with fewer than two.
    """
    replications = len(samples)
    pooled = Pooled(samples)
    return _estimated(
        pooled.whole(probability), pooled.quantile(probability, _times(replications, random)), replications
    )


def bootstrap_difference(
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
    probability: float,
    paired: bool,
    random: np.random.Generator,
) -> tuple[Interval, float]:
    """The same for the difference first - second.

    paired: replications are drawn together; otherwise each side has draws of its own, and the interval the degrees of
    freedom of the side with fewer replications, which errs on the wide side.
    """
    sides, replications = (Pooled(first), Pooled(second)), min(len(first), len(second))
    times = _times(len(first), random)
    others = times if paired else _times(len(second), random)
    whole = sides[0].whole(probability) - sides[1].whole(probability)
    drawn = sides[0].quantile(probability, times) - sides[1].quantile(probability, others)
    return _estimated(whole, drawn, replications)


def _times(replications: int, random: np.random.Generator) -> np.ndarray:
    """How often each replication is in each resample, (draws, replications)."""
    return random.multinomial(replications, np.full(replications, 1 / replications), BOOTSTRAP_DRAWS)


def _estimated(whole: float, drawn: np.ndarray, replications: int) -> tuple[Interval, float]:
    if replications < 2:
        return Interval(whole, np.nan, np.nan), float("nan")
    error = float(np.nanstd(drawn, ddof=1)) * np.sqrt(replications / (replications - 1))
    return t_around(whole, error, replications), error
