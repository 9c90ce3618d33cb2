"""Costs on a node that is slow for a while, or that something else uses beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgesim.network.rate import RateProcess
from edgesim.profiling.costs import Costs


class SlowedCosts:
    """``costs`` divided by the speed of the moment at which a node takes up a request.

    The request keeps that speed for its stay: stays take milliseconds, slow-downs and loads seconds.  What policies are
    told of mean costs is as if nothing were slow.  now_s: tells the time.
    """

    wakes = True

    def __init__(self, costs: Costs, speed: RateProcess, now_s: Callable[[], float]) -> None:
        self._costs, self._speed, self._now_s = costs, speed, now_s

    def idle_factor(self, gap_s: float) -> float:
        return self._costs.idle_factor(gap_s) / self._speed.rate(self._now_s())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._costs, name)
