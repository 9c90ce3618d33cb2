"""A rate that events multiply for a while: bits of a link, work of a processor, arrivals of a device."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, prod

from edgesim.events.windows import Windows
from edgesim.network.constant import ConstantRate
from edgesim.network.rate import RateProcess

Factors = Sequence[tuple[Windows, float]]
"""What multiplies the rate, and when."""


class FactoredRate:
    """``base`` times every factor whose window is open; exact, as all of them are piecewise constant.

    factors: not negative; 0 stops the flow for as long as the window is open, and what was under way goes on behind it.
    """

    __slots__ = ("_base", "_factors")

    def __init__(self, base: RateProcess, factors: Factors) -> None:
        self._base, self._factors = base, factors

    @property
    def origin_s(self) -> float:
        return self._base.origin_s

    @property
    def span_s(self) -> float:
        return self._base.span_s

    def rate(self, time_s: float) -> float:
        return self._base.rate(time_s) * self._factor(time_s)

    def integral(self, start_s: float, stop_s: float) -> float:
        total = 0.0
        while start_s < stop_s:
            edge_s = min(self._next_edge(start_s), stop_s)
            total += self._factor(start_s) * self._base.integral(start_s, edge_s)
            start_s = edge_s
        return total

    def finish(self, start_s: float, bits: float) -> float:
        if bits <= 0:
            return start_s
        while True:
            factor, edge_s = self._factor(start_s), self._next_edge(start_s)
            if factor == 0 and self._stopped(start_s):
                return inf
            finish_s = self._base.finish(start_s, bits / factor) if factor else inf
            if finish_s <= edge_s or (finish_s == inf and self._base.finish(edge_s, bits) == inf):
                return finish_s
            bits = max(bits - factor * self._base.integral(start_s, edge_s), 0.0)
            start_s = edge_s

    def chunk(self, k: int) -> tuple[list[float], list[float]]:
        base_edges_s, base_rates = self._base.chunk(k)
        edges_s, rates = base_edges_s[:1], list[float]()
        for right_s, rate in zip(base_edges_s[1:], base_rates, strict=True):
            while edges_s[-1] < right_s:
                rates.append(rate * self._factor(edges_s[-1]))
                edges_s.append(min(self._next_edge(edges_s[-1]), right_s))
        return edges_s, rates

    def _factor(self, time_s: float) -> float:
        return prod(factor for windows, factor in self._factors if windows.inside(time_s))

    def _stopped(self, time_s: float) -> bool:
        """Whether nothing flows ever again, whatever else goes on and off."""
        dead = [windows for windows, factor in self._factors if factor == 0 and windows.inside(time_s)]
        return any(windows.next_edge(time_s) == inf for windows in dead)

    def _next_edge(self, time_s: float) -> float:
        return min(windows.next_edge(time_s) for windows, _ in self._factors)


def factored(base: RateProcess, factors: Factors) -> RateProcess:
    """``base`` itself where nothing multiplies it."""
    return FactoredRate(base, factors) if factors else base


def speed(factors: Factors) -> RateProcess:
    """Work (seconds at full speed) that is done in a second, for a processor or a clock that factors slow or hasten."""
    return factored(ConstantRate(1.0), factors)
