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


def slot_at(answers: list[GivenAnswer], time_s: float) -> GivenAnswer | None:
    """What the slot holds at an absolute time: the deepest answer that has come, of equals the later one."""
    held = None
    for answer in answers:
        if answer[0] <= time_s and (held is None or (answer[1], answer[0]) >= (held[1], held[0])):
            held = answer
    return held


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
        arrival_s, deadline_s = request.arrival_s, request.deadline_s
        low, high = self._window
        counted = low <= arrival_s <= high
        answers = request.answers
        used: GivenAnswer | None
        final: GivenAnswer | None
        shown: GivenAnswer | None
        if len(answers) == 1:
            shown = final = answers[0]
            first_s = shown[0]
            in_time = first_s <= deadline_s + ON_TIME_TOLERANCE_S
            used = shown if in_time else None
        elif answers:
            answers.sort(key=lambda answer: answer[0])
            first_s = answers[0][0]
            in_time = first_s <= deadline_s + ON_TIME_TOLERANCE_S
            used = slot_at(answers, deadline_s + ON_TIME_TOLERANCE_S)
            final = slot_at(answers, answers[-1][0])
            shown = used or answers[-1]
        else:
            first_s, in_time, used, final, shown = nan, False, None, None, None
        self._requests.append(self._row(request, counted, first_s, in_time, used, final, shown))
        device, number = request.device.name, request.number
        for time_s, depth, model, exit, scores in answers:
            self._answers.append(
                (
                    device,
                    number,
                    counted,
                    time_s - arrival_s,
                    deadline_s - arrival_s,
                    model,
                    depth,
                    exit,
                    scores.prediction,
                    scores.correct,
                )
            )

    def _row(
        self,
        request: Request,
        counted: bool,
        first_s: float,
        in_time: bool,
        used: GivenAnswer | None,
        final: GivenAnswer | None,
        shown: GivenAnswer | None,
    ) -> tuple[Any, ...]:
        arrival_s, sums, reason = request.arrival_s, request.sums, request.reason
        if in_time:
            end, reason = ON_TIME, ""
        elif shown is not None:
            end, reason = LATE, ""
        else:
            end = UNFINISHED if request.open else DROPPED
        helped = (sums[WASTED_S], request.wasted_bytes, sums[WASTED_J])
        wasted = helped if in_time else (sums[SPENT_S], request.bytes_up, sums[ENERGY])
        if shown is None:
            model, exit, prediction = "", -1, nan
        else:
            model, exit, prediction = shown[2], shown[3], shown[4].prediction
        cut = request.cut
        return (
            request.device.name,
            request.number,
            request.sample,
            arrival_s,
            request.deadline_s - arrival_s,
            counted,
            end,
            reason,
            first_s - arrival_s,
            nan if used is None else used[0] - arrival_s,
            len(request.answers),
            model,
            exit,
            prediction,
            used is not None and used[4].correct,
            final is not None and final[4].correct,
            self._num_blocks[request.device.root.model] if cut < 0 else cut,
            request.codec,
            *sums[:11],
            request.bytes_up,
            request.bytes_down,
            sums[ENERGY],
            *wasted,
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
