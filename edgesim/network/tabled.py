"""A rate read from a table that many links share, each with its own place in it."""

from __future__ import annotations

import math
from typing import Literal

from edgesim.network.rate import ChunkedRate, Stretch

Ends = Literal["loop", "hold"]


def stretch_of_rows(times_s: list[float], rates_bps: list[float], end_s: float | None = None) -> Stretch:
    """Row i holds from its time to the next row's; the last row to ``end_s``, or for as long as the row before it.

    Times count from the first row.  A table of one row without an end is constant: it is given one second.
    """
    if end_s is None:
        end_s = times_s[-1] + (times_s[-1] - times_s[-2] if len(times_s) > 1 else 1.0)
    return Stretch([time - times_s[0] for time in (*times_s, end_s)], rates_bps)


class TabledRate(ChunkedRate):
    """Chunk k is the k-th pass through the table (``loop``), or the last row after the first pass (``hold``).

    offset_s: where in the table time 0 lies, in [0, length of the table).  The table itself is shared.
    """

    __slots__ = ("_first", "_rest")

    def __init__(self, table: Stretch, ends: Ends, offset_s: float = 0.0):
        span_s = table.edges_s[-1]
        super().__init__(span_s, -offset_s)
        self._first = table
        self._rest = table if ends == "loop" else Stretch([0.0, span_s], table.rates_bps[-1:])

    def _make(self, k: int) -> Stretch:
        return self._rest if k else self._first

    def _finish_from(self, k: int, bits: float) -> float:
        """Whole passes are skipped, not walked through; k is never the first chunk."""
        total = self._rest.bits[-1]
        if total == 0:
            return math.inf
        skipped = max(int(bits / total) - 1, 0)
        return super()._finish_from(k + skipped, bits - skipped * total)

    def _bits_of_chunks(self, start: int, stop: int) -> float:
        if start == stop:
            return 0.0
        return self._make(start).bits[-1] + (stop - start - 1) * self._rest.bits[-1]
