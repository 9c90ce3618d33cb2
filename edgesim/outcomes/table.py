"""Outcome tables: the answers of every exit for every sample along one path; numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Literal

import numpy as np

from edgesim.errors import InputError
from edgesim.outcomes.path import Path, canonical, format_path
from edgesim.outcomes.scores import Scores

Label = Literal["executed", "imported", "synthetic"]


@dataclass(frozen=True)
class OutcomeTable:
    """Answers along one canonical path, arrays (exits, samples).

    exits: which exits the rows are (indices m, those at or behind the path's last cut).
    prediction: class (int32), or value (float64) for regression.  confidence, entropy (nats), margin: float32, NaN for
    regression.  correct: bool, for regression an error of 0.5 at most.  error: |prediction - target| (float64) for
    regression, None for classification.
    """

    exits: tuple[int, ...]
    prediction: np.ndarray
    confidence: np.ndarray
    entropy: np.ndarray
    margin: np.ndarray
    correct: np.ndarray
    error: np.ndarray | None = None
    _row: dict[int, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.exits), self.prediction.shape[-1])
        for name, array in self.arrays().items():
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}, not {shape} (exits, samples)")
        self._row.update({index: row for row, index in enumerate(self.exits)})

    @property
    def samples(self) -> int:
        return self.prediction.shape[1]

    @property
    def is_regression(self) -> bool:
        return self.error is not None

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name; ``error`` only where there is one."""
        names = ("prediction", "confidence", "entropy", "margin", "correct")
        found = {name: getattr(self, name) for name in names}
        return found if self.error is None else {**found, "error": self.error}

    def row(self, exit_index: int) -> int:
        """The row of an exit; KeyError where the exit sits before the path's last cut."""
        return self._row[exit_index]

    def scores(self, exit_index: int, sample: int) -> Scores:
        """What that exit answers for that sample."""
        at = (self._row[exit_index], sample)
        prediction, *rest = (array.item(at) for array in self.arrays().values())
        return Scores(float(prediction), *rest)


def arrays_of(table: OutcomeTable) -> dict[str, np.ndarray]:
    """A table as named arrays, for a file."""
    return {"exits": np.array(table.exits), **table.arrays()}


def table_of(arrays: Mapping[str, np.ndarray]) -> OutcomeTable:
    """The inverse of :func:`arrays_of`."""
    rest = {name: array for name, array in arrays.items() if name != "exits"}
    return OutcomeTable(tuple(arrays["exits"].tolist()), **rest)


@dataclass(frozen=True)
class Outcomes:
    """Everything that is known of one model on one split: tables by path, and payload bytes.

    label: where the answers come from.  exits: blocks before each exit.  tables: by canonical path.
    payloads: by path as sent, the bytes of its *last* hop's payload for each sample, codec header included.
    missed_error: (samples,) float64 for regression, the error of the mean of the training targets, which stands for an
    answer that did not come; None for classification.
    """

    model: str
    split: str
    label: Label
    exits: tuple[int, ...]
    tables: Mapping[Path, OutcomeTable]
    payloads: Mapping[Path, np.ndarray]
    missed_error: np.ndarray | None = None

    @property
    def num_blocks(self) -> int:
        return self.exits[-1]

    @property
    def samples(self) -> int:
        return next(iter(self.tables.values())).samples

    def table(self, path: Path) -> OutcomeTable:
        """The answers along ``path``; InputError where it was not executed."""
        if (table := self.tables.get(canonical(path))) is None:
            raise InputError(self._missing("outcomes", path, self.tables))
        return table

    def payload(self, path: Path) -> np.ndarray:
        """(samples,) int64: bytes of the last hop's payload; InputError where it was not executed."""
        if (payload := self.payloads.get(path)) is None:
            raise InputError(self._missing("payload bytes", path, self.payloads))
        return payload

    def _missing(self, what: str, path: Path, known: Mapping[Path, object]) -> str:
        paths = "; ".join(map(format_path, known)) or "none"
        return f"model {self.model!r} has no {self.split} {what} for path {format_path(path)}; known paths: {paths}"

    @cached_property
    def hash(self) -> str:
        """A digest of every answer and byte count, whatever the order in which they were made."""
        digest = sha256(repr((self.label, self.exits)).encode())
        for path, table in sorted(self.tables.items()):
            digest.update(repr((path, table.exits)).encode())
            for array in table.arrays().values():
                digest.update(array.tobytes())
        for path, payload in sorted(self.payloads.items()):
            digest.update(repr(path).encode())
            digest.update(payload.tobytes())
        if self.missed_error is not None:
            digest.update(self.missed_error.tobytes())
        return digest.hexdigest()[:16]
