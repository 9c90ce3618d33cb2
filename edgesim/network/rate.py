"""Rate processes: bits a second over time, piecewise constant and the same whatever is sent.

A transfer of S bits that starts at t0 ends at the least t with integral(t0, t) = S.  Times are in seconds
from 0 on, rates in bits a second.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Protocol

import numpy as np


class RateProcess(Protocol):
    """What a link needs of its rate.

    Chunk k = 0, 1, ... covers [origin_s + k span_s, origin_s + (k + 1) span_s), origin_s <= 0.
    """

    @property
    def origin_s(self) -> float: ...
    @property
    def span_s(self) -> float: ...

    def rate(self, time_s: float) -> float:
        """The rate from ``time_s`` on (at a jump: the new one), in bits a second."""
        ...

    def integral(self, start_s: float, stop_s: float) -> float:
        """Bits that flow between the two times, ``start_s <= stop_s``."""
        ...

    def finish(self, start_s: float, bits: float) -> float:
        """The least time at which ``bits`` have flowed since ``start_s``; inf where they never will."""
        ...

    def chunk(self, k: int) -> tuple[list[float], list[float]]:
        """(edges in seconds, rates between them) of chunk k = 0, 1, ...: one edge more than rates.

        Any chunk may be asked for in any order.
        """
        ...


def chunks(rate: RateProcess, start_s: float, stop_s: float) -> Iterator[tuple[list[float], list[float]]]:
    """(edges, rates) of the chunks that cover the time between, ``0 <= start_s < stop_s``, one after the other."""
    k = max(int((start_s - rate.origin_s) // rate.span_s) - 1, 0)  # the division may round across an edge
    right_s = -math.inf
    while right_s < stop_s:
        edges_s, rates_bps = rate.chunk(k)
        right_s = edges_s[-1]
        if right_s > start_s:
            yield edges_s, rates_bps
        k += 1


def pieces(rate: RateProcess, start_s: float, stop_s: float) -> tuple[list[float], list[float]]:
    """(edges, rates) of the process between two times; ``0 <= start_s < stop_s``."""
    edges, rates = [start_s], list[float]()
    for chunk_edges, chunk_rates in chunks(rate, start_s, stop_s):
        for right, value in zip(chunk_edges[1:], chunk_rates, strict=True):
            if edges[-1] < min(right, stop_s):
                edges.append(min(right, stop_s))
                rates.append(value)
    return edges, rates


class Stretch:
    """Rates over a stretch of time that starts at 0, with the bits that have flowed by each edge.

    Plain lists: bisecting a list is several times faster than numpy for one number.
    """

    __slots__ = ("bits", "edges_s", "rates_bps")

    def __init__(self, edges_s: list[float], rates_bps: list[float]):
        flows = (rate * (right - left) for rate, (left, right) in zip(rates_bps, pairwise(edges_s), strict=True))
        self.edges_s = edges_s
        self.rates_bps = rates_bps
        self.bits = list(accumulate(flows, initial=0.0))


def binned(stretch: Stretch, step_s: float) -> np.ndarray:
    """Mean rates of bins of ``step_s`` one after the other; what is left behind the last whole one is not counted.

    A stretch shorter than a bin is one bin.
    """
    length_s = stretch.edges_s[-1]
    count = max(int(length_s / step_s * (1 + 1e-12)), 1)
    edges_s = np.linspace(0.0, min(count * step_s, length_s), count + 1)
    return np.diff(np.interp(edges_s, stretch.edges_s, stretch.bits)) / (edges_s[1] - edges_s[0])


class ChunkedRate(ABC):
    """A rate process made of stretches of equal length; only the one in use is held here.

    Chunk k covers [origin + k span, origin + (k + 1) span), origin <= 0.  A subclass says what flows in it.
    """

    __slots__ = ("_from_s", "_k", "_origin_s", "_span_s", "_stretch", "_to_s")

    def __init__(self, span_s: float, origin_s: float = 0.0):
        self._span_s = span_s
        self._origin_s = origin_s
        self._from_s = self._to_s = 0.0

    @property
    def origin_s(self) -> float:
        return self._origin_s

    @property
    def span_s(self) -> float:
        return self._span_s

    @abstractmethod
    def _make(self, k: int) -> Stretch:
        """The stretch of chunk k; asked for again, the same values."""

    def rate(self, time_s: float) -> float:
        i = self._locate(time_s)
        return self._stretch.rates_bps[i]

    def integral(self, start_s: float, stop_s: float) -> float:
        i = self._locate(start_s)
        stretch, k = self._stretch, self._k
        before = stretch.bits[i] + stretch.rates_bps[i] * (start_s - self._from_s - stretch.edges_s[i])
        j = self._locate(stop_s)
        if self._k == k and i == j:
            return stretch.rates_bps[i] * (stop_s - start_s)
        last = self._stretch
        after = last.bits[j] + last.rates_bps[j] * (stop_s - self._from_s - last.edges_s[j])
        return after - before + self._bits_of_chunks(k, self._k)

    def finish(self, start_s: float, bits: float) -> float:
        if bits <= 0:
            return start_s
        if not self._from_s <= start_s < self._to_s:
            self._move(start_s)
        stretch, from_s = self._stretch, self._from_s
        edges_s, flows = stretch.edges_s, stretch.bits
        local_s = start_s - from_s
        i = bisect_right(edges_s, local_s, 0, len(edges_s) - 1) - 1
        rate = stretch.rates_bps[i]
        left = rate * (edges_s[i + 1] - local_s)
        if bits <= left:
            return start_s + bits / rate
        target = flows[i + 1] + (bits - left)
        if target <= flows[-1]:
            return self._when(stretch, from_s, target)
        return self._finish_from(self._k + 1, target - flows[-1])

    def chunk(self, k: int) -> tuple[list[float], list[float]]:
        stretch, start_s = self._make(k), self._edge(k)
        return [start_s + edge for edge in stretch.edges_s[:-1]] + [self._edge(k + 1)], list(stretch.rates_bps)

    def _locate(self, time_s: float) -> int:
        """Make the chunk that holds ``time_s`` the current one; the index of the piece in it."""
        if not self._from_s <= time_s < self._to_s:
            self._move(time_s)
        stretch = self._stretch
        return bisect_right(stretch.edges_s, time_s - self._from_s, 0, len(stretch.rates_bps)) - 1

    def _move(self, time_s: float) -> None:
        k = int((time_s - self._origin_s) // self._span_s)
        k += (time_s >= self._edge(k + 1)) - (time_s < self._edge(k))  # the division may round across an edge
        if k < 0:
            raise ValueError(f"rates are known from time 0 on, not at {time_s} s")
        self._k = k
        self._from_s, self._to_s = self._edge(k), self._edge(k + 1)
        self._stretch = self._make(k)

    def _edge(self, k: int) -> float:
        return self._origin_s + k * self._span_s

    def _finish_from(self, k: int, bits: float) -> float:
        """When ``bits`` > 0 have flowed since the start of chunk k."""
        stretch = self._make(k)
        while bits > stretch.bits[-1]:
            bits -= stretch.bits[-1]
            k += 1
            stretch = self._make(k)
        return self._when(stretch, self._edge(k), bits)

    @staticmethod
    def _when(stretch: Stretch, from_s: float, bits: float) -> float:
        i = bisect_left(stretch.bits, bits, 1) - 1
        return from_s + stretch.edges_s[i] + (bits - stretch.bits[i]) / stretch.rates_bps[i]

    def _bits_of_chunks(self, start: int, stop: int) -> float:
        return sum(self._make(k).bits[-1] for k in range(start, stop))
