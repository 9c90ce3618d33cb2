"""Writing a run's records: rows are collected and written a row group at a time."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from edgesim.engine.request import ENERGY, SPENT_S, WASTED_J, WASTED_S
from edgesim.results.arrow import arrow_names, arrow_numbers
from edgesim.results.columns import (
    BOOL,
    CELL,
    FLOAT64,
    INT32,
    INT64,
    NAME,
    TABLES,
    Column,
    arrow_schema,
)
from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S

if TYPE_CHECKING:
    from edgesim.engine.request import GivenAnswer, Request

ROW_GROUP = 8192
ON_TIME, LATE, DROPPED, UNFINISHED = "on_time", "late", "dropped", "unfinished"
STAGES = 11
"""Of a request's sums, those that are columns as they are."""
_NUMPY = {INT32: np.int32, INT64: np.int64, FLOAT64: np.float64, BOOL: np.bool_}


CellKey = tuple[str, float, int]
"""(policy, deadline of the axis in ms or NaN, replication)."""


class TableWriter:
    """A Parquet file that grows by rows (tuples) of one cell after the other; the cell's own columns are added here."""

    def __init__(self, path: Path, columns: tuple[Column, ...]) -> None:
        self._columns = columns[len(CELL) :]
        self._cell: CellKey = ("", nan, 0)
        self._schema = arrow_schema(columns)
        names = [column.name for column in columns if column.kind == NAME]
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd", use_dictionary=names)
        self._rows: list[tuple[Any, ...]] = []

    def begin(self, cell: CellKey) -> None:
        """The rows from here on are of ``cell``."""
        self._flush()
        self._cell = cell

    def append(self, row: tuple[Any, ...]) -> None:
        self._rows.append(row)
        if len(self._rows) == ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        count = len(self._rows)
        if not count:
            return
        policy, axis_deadline_ms, replication = self._cell
        arrays = [
            arrow_names([policy] * count),
            arrow_numbers(np.full(count, axis_deadline_ms)),
            arrow_numbers(np.full(count, replication, np.int32)),
        ]
        arrays += map(_array, self._columns, zip(*self._rows, strict=True))
        self._file.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._rows.clear()

    def close(self) -> None:
        self._flush()
        self._file.close()


def _array(column: Column, values: tuple[Any, ...]) -> pa.Array:
    return arrow_names(values) if column.kind == NAME else arrow_numbers(np.array(values, _NUMPY[column.kind]))


def held_by(answers: list[GivenAnswer], limit_s: float) -> tuple[GivenAnswer | None, GivenAnswer | None]:
    """What the slot holds at an absolute time, and what it holds in the end; sorts the answers by time.

    The slot holds the deepest answer that has come, of equals the later one.
    """
    if len(answers) > 1:
        answers.sort(key=lambda answer: answer[0])
    used = final = None
    for answer in answers:
        if final is None or answer[1] >= final[1]:
            final = answer
            if answer[0] <= limit_s:
                used = answer
    return used, final


class RunRecorder:
    """Records cells, one after the other, into ``folder``: requests, answers, links and nodes.

    window: requests that arrive within it count.  num_blocks: by model, for requests that sent nothing.
    """

    def __init__(self, folder: Path, window: tuple[float, float], num_blocks: Mapping[str, int]) -> None:
        self._tables = {stem: TableWriter(folder / f"{stem}.parquet", columns) for stem, columns in TABLES.items()}
        self._requests, self._answers = self._tables["requests"], self._tables["answers"]
        self._window = window
        self._num_blocks = num_blocks

    def begin(self, cell: CellKey) -> None:
        """What is recorded from here on belongs to ``cell``."""
        for table in self._tables.values():
            table.begin(cell)

    def request(self, request: Request, end_s: float) -> None:
        """Write the request's row, and one for each of its answers."""
        arrival_s, sums, answers = request.arrival_s, request.sums, request.answers
        limit_s = request.deadline_s + ON_TIME_TOLERANCE_S
        deadline_s = request.deadline_s - arrival_s
        low, high = self._window
        counted = low <= arrival_s <= high
        device, number, cut = request.device.name, request.number, request.cut
        used, final = held_by(answers, limit_s)
        in_time = used is not None
        if answers:
            time_s, _, model, exit, scores = used or answers[-1]
            end, reason, prediction = (ON_TIME if in_time else LATE), "", scores.prediction
        else:
            end, reason = (UNFINISHED if request.open else DROPPED), request.reason
            model, exit, prediction = "", -1, nan
        if in_time:
            wasted_s, wasted_bytes, wasted_j = sums[WASTED_S], request.wasted_bytes, sums[WASTED_J]
        else:
            wasted_s, wasted_bytes, wasted_j = sums[SPENT_S], request.bytes_up, sums[ENERGY]
        self._requests.append(
            (
                device,
                number,
                request.sample,
                arrival_s,
                deadline_s,
                counted,
                end,
                reason,
                answers[0][0] - arrival_s if answers else nan,
                time_s - arrival_s if in_time else nan,
                len(answers),
                model,
                exit,
                prediction,
                in_time and scores.correct,
                final is not None and final[4].correct,
                self._num_blocks[request.device.root.model] if cut < 0 else cut,
                request.codec,
                *sums[:STAGES],
                request.bytes_up,
                request.bytes_down,
                sums[ENERGY],
                wasted_s,
                wasted_bytes,
                wasted_j,
            )
        )
        for time_s, depth, model, exit, scores in answers:
            since_s = time_s - arrival_s
            self._answers.append(
                (device, number, counted, since_s, deadline_s, model, depth, exit, scores.prediction, scores.correct)
            )

    def link(self, row: tuple[Any, ...]) -> None:
        """(link, device, direction, busy_s, bytes, wire_bytes, transfers)."""
        self._tables["links"].append(row)

    def node(self, row: tuple[Any, ...]) -> None:
        """(node, busy_s, workers, served, batches, queue_max, queue_mean, window_s, energy_idle_j)."""
        self._tables["nodes"].append(row)

    def close(self) -> None:
        for table in self._tables.values():
            table.close()
