"""CSV files of 5Gophers v1.0: downloads over US carriers in 2019, a row a second (Narayanan et al., WWW 2020).

A file may hold several series side by side (a column for each carrier) or one after the other (carriers, numbers of
TCP connections, servers, runs): they are never joined, and a user chooses one.  The number of connections matters: over
one connection Sprint's downloads are ten times slower than over eight.  Seconds that are missing (six in each drive)
are left out, so that time closes over them: nothing is known of the rate there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from edgesim.errors import InputError
from edgesim.network.trace import Trace
from edgesim.network.traces.base import Format, Reading, Row, Series, TraceFile, finite, trace_of_rows
from edgesim.network.traces.csv_columns import split

TIME_COLUMN, RATE_COLUMN, RTT_COLUMN = "seq_num", "throughput_mbps", "rtt_ms"
KEYS = ("carrier", "num_tcp_conn", "server_location", "run_num")


class _Header(NamedTuple):
    columns: list[str]
    rates: dict[str, str]
    """By column of rates, its carrier: empty where a column of its own names it."""


def recognises(file: TraceFile) -> bool:
    columns = set(split(file.lines[0][1])) if file.lines else set()
    rates = {TIME_COLUMN, "num_tcp_conn"} <= columns and any(name.endswith(RATE_COLUMN) for name in columns)
    return rates or {RTT_COLUMN, "carrier", "server_location"} <= columns


def series(file: TraceFile, reading: Reading) -> list[Series]:
    """Those in the file that ``where`` admits; of keys that are the same for all only the connections are named."""
    found = list(dict.fromkeys(key for key, _ in _chosen(file, reading)))
    pairs = {pair for key in found for pair in key}
    telling = {pair for pair in pairs if pair[0] == "num_tcp_conn" or any(pair not in key for key in found)}
    return [tuple(pair for pair in key if pair in telling) for key in found]


def read(file: TraceFile, reading: Reading) -> Trace:
    """Errors as ``trace_of_rows``; also where the file holds several series and ``where`` does not choose one."""
    chosen = _chosen(file, reading)
    left = list(dict.fromkeys(key for key, _ in chosen))
    if len(left) != 1:
        choices = _choices(left or series(file, Reading()))
        raise file.refused(f"holds {len(left)} such series; choose one with where: {choices}")
    rows = [row for _, row in chosen]
    for before, row in pairwise(rows):
        if row.time_s <= before.time_s:
            raise InputError(f"{row.where}: {TIME_COLUMN} must grow, found {row.time_s:g} after {before.time_s:g}")
    seconds = (row._replace(time_s=float(second)) for second, row in enumerate(rows))
    return trace_of_rows(file, "5gophers", seconds, "a header and rows are", "down")


def _chosen(file: TraceFile, reading: Reading) -> list[tuple[Series, Row]]:
    wanted = {name: value.lower() for name, value in reading.where}
    known = {name for key, _ in _rows(file) for name, _ in key}
    for name in wanted:
        if name not in known:
            raise file.refused(f"no {name} to choose by; there are {', '.join(sorted(known))}")
    return [(key, row) for key, row in _rows(file) if all(dict(key)[k].lower() == v for k, v in wanted.items())]


@lru_cache(maxsize=1)
def _rows(file: TraceFile) -> tuple[tuple[Series, Row], ...]:
    """Kept, since the series of a file are read one after the other."""
    return tuple(_parsed(file))


def _parsed(file: TraceFile) -> Iterator[tuple[Series, Row]]:
    if not file.lines:
        return
    (number, line), *lines = file.lines
    header = _header(file, line)
    for number, line in lines:
        where = file.where(number)
        fields = dict(zip(header.columns, split(line), strict=False))
        time_s = finite(fields.get(TIME_COLUMN, ""), TIME_COLUMN, where)
        for column, carrier in header.rates.items():
            known = {**fields, "carrier": carrier} if carrier else fields
            key = tuple((name, known[name]) for name in KEYS if name in known)
            yield key, Row(where, time_s, finite(fields.get(column, ""), column, where))


def _header(file: TraceFile, line: str) -> _Header:
    columns = split(line)
    if RTT_COLUMN in columns:
        raise file.refused("holds round-trip times, and no rates")
    if TIME_COLUMN not in columns:
        raise InputError(f"{file.where(file.lines[0][0])}: no column {TIME_COLUMN}; found {', '.join(columns)}")
    rates = {name: name.removesuffix(RATE_COLUMN).strip("_") for name in columns if name.endswith(RATE_COLUMN)}
    return _Header(columns, rates)


def _choices(found: list[Series]) -> str:
    values: dict[str, list[str]] = {}
    for name, value in (pair for key in found for pair in key):
        values.setdefault(name, []).append(value)
    several = {name: list(dict.fromkeys(each)) for name, each in values.items()}
    return "; ".join(f"{name} ({_some(each)})" for name, each in several.items() if len(each) > 1)


def _some(values: list[str]) -> str:
    return ", ".join(values if len(values) < 8 else [*values[:3], "...", values[-1]])


FORMAT = Format("5gophers", recognises, read, frozenset({"where"}), series)
