"""What a node believes of its link's rate, from the transfers it has made.

A sample is bits over first-to-last-bit time, observed where and when the transfer is acknowledged.  Before the
first sample an estimator says its prior; the first sample replaces it.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol


class Estimator(Protocol):
    """``rate_bps`` is the belief now; ``observe`` tells of a finished transfer.

    A transfer without bits or without duration says nothing about the rate and is passed over.
    """

    rate_bps: float

    def observe(self, bits: float, seconds: float) -> None: ...


class LastRate:
    """The last sample."""

    __slots__ = ("rate_bps",)

    def __init__(self, prior_bps: float):
        self.rate_bps = prior_bps

    def observe(self, bits: float, seconds: float) -> None:
        if bits > 0 and seconds > 0:
            self.rate_bps = bits / seconds


class EwmaRate:
    """rate <- alpha sample + (1 - alpha) rate, 0 < alpha <= 1, from the first sample on."""

    __slots__ = ("_alpha", "_observed", "rate_bps")

    def __init__(self, prior_bps: float, alpha: float):
        self.rate_bps = prior_bps
        self._alpha = alpha
        self._observed = False

    def observe(self, bits: float, seconds: float) -> None:
        if bits <= 0 or seconds <= 0:
            return
        sample = bits / seconds
        self.rate_bps = self._alpha * sample + (1 - self._alpha) * self.rate_bps if self._observed else sample
        self._observed = True


class HarmonicRate:
    """Harmonic mean of the last ``window`` samples: what as many transfers of one size got on the whole."""

    __slots__ = ("_seconds_per_bit", "rate_bps")

    def __init__(self, prior_bps: float, window: int):
        self.rate_bps = prior_bps
        self._seconds_per_bit: deque[float] = deque(maxlen=window)

    def observe(self, bits: float, seconds: float) -> None:
        if bits <= 0 or seconds <= 0:
            return
        self._seconds_per_bit.append(seconds / bits)
        self.rate_bps = len(self._seconds_per_bit) / sum(self._seconds_per_bit)
