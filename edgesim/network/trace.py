"""Recorded rates, whatever the file they come from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Literal

from edgesim.network.rate import Stretch
from edgesim.network.tabled import stretch_of_rows
from edgesim.workload.random import generator

Direction = Literal["up", "down", "unknown"]


@dataclass(frozen=True)
class Trace:
    """A recorded rate: row i holds from its time to the next row's, the last row to ``end_s``.

    end_s: None where the file does not say it; the last row then holds as long as the one before it.
    grain_s: how finely the rate was recorded, where that is not the median time between rows.
    direction: which way the bits went, as far as the format says it.
    format: name of the format that was read.
    """

    path: Path
    times_s: list[float]
    rates_mbps: list[float]
    end_s: float | None = None
    grain_s: float | None = None
    direction: Direction = "unknown"
    format: str = "csv"

    @property
    def resolution_s(self) -> float:
        """The trace says nothing about what happens within this time (inf for a single row)."""
        gaps_s = [right - left for left, right in pairwise(self.times_s)]
        return self.grain_s or (median(gaps_s) if gaps_s else math.inf)

    @property
    def duration_s(self) -> float:
        """From the first row to the end of the last."""
        return self.table(1.0).edges_s[-1]

    def table(self, scale: float) -> Stretch:
        """The rates times ``scale``, in bits a second."""
        return stretch_of_rows(self.times_s, [rate * scale * 1e6 for rate in self.rates_mbps], self.end_s)


def random_offset_s(duration_s: float, root: int, *key: str | int) -> float:
    """Where in a trace an entity starts: uniform over the trace, keyed by seed and entity."""
    return duration_s * generator(root, "trace offset", *key).random()
