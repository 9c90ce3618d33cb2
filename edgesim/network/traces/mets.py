"""Lines of ``value,unit``, one a second, as iPerf logged them for NYU-METS (Mei et al., PAM 2019).

The unit changes from line to line.  The server logged; which way the bits went is not said.
"""

from __future__ import annotations

import re

from edgesim.errors import InputError
from edgesim.network.trace import Trace
from edgesim.network.traces.base import Format, Reading, Row, TraceFile, finite, trace_of_rows

UNITS = {"bits/sec": 1e-6, "Kbits/sec": 1e-3, "Mbits/sec": 1.0, "Gbits/sec": 1e3}
"""Mb/s in each; iPerf's prefixes of bits are decimal."""

_LINE = re.compile(r"[^,]*,\s*[KMG]?bits/sec")


def recognises(file: TraceFile) -> bool:
    return bool(file.lines) and _LINE.fullmatch(file.lines[0][1]) is not None


def read(file: TraceFile, reading: Reading) -> Trace:
    """Errors as ``trace_of_rows``; also a value that is no number, or an unknown unit."""
    rows = (_row(second, line, file.where(number)) for second, (number, line) in enumerate(file.lines))
    return trace_of_rows(file, "mets", rows, "lines 'value,unit' are")


def _row(second: int, line: str, where: str) -> Row:
    value, _, unit = map(str.strip, line.partition(","))
    if unit not in UNITS:
        raise InputError(f"{where}: the unit must be {', '.join(UNITS)}; found {unit!r}")
    return Row(where, float(second), UNITS[unit] * finite(value, "the value", where))


FORMAT = Format("mets", recognises, read)
