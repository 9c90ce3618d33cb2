"""A cell whose flows have rates of their own: stations near and far of one access point or base station."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from math import inf
from typing import Literal

from edgesim.network.cell import Flow, Share, SharedCell
from edgesim.network.constant import ConstantRate
from edgesim.network.rate import RateProcess, chunks

SILENT = Share(0.0, 0.0)


class OwnRatesCell(SharedCell[Flow]):
    """Flow i could send at r_i(t) if it were alone; n of them are under way.

    turns ``time``: each gets an equal part of the time, and r_i / n, as from a base station that gives all the same
    number of resource blocks.  ``frames``: each sends equally many frames of equal length, so that one slow station
    slows all down to 1 / (sum_j 1 / r_j) each: the performance anomaly of 802.11b (Heusse et al., INFOCOM 2003).  A
    flow whose rate is 0 waits and is in nobody's way.

    The flows have no common rate, so each change of a flow's rate is an event, which gives it another share: O(log n)
    for each join, end, and change of a flow under way.  efficiency: see :class:`~edgesim.network.cell.SharedCell`.
    """

    __slots__ = ("_changes", "_turns")

    def __init__(self, turns: Literal["time", "frames"], efficiency: Callable[[int], float] | None = None):
        super().__init__(ConstantRate(1.0), efficiency)
        self._turns = turns
        self._changes: list[tuple[float, int, Flow, Iterator[tuple[float, float]]]] = []

    def add_with_rate(self, now_s: float, wire_bits: float, flow: Flow, rate: RateProcess) -> None:
        """A transfer of ``wire_bits`` joins that could be sent at ``rate`` if it were alone."""
        coming = rates_from(rate, now_s)
        rate_bps, until_s = next(coming)
        self.add(now_s, wire_bits, flow, self._share(rate_bps))
        heappush(self._changes, (until_s, self._flows[flow].order, flow, coming))

    def next_event_s(self) -> float | None:
        end_s = super().next_event_s()
        if end_s is None:
            return None
        change_s = self._next_change_s()
        return change_s if change_s < end_s else end_s

    def pop(self, now_s: float) -> Flow | None:
        if self._next_change_s() > now_s:
            return super().pop(now_s)
        _, order, flow, coming = heappop(self._changes)
        rate_bps, until_s = next(coming)
        self.change(now_s, flow, self._share(rate_bps))
        heappush(self._changes, (until_s, order, flow, coming))
        return None

    def _next_change_s(self) -> float:
        """Of the flows that are still under way."""
        changes = self._changes
        while changes:
            until_s, order, flow, _ = changes[0]
            place = self._flows.get(flow)
            if place is not None and place.order == order:
                return until_s
            heappop(changes)
        return inf

    def _share(self, rate_bps: float) -> Share:
        if rate_bps == 0:
            return SILENT
        return Share(rate_bps, 1.0) if self._turns == "time" else Share(1.0, 1 / rate_bps)


def rates_from(rate: RateProcess, start_s: float) -> Iterator[tuple[float, float]]:
    """(rate in bits a second, until when it holds) from ``start_s`` on, without end."""
    for edges_s, rates_bps in chunks(rate, start_s, inf):
        for until_s, rate_bps in zip(edges_s[1:], rates_bps, strict=True):
            if until_s > start_s:
                yield rate_bps, until_s
