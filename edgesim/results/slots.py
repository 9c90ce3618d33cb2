"""What every request's slot held, and when: the rule by which one run is thresholded over a deadline axis.

A device keeps one slot per request.  A new answer replaces what it holds only if its exit is at least as deep.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgesim.errors import InputError
from edgesim.results.axis import DeadlineAxis
from edgesim.results.cells import Cells, recode
from edgesim.results.tables import Table
from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S


@dataclass(frozen=True)
class SlotHistory:
    """A row per answer of a counted request that entered its slot; all arrays (rows,).

    The slot holds the row's answer from ``enter_s`` until just before ``leave_s`` (infinite: for ever), both since
    the arrival.  ``request``: the request's row.  ``relative``: its deadline over its class's mean.  ``first``: the
    first answer.  ``gain``: how much less the answer is off than no answer; NaN in classification.
    """

    cell: np.ndarray
    request: np.ndarray
    sample: np.ndarray
    enter_s: np.ndarray
    leave_s: np.ndarray
    relative: np.ndarray
    correct: np.ndarray
    gain: np.ndarray
    first: np.ndarray

    def held(self, deadline_s: float) -> np.ndarray:
        """Which rows the slots hold at a deadline of the axis: at most one of each request, bool (rows,)."""
        limit_s = self.relative * deadline_s + ON_TIME_TOLERANCE_S
        return (self.enter_s <= limit_s) & (limit_s < self.leave_s)

    def answered(self, deadline_s: float) -> np.ndarray:
        """Which rows are first answers that came by a deadline of the axis, bool (rows,)."""
        return self.first & (self.enter_s <= self.relative * deadline_s + ON_TIME_TOLERANCE_S)


def slot_history(answers: Table, requests: Table, cells: Cells, axis: DeadlineAxis) -> SlotHistory:
    """The slots' history, from the answers of counted requests in cells that are thresholded."""
    answer_cell = cells.of(answers)
    thresholded = np.array([cell.axis_deadline_ms is None for cell in cells.cells] + [False])
    wanted = np.flatnonzero(answers.column("counted") & thresholded[answer_cell])
    request = _request_keys(answers, answer_cell, requests, wanted)
    time_s, depth = answers.column("time_s")[wanted], answers.column("depth")[wanted]

    order = np.lexsort((time_s, request))  # stable: at one instant the answers keep the order in which they came
    request, time_s, depth, wanted = request[order], time_s[order], depth[order], wanted[order]
    first = np.r_[True, request[1:] != request[:-1]][: len(request)]
    enters = np.flatnonzero(depth >= _deepest_so_far(depth, first))
    request, first = request[enters], first[enters]
    enter_s, wanted = time_s[enters], wanted[enters]
    leave_s = np.full(len(enters), np.inf)
    same = np.flatnonzero(request[1:] == request[:-1])
    leave_s[same] = enter_s[same + 1]
    asked = _places(requests, cells, request)
    return SlotHistory(
        cell=answer_cell[wanted],
        request=asked,
        sample=requests.column("sample")[asked],
        enter_s=enter_s,
        leave_s=leave_s,
        relative=axis.relative(answers.names("device"), answers.column("deadline_s"))[wanted],
        correct=answers.column("correct")[wanted],
        gain=requests.column("missed_error")[asked] - answers.column("error")[wanted],
        first=first,
    )


def request_rows(answers: Table, requests: Table, cells: Cells) -> np.ndarray:
    """The row of ``requests`` that each row of ``answers`` belongs to."""
    return _places(requests, cells, _request_keys(answers, cells.of(answers), requests, np.arange(len(answers))))


def _deepest_so_far(depth: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The running maximum of depth within each request; ``first`` marks where a request begins."""
    if not len(depth):
        return depth
    span = int(depth.max()) - int(depth.min()) + 1
    lift = np.cumsum(first, dtype=np.int64) * span
    return np.maximum.accumulate(depth + lift) - lift


def _request_keys(table: Table, cell: np.ndarray, requests: Table, rows: np.ndarray) -> np.ndarray:
    """One integer for each request (cell, device, number), the same in both tables."""
    words = requests.names("device").words
    numbers = int(requests.column("number").max(initial=0)) + 1
    device = recode(table.names("device"), words)[rows]
    return (cell[rows] * len(words) + device) * numbers + table.column("number")[rows]


def _places(requests: Table, cells: Cells, keys: np.ndarray) -> np.ndarray:
    """The row of each request named by its key."""
    known = _request_keys(requests, cells.of_requests, requests, np.arange(len(requests)))
    order = np.argsort(known, kind="stable")
    places = order[np.searchsorted(known, keys, sorter=order) % max(len(known), 1)]
    if not np.array_equal(known[places], keys):
        raise InputError(f"{requests.path.parent}: answers.parquet holds requests that requests.parquet does not")
    return places
