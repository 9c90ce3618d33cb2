"""Writing a run's records: rows are collected and written a row group at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from operator import itemgetter
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

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
from edgesim.results.request_rows import DTYPE, Columns, pack, request_columns
from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S

if TYPE_CHECKING:
    from edgesim.engine.request import GivenAnswer, Request

ROW_GROUP = 8192
LONE = {"time_s": "latency_s", "correct": "final_correct", "error": "answer_error"}
"""What a lone answer's columns are called in its request's row, where that is another name."""
_time = itemgetter(0)
_FORMATS = {NAME: "i", INT32: "i", INT64: "q", FLOAT64: "d", BOOL: "?"}
"""The same letters in ``struct`` and in numpy."""


CellKey = tuple[str, float, int]
"""(policy, deadline of the axis in ms or NaN, replication)."""


class Codes(dict[str, int]):
    """Numbers for words, from 0 in the order in which they come."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


class TableWriter:
    """A Parquet file that grows by rows of one cell after the other; the cell's own columns are added here.

    Rows are packed until a row group is full, so that what a row was made of can be freed at once.
    codes: numbers that stand for names in rows.
    """

    def __init__(self, path: Path, columns: tuple[Column, ...], codes: Codes) -> None:
        self._columns = columns[len(CELL) :]
        self._cell: CellKey = ("", nan, 0)
        self._schema = arrow_schema(columns)
        names = [column.name for column in columns if column.kind == NAME]
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd", use_dictionary=names)
        self._codes = codes
        fields = [(column.name, _FORMATS[column.kind]) for column in self._columns]
        self._dtype = np.dtype(fields)
        self._pack = Struct("=" + "".join(form for _, form in fields)).pack
        self.names = [column.name for column in self._columns]
        self._rows: list[bytes] = []

    def begin(self, cell: CellKey) -> None:
        """The rows from here on are of ``cell``."""
        self.flush()
        self._cell = cell

    def append(self, row: tuple[float, ...]) -> None:
        """A row, names coded."""
        rows = self._rows
        rows.append(self._pack(*row))
        if len(rows) >= ROW_GROUP:
            self.flush()

    def append_words(self, row: tuple[Any, ...]) -> None:
        """A row, names as they are."""
        codes = self._codes
        self.append(tuple(codes[value] if isinstance(value, str) else value for value in row))

    def flush(self) -> None:
        """Write the rows that have been collected as a row group."""
        rows = np.frombuffer(b"".join(self._rows), self._dtype)
        self._rows.clear()
        self.write({name: rows[name] for name in self.names})

    def write(self, columns: Columns) -> None:
        """Write a row group at once; ``columns`` has the table's, and may have others."""
        count = len(columns[self._columns[0].name])
        if not count:
            return
        policy, axis_deadline_ms, replication = self._cell
        arrays = [
            arrow_names(np.zeros(count, np.int32), [policy]),
            arrow_numbers(np.full(count, axis_deadline_ms)),
            arrow_numbers(np.full(count, replication, np.int32)),
        ]
        words = list(self._codes)
        for column in self._columns:
            values = np.ascontiguousarray(columns[column.name])
            arrays.append(arrow_names(values, words) if column.kind == NAME else arrow_numbers(values))
        self._file.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        self.flush()
        self._file.close()


def held_by(answers: list[GivenAnswer], limit_s: float) -> tuple[GivenAnswer | None, GivenAnswer | None]:
    """What the slot holds at an absolute time, and what it holds in the end; sorts the answers by time.

    The slot holds the deepest answer that has come, of equals the later one.
    """
    if len(answers) > 1:
        answers.sort(key=_time)
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
    missed_errors: by sample, what an empty slot is off (``engine.assets.missed_errors``).
    """

    def __init__(
        self,
        folder: Path,
        window: tuple[float, float],
        num_blocks: Mapping[str, int],
        missed_errors: Sequence[float],
    ) -> None:
        self.codes = Codes()
        self._tables = {
            stem: TableWriter(folder / f"{stem}.parquet", columns, self.codes) for stem, columns in TABLES.items()
        }
        self._kept: list[bytes] = []
        self._window = window
        self._num_blocks = num_blocks
        self._missed_errors = np.asarray(missed_errors, dtype=float)

    def begin(self, cell: CellKey) -> None:
        """What is recorded from here on belongs to ``cell``."""
        self._flush()
        for table in self._tables.values():
            table.begin(cell)

    def request(self, request: Request, end_s: float) -> None:
        """Write the request's row, and one for each of its answers."""
        code, kept = self.codes, self._kept
        device, cut, answers = request.device, request.cut, request.answers
        count = len(answers)
        if count == 0:
            first_s = shown_s = prediction = error = nan
            depth = exit = -1
            model, correct, final_correct = "", False, False
        else:
            if count == 1:
                shown = final = answers[0]
            else:
                used, final = held_by(answers, request.deadline_s + ON_TIME_TOLERANCE_S)  # type: ignore[assignment]
                shown = used or answers[-1]
                self._record_answers(request)
            first_s = answers[0][0]
            shown_s, depth, model, exit, (prediction, _, _, _, correct, error) = shown
            final_correct = final[4][4]
        kept.append(
            pack(
                code[device.name],
                request.number,
                request.sample,
                request.arrival_s,
                request.deadline_s,
                request.open,
                code[request.reason],
                count,
                first_s,
                shown_s,
                depth,
                code[model],
                exit,
                prediction,
                correct,
                error,
                final_correct,
                cut if cut >= 0 else self._num_blocks[device.root.model],
                code[request.codec],
                *request.sums,
                request.bytes_up,
                request.bytes_down,
                request.wasted_bytes,
            )
        )
        if len(kept) >= ROW_GROUP:
            self._flush()

    def requests(self, kept: Columns) -> None:
        """Write the rows of requests with one answer at most; ``kept`` as in ``request_rows``."""
        columns = request_columns(kept, self._window, self._missed_errors, self.codes)
        self._tables["requests"].write(columns)
        lone = columns["answers"] == 1
        table = self._tables["answers"]
        table.write({name: columns[LONE.get(name, name)][lone] for name in table.names})

    def _flush(self) -> None:
        kept = np.frombuffer(b"".join(self._kept), DTYPE)
        self._kept.clear()
        self.requests({name: kept[name] for name in DTYPE.names or ()})

    def _record_answers(self, request: Request) -> None:
        """Write the answers of a request that has several."""
        low, high = self._window
        table, arrival_s = self._tables["answers"], request.arrival_s
        deadline_s, counted = request.deadline_s - arrival_s, low <= arrival_s <= high
        code, number = self.codes, request.number
        device = code[request.device.name]
        for time_s, depth, model, exit, scores in request.answers:
            row = device, number, counted, time_s - arrival_s, deadline_s, code[model], depth, exit
            table.append((*row, scores[0], scores[4], scores[5]))

    def link(self, row: tuple[Any, ...]) -> None:
        """(link, device, direction, busy_s, and the bytes and transfers of ``columns.LINKS``)."""
        self._tables["links"].append_words(row)

    def node(self, row: tuple[Any, ...]) -> None:
        """Its columns behind those of the cell, in their order."""
        self._tables["nodes"].append_words(row)

    def close(self) -> None:
        self._flush()
        for table in self._tables.values():
            table.close()
