"""Recorded rates: CSV files with the columns ``time_s`` and ``rate_mbps``."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from edgesim.errors import InputError
from edgesim.network.rate import Stretch
from edgesim.network.tabled import stretch_of_rows
from edgesim.workload.random import generator

COLUMNS = ("time_s", "rate_mbps")


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

    Raises InputError naming file and line: no rows, a missing column, times that do not grow, a rate that is
    negative or not finite, or a trace without any positive rate (nothing would ever arrive).
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(_rows(path, file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a trace: {error}") from error
    if not rows:
        raise InputError(f"{path}: the trace is empty: a header line {','.join(COLUMNS)} and rows are expected")
    if not any(rate for _, rate in rows):
        raise InputError(f"{path}: every rate is 0: nothing sent over this trace would ever arrive")
    return Trace(path, [time for time, _ in rows], [rate for _, rate in rows])


def _rows(path: Path, lines: Iterator[str]) -> Iterator[tuple[float, float]]:
    columns: list[int] | None = None
    last_s = -math.inf
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in next(csv.reader([line]))]
        where = f"{path}, line {number}"
        if columns is None:
            columns = _columns(fields, where)
            continue
        numbers = [_number(fields, column, name, where) for column, name in zip(columns, COLUMNS, strict=True)]
        time_s, rate_mbps = numbers
        if time_s <= last_s:
            raise InputError(f"{where}: time_s must grow, found {time_s} after {last_s}")
        if rate_mbps < 0:
            raise InputError(f"{where}: rate_mbps must not be negative, found {rate_mbps}")
        yield time_s, rate_mbps
        last_s = time_s


def _columns(fields: list[str], where: str) -> list[int]:
    for name in COLUMNS:
        if name not in fields:
            raise InputError(f"{where}: no column {name}; found {', '.join(fields)}")
    return [fields.index(name) for name in COLUMNS]


def _number(fields: list[str], column: int, name: str, where: str) -> float:
    text = fields[column] if column < len(fields) else ""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {name} must be a finite number, found {text!r}")
    return value
