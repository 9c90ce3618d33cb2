"""Packet delivery opportunities as mahimahi's mm-link replays them (Netravali et al., USENIX ATC 2015).

Each line is a millisecond from the start; n equal lines are n packets of 1,500 bytes that may leave in it.  The last
timestamp is the period after which the file starts again.  The opportunities of millisecond t are read as a rate of
n x 12 Mb/s over (t - 1, t] ms, so that by t as many bits have flowed as there; those of millisecond 0, which mm-link
serves as the file starts, count in the first millisecond.  Files named ``.up`` and ``.down`` say their direction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from edgesim.errors import InputError
from edgesim.network.trace import Direction, Trace
from edgesim.network.traces.base import Format, Reading, Row, TraceFile, trace_of_rows

PACKET_MBITS_IN_1_MS = 12.0
DIRECTIONS: dict[str, Direction] = {".up": "up", ".down": "down"}


def recognises(file: TraceFile) -> bool:
    return bool(file.lines) and file.lines[0][1].isdecimal()


def read(file: TraceFile, reading: Reading) -> Trace:
    """Raises InputError naming the line where a timestamp is no whole number or falls, or where all are 0."""
    stamps_ms = list(_stamps_ms(file))
    if not stamps_ms or stamps_ms[-1] == 0:
        raise file.refused("the trace is empty: timestamps in ms, the last above 0, are expected")
    direction = DIRECTIONS.get(file.path.suffix.lower(), "unknown")
    rows = _rows(file, Counter(max(stamp, 1) for stamp in stamps_ms))
    trace = trace_of_rows(file, "mahimahi", rows, "timestamps are", direction, end_s=stamps_ms[-1] / 1e3)
    return replace(trace, grain_s=1e-3)


def _stamps_ms(file: TraceFile) -> Iterator[int]:
    last_ms = 0
    for number, line in file.lines:
        if not line.isdecimal():
            raise InputError(f"{file.where(number)}: a timestamp must be a whole number of ms, found {line!r}")
        stamp_ms = int(line)
        if stamp_ms < last_ms:
            raise InputError(f"{file.where(number)}: timestamps must not fall, found {stamp_ms} after {last_ms}")
        yield stamp_ms
        last_ms = stamp_ms


def _rows(file: TraceFile, packets: Counter[int]) -> Iterator[Row]:
    """A row for each millisecond with packets, and one for each gap between them."""
    idle_from_ms = 0
    for end_ms, count in packets.items():
        if end_ms - 1 > idle_from_ms:
            yield Row("", idle_from_ms / 1e3, 0.0)
        yield Row("", (end_ms - 1) / 1e3, count * PACKET_MBITS_IN_1_MS)
        idle_from_ms = end_ms


FORMAT = Format("mahimahi", recognises, read)
