"""Values over time in a CSV file: the column ``time_s`` and others."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgesim.errors import InputError

TIME = "time_s"


def read_series(path: Path, column: str) -> tuple[list[float], list[float]]:
    """(times in seconds, values of ``column``), a pair a line; errors as ``read_columns``, and negative values."""
    times_s, values = read_columns(path, (column,), negative=False)
    return times_s, values


def read_columns(path: Path, columns: Sequence[str], negative: bool = True) -> list[list[float]]:
    """Times in seconds and the values of each column; other columns, empty lines and ``#`` lines are ignored.

    Raises InputError naming file and line: no rows, a missing column, times that do not grow, a value that is not
    finite, or negative where it must not be.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(_rows(path, (TIME, *columns), negative, file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a trace: {error}") from error
    if not rows:
        header = ",".join((TIME, *columns))
        raise InputError(f"{path}: the trace is empty: a header line {header} and rows are expected")
    return [list(values) for values in zip(*rows, strict=True)]


def _rows(path: Path, columns: Sequence[str], negative: bool, lines: Iterator[str]) -> Iterator[list[float]]:
    places: list[int] | None = None
    last_s = -math.inf
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in next(csv.reader([line]))]
        where = f"{path}, line {number}"
        if places is None:
            places = [_place(fields, name, where) for name in columns]
            continue
        row = [_number(fields, *each, where) for each in zip(places, columns, strict=True)]
        if row[0] <= last_s:
            raise InputError(f"{where}: time_s must grow, found {row[0]} after {last_s}")
        for name, value in zip(columns[1:], row[1:], strict=True):
            if value < 0 and not negative:
                raise InputError(f"{where}: {name} must not be negative, found {value}")
        yield row
        last_s = row[0]


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
