"""simpy's event loop as the engine's clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from math import inf
from typing import Any

import simpy


class SimpyClock(simpy.Environment):
    """A simpy environment whose events are put at absolute times, so that no time is rounded twice.

    Processes and events of simpy's own may live beside the engine's under ``run``; ``run_until`` is for the engine's
    alone, which have one callback and neither fail nor wait for each other.
    """

    at: Callable[[float, int, Any], None]

    def __init__(self) -> None:
        super().__init__()
        queue, numbers = self._queue, self._eid

        def at(time_s: float, priority: int, event: Any) -> None:
            heappush(queue, (time_s, priority, next(numbers), event))  # type: ignore[misc]

        self.at = at

    def pending(self) -> Iterable[Any]:
        return (entry[3] for entry in self._queue)

    def run_until(self, end_s: float) -> None:
        """Let everything happen that lies before ``end_s``."""
        queue = self._queue
        while queue and queue[0][0] < end_s:
            self._now, _, _, event = heappop(queue)
            event.callbacks[0](event)
        if end_s < inf:
            self._now = end_s
