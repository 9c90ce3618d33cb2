"""Rates made of other rates."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable

import numpy as np

from edgesim.network.rate import ChunkedRate, RateProcess, Stretch, pieces

KEPT = 2  # chunks that are kept, as there may be thousands of links


class SlowedRate:
    """The same rates, each lasting ``factor`` times as long: R(t / factor)."""

    __slots__ = ("_factor", "_rate")

    def __init__(self, rate: RateProcess, factor: float):
        self._rate, self._factor = rate, factor

    @property
    def origin_s(self) -> float:
        return self._rate.origin_s * self._factor

    @property
    def span_s(self) -> float:
        return self._rate.span_s * self._factor

    def rate(self, time_s: float) -> float:
        return self._rate.rate(time_s / self._factor)

    def integral(self, start_s: float, stop_s: float) -> float:
        return self._factor * self._rate.integral(start_s / self._factor, stop_s / self._factor)

    def finish(self, start_s: float, bits: float) -> float:
        if bits <= 0:
            return start_s
        return self._factor * self._rate.finish(start_s / self._factor, bits / self._factor)

    def chunk(self, k: int) -> tuple[list[float], list[float]]:
        edges_s, rates_bps = self._rate.chunk(k)
        return [self._factor * edge for edge in edges_s], rates_bps


class ScaledRate:
    """Every rate times ``factor`` > 0."""

    __slots__ = ("_factor", "_rate")

    def __init__(self, rate: RateProcess, factor: float):
        self._rate, self._factor = rate, factor

    @property
    def origin_s(self) -> float:
        return self._rate.origin_s

    @property
    def span_s(self) -> float:
        return self._rate.span_s

    def rate(self, time_s: float) -> float:
        return self._factor * self._rate.rate(time_s)

    def integral(self, start_s: float, stop_s: float) -> float:
        return self._factor * self._rate.integral(start_s, stop_s)

    def finish(self, start_s: float, bits: float) -> float:
        return self._rate.finish(start_s, bits / self._factor)

    def chunk(self, k: int) -> tuple[list[float], list[float]]:
        edges_s, rates_bps = self._rate.chunk(k)
        return edges_s, [self._factor * rate for rate in rates_bps]


class DerivedRate(ChunkedRate):
    """Its chunks are made of those of ``rate``, at the same times; keeps_zero: where that is 0, this is."""

    __slots__ = ("_keeps_zero", "_kept", "_rate")

    def __init__(self, rate: RateProcess, keeps_zero: bool):
        super().__init__(rate.span_s, rate.origin_s)
        self._rate = rate
        self._keeps_zero = keeps_zero
        self._kept: dict[int, Stretch] = {}

    @abstractmethod
    def _derive(self, edges_s: list[float], rates_bps: list[float]) -> tuple[np.ndarray, np.ndarray]:
        """(edges from the first to the last of these, rates between them)."""

    def _make(self, k: int) -> Stretch:
        if k not in self._kept:
            edges_s, rates_bps = self._derive(*self._rate.chunk(k))
            self._kept[k] = Stretch([*(edges_s[:-1] - edges_s[0]).tolist(), self.span_s], rates_bps.tolist())
            if len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return self._kept[k]

    def _finish_from(self, k: int, bits: float) -> float:
        """A rate that has ended for ever is not walked along."""
        if self._keeps_zero and math.isinf(self._rate.finish(self._edge(k), 1.0)):
            return math.inf
        return super()._finish_from(k, bits)


class MappedRate(DerivedRate):
    """``function`` of each rate; elementwise, on an array."""

    __slots__ = ("_function",)

    def __init__(self, rate: RateProcess, function: Callable[[np.ndarray], np.ndarray]):
        super().__init__(rate, keeps_zero=float(function(np.zeros(1))[0]) == 0)
        self._function = function

    def _derive(self, edges_s: list[float], rates_bps: list[float]) -> tuple[np.ndarray, np.ndarray]:
        return np.array(edges_s), self._function(np.array(rates_bps))


class ProductRate(DerivedRate):
    """One rate times another, which is a factor from time 0 on."""

    __slots__ = ("_factor",)

    def __init__(self, rate: RateProcess, factor: RateProcess):
        super().__init__(rate, keeps_zero=True)
        self._factor = factor

    def _derive(self, edges_s: list[float], rates_bps: list[float]) -> tuple[np.ndarray, np.ndarray]:
        factor_edges_s, factors = pieces(self._factor, max(edges_s[0], 0.0), edges_s[-1])
        factor_edges_s[0] = edges_s[0]  # before time 0 nothing is asked for
        union_s = np.union1d(edges_s, factor_edges_s)
        rate = np.array(rates_bps)[np.searchsorted(edges_s, union_s[:-1], side="right") - 1]
        return union_s, rate * np.array(factors)[np.searchsorted(factor_edges_s, union_s[:-1], side="right") - 1]
