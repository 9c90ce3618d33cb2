"""What all trace formats share: the file, what a user may say of it, and the checks of its rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from edgesim.errors import InputError
from edgesim.network.trace import Direction, Trace

Series = tuple[tuple[str, str], ...]
"""Which of the series in a file: pairs (key, value)."""


@dataclass(frozen=True)
class Reading:
    """What a user says of a file; all that is not given follows from the file.

    format: a name in the registry.  time_column, rate_column, unit: of a CSV file.  where: the rows that are meant,
    by columns and their values.
    """

    format: str | None = None
    time_column: str | None = None
    rate_column: str | None = None
    unit: str | None = None
    where: Series = ()

    def given(self) -> set[str]:
        """Names of what is said beside the format."""
        return {each.name for each in fields(self) if getattr(self, each.name)} - {"format"}


@dataclass(frozen=True)
class TraceFile:
    """The text of a file."""

    path: Path
    text: str

    @cached_property
    def lines(self) -> list[tuple[int, str]]:
        """(number from 1, text) of each line that is neither empty nor begins with ``#``."""
        stripped = enumerate(map(str.strip, self.text.splitlines()), start=1)
        return [(number, line) for number, line in stripped if line and not line.startswith("#")]

    def where(self, number: int, what: str = "line") -> str:
        return f"{self.path}, {what} {number}"

    def refused(self, reason: str) -> InputError:
        return InputError(f"{self.path}: {reason}")


class Format(NamedTuple):
    """One format of trace files.

    recognises: whether a file is of this format, by its content.  options: what of ``Reading`` it makes use of.
    series: those that a file holds and a reading admits, where it may hold several.
    """

    name: str
    recognises: Callable[[TraceFile], bool]
    read: Callable[[TraceFile, Reading], Trace]
    options: frozenset[str] = frozenset()
    series: Callable[[TraceFile, Reading], list[Series]] = lambda file, reading: [()]


class Row(NamedTuple):
    """A rate from a time on; ``where`` names the place in the file for errors."""

    where: str
    time_s: float
    rate_mbps: float


def trace_of_rows(
    file: TraceFile,
    format: str,
    rows: Iterable[Row],
    expected: str,
    direction: Direction = "unknown",
    end_s: float | None = None,
) -> Trace:
    """A trace whose rows have been checked.  expected: what a file of this format holds, for the error of an empty one.

    Raises InputError naming file and place: no rows, times that do not grow, a rate that is negative, or a trace
    without any positive rate (nothing would ever arrive).
    """
    times_s, rates_mbps = list[float](), list[float]()
    for where, time_s, rate_mbps in rows:
        if times_s and time_s <= times_s[-1]:
            raise InputError(f"{where}: times must grow, found {time_s:.10g} s after {times_s[-1]:.10g} s")
        if rate_mbps < 0:
            raise InputError(f"{where}: rates must not be negative, found {rate_mbps:g} Mb/s")
        times_s.append(time_s)
        rates_mbps.append(rate_mbps)
    if not times_s:
        raise file.refused(f"the trace is empty: {expected} expected")
    if not any(rates_mbps):
        raise file.refused("every rate is 0: nothing sent over this trace would ever arrive")
    return Trace(file.path, times_s, rates_mbps, end_s, direction=direction, format=format)


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def finite(text: str, name: str, where: str) -> float:
    """The number in ``text``; InputError where it is none, or not finite."""
    value = float(text) if is_number(text) else math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {name} must be a finite number, found {text!r}")
    return value
