"""When requests arrive at a device: absolute times, made lazily."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from edgesim.errors import InputError
from edgesim.workload.random import Draws, generator

if TYPE_CHECKING:
    from edgesim.scenario.arrivals import Arrivals

Times = Callable[[], float]
"""Each call gives the next absolute arrival time in seconds; infinite when there are no more."""


def arrival_times(spec: Arrivals, root: int, device: str) -> Times:
    """Arrivals of one device.  Periodic devices start at a phase of their own, uniform over a period."""
    if spec.process == "poisson":
        return _poisson(spec.rate_hz, root, device)
    if spec.process == "periodic":
        return _periodic(spec.rate_hz, spec.jitter_ms / 1e3, root, device)
    return _trace(spec.file)


def _poisson(rate_hz: float, root: int, device: str) -> Times:
    gaps = Draws(lambda rng, size: rng.exponential(1 / rate_hz, size), root, "arrivals", device)
    gap_at, numbers = gaps.at, count()
    time_s = 0.0

    def following() -> float:
        nonlocal time_s
        time_s += gap_at(next(numbers))
        return time_s

    return following


def _periodic(rate_hz: float, jitter_s: float, root: int, device: str) -> Times:
    phase = generator(root, "phase", device).random()
    delays = Draws(lambda rng, size: rng.random(size) * jitter_s, root, "arrivals", device)
    numbers = count()

    def following() -> float:
        number = next(numbers)
        return (phase + number) / rate_hz + delays.at(number)

    return following


def _trace(path: Path) -> Times:
    """Times from a file, and then no more."""
    times = iter(read_arrival_trace(path))
    return lambda: next(times, inf)


def read_arrival_trace(path: Path) -> tuple[float, ...]:
    """Times from the column ``time_s`` of a CSV file, which is read once for as long as it stays as it is.

    Raises InputError naming file and line where the column is missing, a time is no number, negative or
    before the one above it, or there is none.
    """
    try:
        stat = path.stat()
        return _times(path, (stat.st_mtime_ns, stat.st_size))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a trace: {error}") from error


@lru_cache(maxsize=8)
def _times(path: Path, version: tuple[int, int]) -> tuple[float, ...]:
    times: list[float] = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if "time_s" not in (rows.fieldnames or ()):
            raise InputError(f"{path}, line 1: no column time_s, found {rows.fieldnames}")
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            try:
                time_s = float(row["time_s"])
            except (TypeError, ValueError):
                raise InputError(f"{where}: time_s is {row['time_s']!r}, not a number") from None
            if not isfinite(time_s) or time_s < 0 or (times and time_s < times[-1]):
                raise InputError(f"{where}: time_s is {time_s}; times are finite, at least 0 and do not fall")
            times.append(time_s)
    if not times:
        raise InputError(f"{path}: no arrival times")
    return tuple(times)
