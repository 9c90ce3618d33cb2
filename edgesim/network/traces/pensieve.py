"""Lines of ``seconds Mb/s``, as cooked for Pensieve (Mao et al., SIGCOMM 2017) and its many successors.

A line's rate holds from the line before it up to its own time, as Pensieve's simulator reads it: the first line only
says where time starts, and the last one's time is the period.  The traces are downloads of video.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import inf

from edgesim.errors import InputError
from edgesim.network.trace import Trace
from edgesim.network.traces.base import Format, Reading, Row, TraceFile, finite, is_number, trace_of_rows


def recognises(file: TraceFile) -> bool:
    fields = file.lines[0][1].split() if file.lines else []
    return len(fields) == 2 and all(is_number(field) for field in fields)


def read(file: TraceFile, reading: Reading) -> Trace:
    """Errors as ``trace_of_rows``; also a line that is not two numbers."""
    lines = list(_lines(file))
    rows = [Row(where, start_s, rate) for (_, start_s, _), (where, _, rate) in pairwise(lines)]
    end_s = lines[-1][1] if lines else None
    return trace_of_rows(file, "pensieve", rows, "two lines 'seconds Mb/s' at least are", "down", end_s)


def _lines(file: TraceFile) -> Iterator[tuple[str, float, float]]:
    """(where, end of the rate in s, rate in Mb/s)."""
    last_s = -inf
    for number, line in file.lines:
        where = file.where(number)
        end_s, rate_mbps = _pair(line, where)
        if end_s <= last_s:
            raise InputError(f"{where}: times must grow, found {end_s:.10g} s after {last_s:.10g} s")
        yield where, end_s, rate_mbps
        last_s = end_s


def _pair(line: str, where: str) -> tuple[float, float]:
    fields = line.split()
    if len(fields) != 2:
        raise InputError(f"{where}: 'seconds Mb/s' is expected, found {line!r}")
    return finite(fields[0], "the time", where), finite(fields[1], "the rate", where)


FORMAT = Format("pensieve", recognises, read)
