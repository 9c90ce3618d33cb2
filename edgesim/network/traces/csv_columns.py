"""Any CSV file with a header: a column of times and a column of rates, ``time_s`` and ``rate_mbps`` unless named.

A name that ends in a unit (``time_ms``, ``rate_kbps``) has that unit; other times are in seconds, other rates in
Mb/s or in the ``unit`` that is given.  Times may also be dates, as ISO 8601 or as the two further forms below; only
their differences matter.  Further columns are ignored.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime

from edgesim.errors import InputError
from edgesim.network.trace import Trace
from edgesim.network.traces.base import Format, Reading, Row, TraceFile, finite, is_number, trace_of_rows

TIME_COLUMN, RATE_COLUMN = "time_s", "rate_mbps"
UNITS = {"bps": 1e-6, "kbps": 1e-3, "mbps": 1.0, "gbps": 1e3}
"""Mb/s in each, all decimal."""

DATES = ("%a %b %d %H:%M:%S UTC %Y", "%Y.%m.%d_%H.%M.%S")
"""Of the Unix command ``date`` (as in MTU's 5G uploads) and of G-NetTrack (as in the Irish sets)."""


def read(file: TraceFile, reading: Reading) -> Trace:
    """Errors as ``trace_of_rows``; also a missing column, or a field that is no number."""
    time_column, rate_column = reading.time_column or TIME_COLUMN, reading.rate_column or RATE_COLUMN
    expected = f"a header line {time_column},{rate_column} and rows are"
    return trace_of_rows(file, "csv", _rows(file, reading, time_column, rate_column), expected)


def _rows(file: TraceFile, reading: Reading, time_column: str, rate_column: str) -> Iterator[Row]:
    if not file.lines:
        return
    (number, header), *lines = file.lines
    columns = split(header)
    wanted = dict(reading.where)
    for name in (time_column, rate_column, *wanted):
        if name not in columns:
            raise InputError(f"{file.where(number)}: no column {name}; found {', '.join(columns)}")
    time_scale = 1e-3 if time_column.lower().rpartition("_")[2] == "ms" else 1.0
    rate_scale = UNITS[reading.unit or _unit(rate_column)]
    for number, line in lines:
        fields = dict(zip(columns, split(line), strict=False))
        if all(fields.get(name) == value for name, value in wanted.items()):
            where = file.where(number)
            time_s = time_scale * _time(fields.get(time_column, ""), time_column, where)
            yield Row(where, time_s, rate_scale * finite(fields.get(rate_column, ""), rate_column, where))


def split(line: str) -> list[str]:
    """The fields of a line."""
    return [field.strip() for field in next(csv.reader([line]))]


def _unit(rate_column: str) -> str:
    ending = rate_column.lower().rpartition("_")[2]
    return ending if ending in UNITS else "mbps"


def _time(text: str, name: str, where: str) -> float:
    if not is_number(text) and (date := _date(text)) is not None:
        return date.timestamp()
    return finite(text, name, where)


def _date(text: str) -> datetime | None:
    """A date without a zone is taken as UTC: there, no hour comes twice."""
    for form in (None, *DATES):
        try:
            date = datetime.fromisoformat(text) if form is None else datetime.strptime(text, form)
        except ValueError:
            continue
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    return None


FORMAT = Format("csv", lambda file: True, read, options=frozenset({"time_column", "rate_column", "unit", "where"}))
