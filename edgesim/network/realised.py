"""Which rates a path takes over a stretch of time, and for how long."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgesim.network.rate import RateProcess, chunks

BIN = 1e-4  # width of a bin of ln(rate); each is kept by its mean, which errs by about BIN^2 / 24 in a moment
FLUSH = 65_536  # pieces that are held before they are put into bins


@dataclass(frozen=True)
class Realised:
    """rates_bps: the positive rates, rising, and for how many ``seconds`` each; zero_s: how long there was none."""

    rates_bps: np.ndarray
    seconds: np.ndarray
    zero_s: float

    @property
    def length_s(self) -> float:
        return self.zero_s + float(self.seconds.sum())

    @property
    def mean_bps(self) -> float:
        return float(self.seconds @ self.rates_bps) / self.length_s

    @property
    def median_bps(self) -> float:
        """The rate that is not exceeded half of the time."""
        half_s = self.length_s / 2 - self.zero_s
        return float(self.rates_bps[np.searchsorted(self.seconds.cumsum(), half_s)]) if half_s > 0 else 0.0

    def power_mean(self, exponent: float) -> float:
        """Mean of (rate / highest rate)^exponent, in which no rate stays no rate."""
        return float(self.seconds @ (self.rates_bps / self.rates_bps[-1]) ** exponent) / self.length_s

    def cv(self, exponent: float = 1.0) -> float:
        """Standard deviation over mean of the rates to this power."""
        square = self.power_mean(2 * exponent) / self.power_mean(exponent) ** 2
        return math.sqrt(max(square - 1, 0.0))


def realised(rate: RateProcess, horizon_s: float) -> Realised:
    """The rates over [0, horizon_s], chunk by chunk; moments are exact to 1e-8, as equal logarithms share a bin."""
    bins, zero_s = _Bins(), 0.0
    for edges_s, rates_bps in chunks(rate, 0.0, horizon_s):
        seconds, rates = np.diff(np.clip(edges_s, 0.0, horizon_s)), np.array(rates_bps)
        flows = rates > 0
        zero_s += float(seconds[~flows].sum())
        flows &= seconds > 0
        bins.add(rates[flows], seconds[flows])
    return Realised(*bins.rates_and_seconds(), zero_s)


class _Bins:
    """Seconds and bits by logarithm of the rate."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._held = 0

    def add(self, rates_bps: np.ndarray, seconds: np.ndarray) -> None:
        numbers = np.rint(np.log(rates_bps) / BIN)
        self._parts.append(np.stack([numbers, seconds, seconds * rates_bps]))
        self._held += len(seconds)
        if self._held > FLUSH:
            self._flush()

    def _flush(self) -> np.ndarray:
        numbers, seconds, bits = np.concatenate(self._parts, axis=1)
        known, which = np.unique(numbers, return_inverse=True)
        whole = np.stack([known, np.bincount(which, seconds, len(known)), np.bincount(which, bits, len(known))])
        self._parts, self._held = [whole], 0
        return whole

    def rates_and_seconds(self) -> tuple[np.ndarray, np.ndarray]:
        _, seconds, bits = self._flush()
        return bits / seconds, seconds
