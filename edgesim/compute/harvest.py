"""Power that a battery is given, such as that of a solar panel."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence


class Harvest:
    """Piecewise constant watts, over and over again.

    edges_s: from 0 on, one more than ``watts``; the last one, where a pass ends, may be inf.  offset_s: where in a pass
    time 0 lies.
    """

    __slots__ = ("_edges_s", "_offset_s", "_watts")

    def __init__(self, edges_s: Sequence[float], watts: Sequence[float], offset_s: float = 0.0):
        self._edges_s, self._watts, self._offset_s = edges_s, watts, offset_s

    @classmethod
    def constant(cls, watts: float) -> Harvest:
        return cls((0.0, math.inf), (watts,))

    def pieces(self, time_s: float) -> Iterator[tuple[float, float]]:
        """(until when in seconds, watts) from ``time_s`` on, piece by piece, until the end of time."""
        span_s = self._edges_s[-1]
        passes = (time_s + self._offset_s) // span_s
        within_s = time_s + self._offset_s - (passes * span_s if passes else 0.0)
        piece = max(bisect_right(self._edges_s, within_s, 0, len(self._watts)) - 1, 0)
        while True:
            start_s = passes * span_s - self._offset_s if passes else -self._offset_s
            for number in range(piece, len(self._watts)):
                yield start_s + self._edges_s[number + 1], self._watts[number]
            passes, piece = passes + 1, 0
