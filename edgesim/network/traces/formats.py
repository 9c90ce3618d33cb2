"""The formats of trace files, and reading a file by its content."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from edgesim.errors import InputError
from edgesim.network.trace import Trace
from edgesim.network.traces import csv_columns, five_gophers, mahimahi, mets, pensieve, sabre
from edgesim.network.traces.base import Format, Reading, Series, TraceFile

FORMATS: dict[str, Format] = {
    module.FORMAT.name: module.FORMAT for module in (sabre, five_gophers, mets, pensieve, mahimahi, csv_columns)
}
"""By name, in the order in which they are tried; CSV with named columns takes what no other has recognised."""


def read_trace(path: Path, reading: Reading | None = None) -> Trace:
    """The trace in a file, whose format is recognised by its content unless it is named.

    Raises InputError naming file and line where the file cannot be read, is not of its format, or holds no rates that
    can be replayed, and where ``reading`` says what its format has no use for.
    """
    reading = reading or Reading()
    with _readable(path):
        file, format = _open(path, reading)
        useless = sorted(reading.given() - format.options)
        if useless:
            raise file.refused(f"is read as {format.name}, which has no use for {', '.join(useless)}")
        return format.read(file, reading)


def read_all(path: Path, reading: Reading | None = None) -> list[tuple[Series, Trace]]:
    """Every series in a file that ``reading`` admits, with its name: one without a name in most formats.

    Errors as ``read_trace``.
    """
    reading = reading or Reading()
    with _readable(path):
        file, format = _open(path, reading)
        names = format.series(file, reading)
    return [(name, read_trace(path, replace(reading, where=reading.where + name))) for name in names]


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a trace: {error}") from error


def _open(path: Path, reading: Reading) -> tuple[TraceFile, Format]:
    file = TraceFile(path, path.read_text(encoding="utf-8-sig"))
    if reading.format is not None:
        return file, FORMATS[reading.format]
    return file, next(format for format in FORMATS.values() if format.recognises(file))
