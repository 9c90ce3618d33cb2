"""The cells of a run: which rows belong to one policy, one deadline of the axis and one replication."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgesim.results.tables import Names, Table


class Cell(NamedTuple):
    """One simulation of a run.  ``axis_deadline_ms`` None: own deadlines, the axis follows by threshold."""

    policy: str
    axis_deadline_ms: float | None
    replication: int


class Cells:
    """The cells that a run's requests name, numbered in the order policy, deadline, replication."""

    def __init__(self, requests: Table):
        cells, rows = _local_cells(requests)
        order = sorted(range(len(cells)), key=lambda i: (cells[i][0], cells[i][1] or 0.0, cells[i][2]))
        rank = np.empty(len(cells), dtype=np.int64)
        rank[order] = np.arange(len(cells))
        self.cells = [cells[i] for i in order]
        self.of_requests = rank[rows]
        self._number = {cell: number for number, cell in enumerate(self.cells)}

    def __len__(self) -> int:
        return len(self.cells)

    def of(self, table: Table) -> np.ndarray:
        """Each row's cell number, shape (rows,); -1 where a run's requests name no such cell."""
        cells, rows = _local_cells(table)
        return np.array([self._number.get(cell, -1) for cell in cells], dtype=np.int64)[rows]

    def runs(self, policy: str) -> dict[float | None, list[int]]:
        """The cells of a policy by deadline of the axis (own deadlines first), each in order of replication."""
        runs: dict[float | None, list[int]] = {}
        for number, cell in enumerate(self.cells):
            if cell.policy == policy:
                runs.setdefault(cell.axis_deadline_ms, []).append(number)
        return runs


def _local_cells(table: Table) -> tuple[list[Cell], np.ndarray]:
    policies = table.names("policy")
    deadlines, deadline_rows = np.unique(table.column("axis_deadline_ms"), return_inverse=True)
    replications, replication_rows = np.unique(table.column("replication"), return_inverse=True)
    codes = (policies.codes.astype(np.int64) * len(deadlines) + deadline_rows) * len(replications) + replication_rows
    found, rows = np.unique(codes, return_inverse=True)
    cells = []
    for code in found.tolist():
        rest, replication = divmod(code, len(replications))
        policy, deadline = divmod(rest, len(deadlines))
        axis_ms = None if np.isnan(deadlines[deadline]) else float(deadlines[deadline])
        cells.append(Cell(policies.words[policy], axis_ms, int(replications[replication])))
    return cells, rows


def recode(names: Names, words: tuple[str, ...]) -> np.ndarray:
    """The codes of a column of names by another table's words; -1 where the word is unknown there."""
    number = {word: code for code, word in enumerate(words)}
    return np.array([number.get(word, -1) for word in names.words], dtype=np.int64)[names.codes]
