"""A JSON list of ``{duration_ms, bandwidth_kbps, latency_ms}``, as Sabre reads it (Spiteri et al., MMSys 2018).

Durations are about a second each, but not equal.  The latency is not read: a link has its own ``delay_ms``.  The
traces that come with Sabre are downloads of video.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from edgesim.errors import InputError
from edgesim.network.trace import Trace
from edgesim.network.traces.base import Format, Reading, Row, TraceFile, finite, trace_of_rows


def recognises(file: TraceFile) -> bool:
    return file.text.lstrip().startswith("[")


def read(file: TraceFile, reading: Reading) -> Trace:
    """Errors as ``trace_of_rows``, by number of the entry; also what is no such JSON."""
    try:
        entries = json.loads(file.text)
    except ValueError as error:
        raise file.refused(f"cannot be read as JSON: {error}") from error
    if not isinstance(entries, list):
        raise file.refused("a list of entries is expected")
    found = list(_entries(file, entries))
    times_s = list(accumulate((duration_s for _, duration_s, _ in found), initial=0.0))
    rows = [Row(where, time_s, rate) for (where, _, rate), time_s in zip(found, times_s, strict=False)]
    return trace_of_rows(file, "sabre", rows, "entries with duration_ms and bandwidth_kbps are", "down", times_s[-1])


def _entries(file: TraceFile, entries: list[Any]) -> Iterator[tuple[str, float, float]]:
    """(where, duration in s, rate in Mb/s)."""
    for number, entry in enumerate(entries, start=1):
        where = file.where(number, "entry")
        duration_ms, rate_kbps = (_number(entry, key, where) for key in ("duration_ms", "bandwidth_kbps"))
        if duration_ms <= 0:
            raise InputError(f"{where}: duration_ms must be above 0, found {duration_ms:g}")
        yield where, duration_ms / 1e3, rate_kbps / 1e3


def _number(entry: Any, key: str, where: str) -> float:
    value = entry.get(key) if isinstance(entry, dict) else None
    return finite("" if isinstance(value, bool) or value is None else str(value), key, where)


FORMAT = Format("sabre", recognises, read)
