"""A value over time in a CSV file: the column ``time_s`` and one more."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from edgesim.errors import InputError

TIME = "time_s"


def read_series(path: Path, column: str) -> tuple[list[float], list[float]]:
    """(times in seconds, values of ``column``), a pair a line; other columns, empty lines and ``#`` lines are ignored.

    Raises InputError naming file and line: no rows, a missing column, times that do not grow, a value that is
    negative or not finite.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(_rows(path, column, file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a trace: {error}") from error
    if not rows:
        raise InputError(f"{path}: the trace is empty: a header line {TIME},{column} and rows are expected")
    return [time for time, _ in rows], [value for _, value in rows]


def _rows(path: Path, column: str, lines: Iterator[str]) -> Iterator[tuple[float, float]]:
    places: list[int] | None = None
    last_s = -math.inf
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in next(csv.reader([line]))]
        where = f"{path}, line {number}"
        if places is None:
            places = [_place(fields, name, where) for name in (TIME, column)]
            continue
        time_s, value = (_number(fields, *each, where) for each in zip(places, (TIME, column), strict=True))
        if time_s <= last_s:
            raise InputError(f"{where}: time_s must grow, found {time_s} after {last_s}")
        if value < 0:
            raise InputError(f"{where}: {column} must not be negative, found {value}")
        yield time_s, value
        last_s = time_s


def _place(fields: list[str], name: str, where: str) -> int:
    if name not in fields:
        raise InputError(f"{where}: no column {name}; found {', '.join(fields)}")
    return fields.index(name)


def _number(fields: list[str], place: int, name: str, where: str) -> float:
    text = fields[place] if place < len(fields) else ""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {name} must be a finite number, found {text!r}")
    return value
