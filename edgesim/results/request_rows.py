"""What is kept of a request until its row is written, and the columns that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from struct import Struct
from typing import TYPE_CHECKING

import numpy as np

from edgesim.results.columns import STAGES
from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S

if TYPE_CHECKING:
    from edgesim.results.recorder import Codes

ON_TIME, LATE, DROPPED, UNFINISHED = "on_time", "late", "dropped", "unfinished"

FIELDS = (
    ("device", "i"),
    ("number", "i"),
    ("sample", "i"),
    ("arrival_s", "d"),
    ("deadline_at_s", "d"),
    ("open", "?"),
    ("reason", "i"),
    ("answers", "i"),
    ("first_s", "d"),
    ("shown_s", "d"),
    ("depth", "i"),
    ("model", "i"),
    ("exit", "i"),
    ("prediction", "d"),
    ("shown_correct", "?"),
    ("answer_error", "d"),
    ("final_correct", "?"),
    ("cut", "i"),
    ("codec", "i"),
    *((stage, "d") for stage in STAGES),
    ("energy_j", "d"),
    ("late_s", "d"),
    ("late_j", "d"),
    ("spent_s", "d"),
    ("bytes_up", "q"),
    ("bytes_down", "q"),
    ("late_bytes", "q"),
)
"""Times that end in ``at_s``, ``first_s`` and ``shown_s`` are absolute; the last two are NaN without an answer.

shown: the answer that the slot holds at the deadline, or else the last one.  late: spent after the deadline.  The
letters mean the same in ``struct`` and in numpy.
"""
DTYPE = np.dtype(list(FIELDS))
pack = Struct("=" + "".join(form for _, form in FIELDS)).pack

Columns = Mapping[str, np.ndarray]


def request_columns(kept: Columns, window: tuple[float, float], missed_errors: np.ndarray, codes: Codes) -> Columns:
    """The columns of requests.parquet but for the cell's own, and those kept; names as numbers out of ``codes``."""
    low, high = window
    arrival_s, deadline_at_s, shown_s = kept["arrival_s"], kept["deadline_at_s"], kept["shown_s"]
    answered = kept["answers"] > 0
    on_time = shown_s <= deadline_at_s + ON_TIME_TOLERANCE_S
    missed_error = missed_errors[kept["sample"]]
    unanswered = np.where(kept["open"], codes[UNFINISHED], codes[DROPPED])
    end = np.where(on_time, codes[ON_TIME], np.where(answered, codes[LATE], unanswered))
    found = {name: kept[name] for name, _ in FIELDS}
    return found | {
        "deadline_s": deadline_at_s - arrival_s,
        "counted": (low <= arrival_s) & (arrival_s <= high),
        "end": end.astype(np.int32),
        "reason": np.where(answered, np.int32(codes[""]), kept["reason"]),
        "latency_s": kept["first_s"] - arrival_s,
        "used_s": np.where(on_time, shown_s - arrival_s, nan),
        "correct": on_time & kept["shown_correct"],
        "error": np.where(on_time, kept["answer_error"], missed_error),
        "missed_error": missed_error,
        "wasted_s": np.where(on_time, kept["late_s"], kept["spent_s"]),
        "wasted_bytes": np.where(on_time, kept["late_bytes"], kept["bytes_up"]),
        "wasted_j": np.where(on_time, kept["late_j"], kept["energy_j"]),
    }
