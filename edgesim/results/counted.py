"""The requests that count (arrivals in [warm-up, T]), with means, shares and quantiles within each cell."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from edgesim.results.cells import Cells
from edgesim.results.tables import Names, Tables


class Counted:
    """The counted requests of a run; every result has a value per cell, NaN where a cell has nothing to count."""

    def __init__(self, tables: Tables, cells: Cells):
        self._requests = tables.requests
        self._rows = np.flatnonzero(tables.requests.column("counted"))
        self.cells = cells
        self.cell = cells.of_requests[self._rows]
        self.requests = np.bincount(self.cell, minlength=len(cells))

    @cached_property
    def _rows_by_cell(self) -> list[np.ndarray]:
        order = np.argsort(self.cell, kind="stable")
        return np.split(order, np.cumsum(self.requests)[:-1])

    def rows(self, cell: int) -> np.ndarray:
        """The counted requests of one cell, as places in the columns."""
        return self._rows_by_cell[cell]

    def column(self, name: str) -> np.ndarray:
        """A numeric or boolean column of the counted requests, shape (counted,)."""
        return self.part(self._requests.column(name))

    def part(self, values: np.ndarray) -> np.ndarray:
        """Of values of all requests, (rows,), those of the counted ones, (counted,)."""
        return values[self._rows]

    def names(self, name: str) -> Names:
        """A column of names of the counted requests."""
        names = self._requests.names(name)
        return Names(names.codes[self._rows], names.words)

    def is_word(self, name: str, word: str) -> np.ndarray:
        """Where a column of names says ``word``, bool (counted,)."""
        names = self.names(name)
        return np.array([known == word for known in names.words] + [False])[names.codes]

    def total(self, values: np.ndarray) -> np.ndarray:
        """The sum of a value over each cell's requests, shape (cells,)."""
        return np.bincount(self.cell, weights=values, minlength=len(self.cells))

    def mean(self, values: np.ndarray) -> np.ndarray:
        """The mean over each cell's requests, NaN values left out, shape (cells,)."""
        present = ~np.isnan(values)
        return _ratio(self.total(np.where(present, values, 0.0)), self.total(present))

    def share(self, where: np.ndarray) -> np.ndarray:
        """The share of each cell's requests for which ``where`` holds, shape (cells,)."""
        return _ratio(self.total(where), self.requests)

    def quantiles(self, values: np.ndarray, probabilities: tuple[float, ...]) -> np.ndarray:
        """Type 7 quantiles of each cell's values, NaN left out, shape (probabilities, cells).

        Type 7 (Hyndman and Fan 1996): linear between the order statistics 1 + (n - 1) p.
        """
        present = ~np.isnan(values)
        values, cell = values[present], self.cell[present]
        values = values[np.lexsort((values, cell))]
        count = np.bincount(cell, minlength=len(self.cells))
        start = np.cumsum(count) - count
        result = np.full((len(probabilities), len(self.cells)), np.nan)
        filled = count > 0
        for row, probability in zip(result, probabilities, strict=True):
            place = (count[filled] - 1) * probability
            below = np.floor(place).astype(np.int64)
            above = np.ceil(place).astype(np.int64)
            low, high = values[start[filled] + below], values[start[filled] + above]
            row[filled] = low + (high - low) * (place - below)
        return result


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
