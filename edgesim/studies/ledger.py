"""What a study has found so far, in one SQLite file: cells, finished replications and failures.

A replication is in the file, whole, from the moment it is committed, whatever dies afterwards; only the process that
conducts the study writes.  What is measured is an array of numbers beside a *layout*: which (policy, deadline,
quantity) each of them is.  Layouts repeat, and are kept once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from math import nan
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from edgesim.errors import InputError
from edgesim.studies.design import Cell

FORMAT = 2
OCCURRING = ("exit:", "cut:", "reason:")
"""How quantities begin that are left out where they are 0."""
Quantity = tuple[str, float | None, str]
"""(policy, deadline in ms or None for the requests' own, what was measured)."""

SCHEMA = """
CREATE TABLE study (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE cell (number INTEGER PRIMARY KEY, point TEXT NOT NULL, changes TEXT NOT NULL, inputs TEXT,
    labels TEXT);
CREATE TABLE layout (number INTEGER PRIMARY KEY, quantities TEXT NOT NULL UNIQUE);
CREATE TABLE replication (
    cell INTEGER NOT NULL REFERENCES cell, number INTEGER NOT NULL, layout INTEGER NOT NULL REFERENCES layout,
    measured BLOB NOT NULL, notes TEXT NOT NULL, seconds REAL NOT NULL, worker TEXT NOT NULL,
    PRIMARY KEY (cell, number)
) WITHOUT ROWID;
CREATE TABLE failure (
    cell INTEGER NOT NULL REFERENCES cell, number INTEGER NOT NULL, message TEXT NOT NULL, PRIMARY KEY (cell, number)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Measured:
    """What one replication of a cell found.

    inputs: a digest of all that its rows depend on but the replication's number.  notes: warnings, as sentences.
    seconds: that it took.  worker: where.  labels: ``labels`` and ``warnings`` of its scenario, as a manifest has them.
    """

    values: Mapping[Quantity, float]
    inputs: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    worker: str = ""
    labels: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Counts:
    """How far a study is, in replications."""

    cells: int
    finished: int
    failed: int


class Ledger:
    """Opens the file ``path``; use it as a context manager.  Raises InputError where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._explained():
            self._base = sqlite3.connect(path, isolation_level=None)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=FULL")
        self._layouts: dict[str, int] = {}

    @classmethod
    def create(cls, path: Path, about: Mapping[str, Any], cells: Iterable[Cell]) -> Ledger:
        """A new ledger for these cells.  about: what the study is, as JSON."""
        ledger = cls(path)
        with ledger._explained(), ledger._transaction():
            for statement in SCHEMA.split(";"):
                ledger._base.execute(statement)
            rows = [("format", json.dumps(FORMAT)), *((key, json.dumps(value)) for key, value in about.items())]
            ledger._base.executemany("INSERT INTO study VALUES (?, ?)", rows)
            ledger._base.executemany(
                "INSERT INTO cell VALUES (?, ?, ?, NULL, NULL)",
                ((cell.number, json.dumps(dict(cell.point)), json.dumps(dict(cell.changes))) for cell in cells),
            )
        return ledger

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._base.close()

    def about(self) -> dict[str, Any]:
        """What the study is.  Raises InputError where another version of edgesim wrote the file in another form."""
        found = {key: json.loads(value) for key, value in self._rows("SELECT key, value FROM study")}
        if (form := found.pop("format", None)) != FORMAT:
            raise InputError(f"{self.path}: found the ledger's format {form}, allowed: {FORMAT}; run the study anew")
        return found

    def ask(self, study: Mapping[str, Any]) -> None:
        """Take up a study that differs in its question, its contrasts or its labels alone.

        Where contrasts change after something was measured, ``asked_later`` of ``about`` says after how many
        replications.
        """
        about = self.about()
        if about["study"] == study:
            return
        changed = [("study", json.dumps(study))]
        if about["study"].get("contrasts") != study.get("contrasts") and (finished := self.counts().finished):
            changed.append(("asked_later", json.dumps(finished)))
        with self._explained(), self._transaction():
            self._base.executemany("INSERT OR REPLACE INTO study VALUES (?, ?)", changed)

    def cells(self) -> Iterator[Cell]:
        """The cells, in order."""
        for number, point, changes in self._rows("SELECT number, point, changes FROM cell ORDER BY number"):
            yield Cell(number, json.loads(point), json.loads(changes))

    def commit(self, cell: int, replication: int, measured: Measured) -> None:
        """Keep a finished replication; it takes the place of a failure."""
        blob = np.fromiter(measured.values.values(), np.float64, len(measured.values)).tobytes()
        with self._explained(), self._transaction():
            layout = self._layout(list(measured.values))
            labels = None if measured.labels is None else json.dumps(measured.labels)
            self._base.execute(
                "UPDATE cell SET inputs = ?, labels = ? WHERE number = ?", (measured.inputs, labels, cell)
            )
            self._base.execute(
                "INSERT INTO replication VALUES (?, ?, ?, ?, ?, ?, ?)",
                (cell, replication, layout, blob, json.dumps(measured.notes), measured.seconds, measured.worker),
            )
            self._base.execute("DELETE FROM failure WHERE cell = ? AND number = ?", (cell, replication))

    def fail(self, cell: int, replication: int, message: str) -> None:
        """Remember why a replication could not be run."""
        with self._explained(), self._transaction():
            self._base.execute("INSERT OR REPLACE INTO failure VALUES (?, ?, ?)", (cell, replication, message))

    def inputs(self, cell: int) -> str | None:
        """The digest of what a cell's first finished replication depended on."""
        (found,) = next(self._rows("SELECT inputs FROM cell WHERE number = ?", cell))
        return None if found is None else str(found)

    def finished(self) -> dict[int, list[int]]:
        """Cell -> its finished replications, rising."""
        return self._by_cell("replication")

    def failures(self) -> list[tuple[int, int, str]]:
        """(cell, replication, why)."""
        return list(self._rows("SELECT cell, number, message FROM failure ORDER BY cell, number"))

    def counts(self) -> Counts:
        """How far the study is."""
        tables = ("cell", "replication", "failure")
        return Counts(*(next(self._rows(f"SELECT count(*) FROM {table}"))[0] for table in tables))

    def seconds(self) -> float:
        """Working time of all finished replications."""
        return float(next(self._rows("SELECT total(seconds) FROM replication"))[0])

    def notes(self) -> dict[tuple[int, str], int]:
        """(cell, sentence) -> in how many replications it was said."""
        found: dict[tuple[int, str], int] = {}
        for cell, notes in self._rows("SELECT cell, notes FROM replication WHERE notes != '[]'"):
            for note in json.loads(notes):
                found[cell, note] = found.get((cell, note), 0) + 1
        return found

    def labels(self) -> Iterator[dict[str, Any]]:
        """``labels`` and ``warnings`` of the cells of which something is measured, each different one once."""
        for (text,) in self._rows(
            "SELECT labels FROM cell WHERE labels IS NOT NULL GROUP BY labels ORDER BY min(number)"
        ):
            yield json.loads(text)

    def quantities(self) -> list[str]:
        """The names of all that was measured."""
        return sorted({name for layout in self._layouts_kept() for _, _, name in layout})

    def policies(self) -> set[str]:
        """The policies of which something was measured."""
        return {policy for layout in self._layouts_kept() for policy, _, _ in layout}

    def measured(self, cell: int | None = None) -> Iterator[tuple[int, list[int], list[Quantity], np.ndarray]]:
        """Cell by cell: number, replications, quantities, and the values, (replications, quantities).

        Where a replication did not measure a quantity: 0 for a share of what may occur, else NaN.  cell: only this one.
        """
        quantities = {number: _quantities(text) for number, text in self._rows("SELECT number, quantities FROM layout")}
        where, values = ("", ()) if cell is None else (" WHERE cell = ?", (cell,))
        query = f"SELECT cell, number, layout, measured FROM replication{where} ORDER BY cell, number"
        for number, rows in groupby(self._rows(query, *values), itemgetter(0)):
            yield number, *_gathered([row[1:] for row in rows], quantities)

    def _layouts_kept(self) -> list[list[Quantity]]:
        return [_quantities(text) for (text,) in self._rows("SELECT quantities FROM layout")]

    def _layout(self, quantities: list[Quantity]) -> int:
        text = json.dumps(quantities)
        if text not in self._layouts:
            self._base.execute("INSERT OR IGNORE INTO layout (quantities) VALUES (?)", (text,))
            (self._layouts[text],) = next(self._rows("SELECT number FROM layout WHERE quantities = ?", text))
        return self._layouts[text]

    def _by_cell(self, table: str) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for cell, number in self._rows(f"SELECT cell, number FROM {table} ORDER BY cell, number"):
            found.setdefault(cell, []).append(number)
        return found

    def _rows(self, query: str, *values: Any) -> Iterator[Any]:
        with self._explained(), closing(self._base.execute(query, values)) as cursor:
            yield from cursor

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._base.execute("COMMIT")
        except BaseException:
            self._layouts.clear()
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise InputError(f"{self.path}: the study's ledger cannot be used: {error}") from error


def _quantities(text: str) -> list[Quantity]:
    return [(policy, deadline_ms, name) for policy, deadline_ms, name in json.loads(text)]


def _gathered(
    rows: list[tuple[int, int, bytes]], quantities: Mapping[int, list[Quantity]]
) -> tuple[list[int], list[Quantity], np.ndarray]:
    """The replications of one cell as one array."""
    numbers = [number for number, _, _ in rows]
    layouts = {layout for _, layout, _ in rows}
    if len(layouts) == 1:
        return numbers, quantities[rows[0][1]], np.array([np.frombuffer(blob) for _, _, blob in rows])
    every = list(dict.fromkeys(quantity for layout in sorted(layouts) for quantity in quantities[layout]))
    place = {quantity: column for column, quantity in enumerate(every)}
    values = np.tile([0.0 if name.startswith(OCCURRING) else nan for _, _, name in every], (len(rows), 1))
    for row, (_, layout, blob) in zip(values, rows, strict=True):
        row[[place[quantity] for quantity in quantities[layout]]] = np.frombuffer(blob)
    return numbers, every, values
