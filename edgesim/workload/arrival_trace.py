"""Arrival times from a file."""

from __future__ import annotations

import csv
from functools import lru_cache
from math import isfinite
from pathlib import Path

from edgesim.errors import InputError


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
