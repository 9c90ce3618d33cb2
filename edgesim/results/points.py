"""Points of the headline curve: on-time accuracy, on-time error and miss ratio of a policy at one deadline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgesim.results.counted import Counted
from edgesim.results.slots import SlotHistory


@dataclass(frozen=True)
class Point:
    """A policy at one deadline; ``deadline_ms`` None: every request's own.

    on_time_accuracy, on_time_error, miss_ratio: (replications,).  right, error, asked: (replications, images), how
    often the slot was right about each image at the deadline, the sum of its absolute errors, and how often it was
    asked.  Errors are NaN in classification.
    """

    deadline_ms: float | None
    replications: tuple[int, ...]
    on_time_accuracy: np.ndarray
    on_time_error: np.ndarray
    miss_ratio: np.ndarray
    right: np.ndarray
    error: np.ndarray
    asked: np.ndarray


class Points:
    """The points of the policies' curves, in the right way for each: run anew, or thresholded."""

    def __init__(self, counted: Counted, history: SlotHistory):
        self._counted, self._history = counted, history
        self._images, self._image = np.unique(counted.column("sample"), return_inverse=True)
        self._history_image = np.searchsorted(self._images, history.sample)
        self._on_time = counted.is_word("end", "on_time")
        self._correct = counted.column("correct")

    def as_run(self, deadline_ms: float | None, cells: list[int]) -> Point:
        """At the deadline (or own deadlines) that the cells were run with."""
        row_of, inside = self._rows(cells, self._counted.cell)
        right = self._by_image(row_of[self._counted.cell], self._image, inside & self._correct, len(cells))
        on_time = self._counted.share(self._on_time)[cells]
        return self._point(deadline_ms, cells, right, self._total(cells, "error"), 1.0 - on_time)

    def thresholded(self, deadline_ms: float, cells: list[int]) -> Point:
        """At another deadline, from the slots' history of cells that ignore the deadline."""
        history, deadline_s = self._history, deadline_ms / 1e3
        row_of, inside = self._rows(cells, history.cell)
        held, row = inside & history.held(deadline_s), row_of[history.cell]
        right = self._by_image(row, self._history_image, held & history.correct, len(cells))
        gain = self._by_image(row, self._history_image, held, len(cells), history.gain)
        error = self._total(cells, "missed_error") - gain
        on_time = np.bincount(history.cell[history.answered(deadline_s)], minlength=len(self._counted.cells))
        with np.errstate(invalid="ignore"):
            miss_ratio = 1.0 - on_time[cells] / self._counted.requests[cells]
        return self._point(deadline_ms, cells, right, error, miss_ratio)

    def _point(
        self, deadline_ms: float | None, cells: list[int], right: np.ndarray, error: np.ndarray, miss_ratio: np.ndarray
    ) -> Point:
        asked = self._total(cells)
        requests = self._counted.requests[cells]
        accuracy, mean_error = (
            np.divide(total.sum(1), requests, out=np.full(len(cells), np.nan), where=requests > 0)
            for total in (right, error)
        )
        replications = tuple(self._counted.cells.cells[cell].replication for cell in cells)
        return Point(deadline_ms, replications, accuracy, mean_error, miss_ratio, right, error, asked)

    def _total(self, cells: list[int], column: str | None = None) -> np.ndarray:
        """The sum of a column over the requests for each image, (cells, images); without one how many there are."""
        row_of, inside = self._rows(cells, self._counted.cell)
        values = None if column is None else self._counted.column(column)
        return self._by_image(row_of[self._counted.cell], self._image, inside, len(cells), values)

    def _rows(self, cells: list[int], cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        row_of = np.full(len(self._counted.cells), -1)
        row_of[cells] = np.arange(len(cells))
        return row_of, row_of[cell] >= 0

    def _by_image(
        self, row: np.ndarray, image: np.ndarray, where: np.ndarray, rows: int, values: np.ndarray | None = None
    ) -> np.ndarray:
        keys = row[where] * len(self._images) + image[where]
        weights = None if values is None else values[where]
        return np.bincount(keys, weights, rows * len(self._images)).reshape(rows, len(self._images))
