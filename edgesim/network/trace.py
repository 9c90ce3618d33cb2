"""Recorded rates: CSV files with the columns ``time_s`` and ``rate_mbps``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from edgesim.errors import InputError
from edgesim.network.rate import Stretch
from edgesim.network.series import read_series
from edgesim.network.tabled import stretch_of_rows
from edgesim.workload.random import generator


@dataclass(frozen=True)
class Trace:
    """A recorded rate: row i holds from its time to the next row's, the last row as long as the one before it."""

    path: Path
    times_s: list[float]
    rates_mbps: list[float]

    @property
    def resolution_s(self) -> float:
        """Median time between rows: the trace says nothing about what happens within it (inf for a single row)."""
        gaps_s = [right - left for left, right in pairwise(self.times_s)]
        return median(gaps_s) if gaps_s else math.inf

    @property
    def duration_s(self) -> float:
        """From the first row to the end of the last."""
        return self.table(1.0).edges_s[-1]

    def table(self, scale: float) -> Stretch:
        """The rates times ``scale``, in bits a second."""
        return stretch_of_rows(self.times_s, [rate * scale * 1e6 for rate in self.rates_mbps])


def random_offset_s(duration_s: float, root: int, *key: str | int) -> float:
    """Where in a trace an entity starts: uniform over the trace, keyed by seed and entity."""
    return duration_s * generator(root, "trace offset", *key).random()


def read_trace(path: Path) -> Trace:
    """Read a trace; further columns are ignored, and so are empty lines and lines that start with ``#``.

    Raises InputError naming file and line as ``read_series``, and for a trace without any positive rate (nothing
    would ever arrive).
    """
    times_s, rates_mbps = read_series(path, "rate_mbps")
    if not any(rates_mbps):
        raise InputError(f"{path}: every rate is 0: nothing sent over this trace would ever arrive")
    return Trace(path, times_s, rates_mbps)
