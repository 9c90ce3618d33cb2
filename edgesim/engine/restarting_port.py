"""A link of a device's own on which a handover breaks off what is under way."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from edgesim.engine.fifo_port import FifoPort
from edgesim.network.transport import Flight


class RestartingPort(FifoPort):
    """A message begins anew, with all its bytes, at each handover that comes before its last bit has left.

    What had left of it by then was sent in vain and counts as wire bytes.  next_change: (after, until) in seconds ->
    when the next handover is, inf if not before ``until``.
    """

    __slots__ = ("_next_change",)

    def __init__(self, next_change: Callable[[float, float], float], *port: Any) -> None:
        super().__init__(*port)
        self._next_change = next_change

    def _fly(self, start_s: float, flights: list[Flight]) -> tuple[list[Any], float, float]:
        air_s = 0.0
        while True:
            passed, finish_s, flown_s = super()._fly(start_s, flights)
            last_s = passed[-1].last_s
            change_s = self._next_change(start_s, last_s) if start_s < last_s < inf else inf
            if change_s >= last_s:
                return passed, finish_s, air_s + flown_s
            for first_s, until_s, nbytes in passed:
                if first_s < change_s:
                    broken_off = until_s > change_s
                    sent = int(self.rate.integral(first_s, change_s) / 8) if broken_off else nbytes
                    self.carried.wire_bytes += sent
                    air_s += min(until_s, change_s) - first_s
            start_s = change_s
