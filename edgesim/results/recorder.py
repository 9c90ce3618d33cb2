"""Writing a run's records: rows are collected and written a row group at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import nan
from operator import itemgetter
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

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


class Further(NamedTuple):
    """See :class:`TableWriter`."""

    fields: list[tuple[str, str]]
    written: Callable[[np.ndarray], None]


class TableWriter:
    """A Parquet file that grows by rows of one cell after the other; the cell's own columns are added here.

    Rows are packed until a row group is full, names as numbers out of ``codes``, so that what a row was made of can be
    freed at once.  ``pack`` makes of a row's values what ``rows`` collects; full ones are to be flushed.
    further: values that rows have behind those of the columns, which are not written, and what is done with the rows
    when they are.
    """

    def __init__(self, path: Path, columns: tuple[Column, ...], further: Further | None = None) -> None:
        self._columns = columns[len(CELL) :]
        self._cell: CellKey = ("", nan, 0)
        self._schema = arrow_schema(columns)
        names = [column.name for column in columns if column.kind == NAME]
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd", use_dictionary=names)
        self.codes = Codes()
        fields = [(column.name, _FORMATS[column.kind]) for column in self._columns]
        if further is not None:
            fields += further.fields
        self.dtype = np.dtype(fields)
        self.pack = Struct("=" + "".join(form for _, form in fields)).pack
        self.rows: list[bytes] = []
        self._written = further and further.written

    def begin(self, cell: CellKey) -> None:
        """The rows from here on are of ``cell``."""
        self.flush()
        self._cell = cell

    def append(self, row: tuple[float, ...]) -> None:
        """A row, names coded."""
        rows = self.rows
        rows.append(self.pack(*row))
        if len(rows) >= ROW_GROUP:
            self.flush()

    def append_words(self, row: tuple[Any, ...]) -> None:
        """A row, names as they are."""
        codes = self.codes
        self.append(tuple(codes[value] if isinstance(value, str) else value for value in row))

    def flush(self) -> None:
        """Write the rows that have been collected as a row group."""
        rows = np.frombuffer(b"".join(self.rows), self.dtype)
        self.rows.clear()
        if not len(rows):
            return
        if self._written is not None:
            self._written(rows)
        policy, axis_deadline_ms, replication = self._cell
        arrays = [
            arrow_names(np.zeros(len(rows), np.int32), [policy]),
            arrow_numbers(np.full(len(rows), axis_deadline_ms)),
            arrow_numbers(np.full(len(rows), replication, np.int32)),
        ]
        words = list(self.codes)
        for column in self._columns:
            values = rows[column.name].copy()
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
        further = Further([("depth", "i"), ("answer_error", "d")], self._lone_answers)
        self._tables = {
            stem: TableWriter(folder / f"{stem}.parquet", columns, further if stem == "requests" else None)
            for stem, columns in TABLES.items()
        }
        self._requests, self._answers = self._tables["requests"], self._tables["answers"]
        self._answers.codes = self._requests.codes
        self._window = window
        self._num_blocks = num_blocks
        self._missed_errors = missed_errors

    def begin(self, cell: CellKey) -> None:
        """What is recorded from here on belongs to ``cell``."""
        for table in self._tables.values():
            table.begin(cell)

    def request(self, request: Request, end_s: float) -> None:
        """Write the request's row, and one for each of its answers."""
        arrival_s, deadline_at_s, sums, answers = request.arrival_s, request.deadline_s, request.sums, request.answers
        low, high = self._window
        device, cut, bytes_up, energy_j = request.device, request.cut, request.bytes_up, sums[ENERGY]
        table = self._requests
        code, rows = table.codes, table.rows
        latency_s = used_s = prediction = nan
        depth = exit = -1
        model = reason = ""
        correct = final_correct = False
        error = missed_error = self._missed_errors[request.sample]
        answer_error = nan
        wasted_s, wasted_bytes, wasted_j = sums[SPENT_S], bytes_up, energy_j
        count = len(answers)
        if count:
            limit_s = deadline_at_s + ON_TIME_TOLERANCE_S
            if count == 1:
                final = shown = answers[0]
                on_time = final[0] <= limit_s
            else:
                used, final = held_by(answers, limit_s)  # type: ignore[assignment]
                shown, on_time = used or answers[-1], used is not None
            latency_s = answers[0][0] - arrival_s
            time_s, depth, model, exit, scores = shown
            prediction, final_correct, end = scores[0], final[4][4], LATE
            answer_error = scores[5]
            if on_time:
                end, correct, used_s = ON_TIME, scores[4], time_s - arrival_s
                error = answer_error
                wasted_s, wasted_bytes, wasted_j = sums[WASTED_S], request.wasted_bytes, sums[WASTED_J]
        else:
            end, reason = (UNFINISHED if request.open else DROPPED), request.reason
        row = table.pack(
            code[device.name],
            request.number,
            request.sample,
            arrival_s,
            deadline_at_s - arrival_s,
            low <= arrival_s <= high,
            code[end],
            code[reason],
            latency_s,
            used_s,
            count,
            code[model],
            exit,
            prediction,
            correct,
            final_correct,
            error,
            missed_error,
            cut if cut >= 0 else self._num_blocks[device.root.model],
            code[request.codec],
            *sums[:STAGES],
            bytes_up,
            request.bytes_down,
            energy_j,
            wasted_s,
            wasted_bytes,
            wasted_j,
            depth,
            answer_error,
        )
        rows.append(row)
        if count > 1:
            self._record_answers(request)
        if len(rows) >= ROW_GROUP:
            table.flush()

    def _record_answers(self, request: Request) -> None:
        """Write the answers of a request that has several."""
        low, high = self._window
        table = self._answers
        code, arrival_s = table.codes, request.arrival_s
        deadline_s, counted = request.deadline_s - arrival_s, low <= arrival_s <= high
        device, number = code[request.device.name], request.number
        for time_s, depth, model, exit, scores in request.answers:
            since_s = time_s - arrival_s
            row = device, number, counted, since_s, deadline_s, code[model], depth, exit, scores[0]
            table.append((*row, scores[4], scores[5]))

    def _lone_answers(self, requests: np.ndarray) -> None:
        """Write the answers of the requests that have one, which says nothing more than their row."""
        lone = requests[requests["answers"] == 1]
        table = self._answers
        rows = np.empty(len(lone), table.dtype)
        for name in table.dtype.names or ():
            rows[name] = lone[LONE.get(name, name)]
        table.rows.append(rows.tobytes())
        table.flush()

    def link(self, row: tuple[Any, ...]) -> None:
        """(link, device, direction, busy_s, bytes, delivered_bytes, lost_bytes, wire_bytes, transfers)."""
        self._tables["links"].append_words(row)

    def node(self, row: tuple[Any, ...]) -> None:
        """(node, busy_s, workers, served, batches, queue_max, queue_mean, window_s, energy_idle_j)."""
        self._tables["nodes"].append_words(row)

    def close(self) -> None:
        for table in self._tables.values():
            table.close()
