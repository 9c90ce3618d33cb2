"""What a study has found, as tidy pandas tables: a row for each cell, policy, deadline and quantity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from edgesim.results.stability import usual
from edgesim.results.statistics import CONFIDENCE, holm, paired_p, t_interval
from edgesim.studies.conduct import open_ledger
from edgesim.studies.ledger import Counts, Quantity
from edgesim.studies.merged_labels import merged
from edgesim.studies.metrics_asked import column_of
from edgesim.studies.read_study import base_of
from edgesim.studies.study import POLICY, Contrast, Study


class Findings:
    """The results folder of a study, finished or not.  Raises InputError where there is none.

    ``study`` as it was asked, ``asked_later``: after how many replications its contrasts were changed (0: never),
    ``manifest`` of its scenario (versions; labels and warnings: of all cells).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with open_ledger(folder) as ledger:
            about = ledger.about()
            self.counts: Counts = ledger.counts()
            self.failures = ledger.failures()
            self.notes = ledger.notes()
            self._finished = {cell: len(numbers) for cell, numbers in ledger.finished().items()}
            self.seconds = ledger.seconds()
            of_cells = list(ledger.labels())
            self._points = [dict(cell.point) for cell in ledger.cells()]
        self.study = Study.model_validate(about["study"])
        self.manifest: dict[str, Any] = about["manifest"]
        marks = of_cells or [self.manifest]
        self.manifest["labels"] = merged([each["labels"] for each in marks])
        self.manifest["warnings"] = list(dict.fromkeys(warning for each in marks for warning in each["warnings"]))
        self.begun: str = about["begun"]
        self.asked_later: int = about.get("asked_later", 0)

    @property
    def warnings(self) -> list[str]:
        """What to beware of, each once: of the scenario, then of replications, with how many cells said it.

        What chance may do to one replication is told where nearly all of a cell's say it.
        """
        told_by = self.notes.items()
        cells = Counter(note for (cell, note), told in told_by if usual(note, told, self._finished[cell]))
        told = [f"{note} ({count:,} cell{'s' if count > 1 else ''})" for note, count in cells.most_common()]
        return [*self.manifest["warnings"], *told]

    @property
    def axes(self) -> list[str]:
        """The names of the axes, in the study's order, without that of policies, who have a column anyway."""
        return [name for name in self.study.axes if name != POLICY]

    @cached_property
    def cells(self) -> pd.DataFrame:
        """A row a cell, numbered from 0; a column an axis, holding how the value is called."""
        return pd.DataFrame(self._points, columns=self.axes).rename_axis("cell")

    def replications(self, quantities: Collection[str] | None = None) -> pd.DataFrame:
        """Every value of every replication.

        Columns: cell, the axes, policy, deadline_ms (NaN: the requests' own), quantity, replication, value.
        quantities: only these (names of docs/metrics.md, and ``exit:``, ``cut:``, ``end:``, ``stage:``, ``node:``,
        ``link:`` with what follows); all where None.
        """
        return self._framed(self._long(quantities), ["replication", "value"])

    def summaries(self, quantities: Collection[str] | None = None) -> pd.DataFrame:
        """Means over replications.

        Columns: cell, the axes, policy, deadline_ms (NaN: the requests' own), quantity, n, mean, low, high (95 %
        t-interval over the n replications that measured it; NaN where n is 1).  quantities: as in ``replications``.
        """
        return self._framed(self._means(quantities), ["n", "mean", "low", "high"])

    def contrasts(self) -> pd.DataFrame:
        """The differences that the study asks for beforehand, paired by replication.

        Columns: contrast, policy (the sides' own where they name them), first, second (in words), quantity,
        deadline_ms, n_first, n_second (replications of the sides), n (that both have, of which the rest is),
        difference (first - second), low, high, p (paired t-test), p_holm (Holm's correction over all
        rows of this table), distinguishable.
        """
        rows = [row for name, contrast in self.study.contrasts.items() for row in self._contrast(name, contrast)]
        asked = ["contrast", "policy", "first", "second", "quantity", "deadline_ms"]
        columns = [*asked, "n_first", "n_second", "n", "difference", "low", "high", "p"]
        found = pd.DataFrame(rows, columns=columns)
        found["p_holm"] = holm(found["p"].tolist())
        found["distinguishable"] = found["p_holm"] < 1 - CONFIDENCE
        return found

    @cached_property
    def policies(self) -> list[str]:
        """The policies that have been measured, in the scenario's order."""
        asked = list(self.manifest["scenario"]["policies"])
        with open_ledger(self.folder) as ledger:
            found = ledger.policies()
        return [name for name in asked if name in found]

    @cached_property
    def quantities(self) -> list[str]:
        """Everything that has been measured, by name, in no order that means anything."""
        with open_ledger(self.folder) as ledger:
            return ledger.quantities()

    def _long(self, quantities: Collection[str] | None) -> Iterator[tuple[int, list[Quantity], list[np.ndarray]]]:
        for cell, numbers, found, values in self._measured(quantities):
            repeated = [quantity for quantity in found for _ in numbers]
            yield cell, repeated, [np.tile(numbers, len(found)), values.T.ravel()]

    def _means(self, quantities: Collection[str] | None) -> Iterator[tuple[int, list[Quantity], list[np.ndarray]]]:
        from scipy.special import stdtrit

        for cell, _, found, values in self._measured(quantities):
            n = (~np.isnan(values)).sum(0)
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = np.nansum(values, 0) / np.where(n, n, np.nan)
                spread = np.sqrt(np.nansum((values - mean) ** 2, 0) / (n - 1))
                half = np.where(
                    n > 1, stdtrit(np.maximum(n - 1, 1), 0.5 + CONFIDENCE / 2) * spread / np.sqrt(n), np.nan
                )
            yield cell, found, [n, mean, mean - half, mean + half]

    def _measured(self, wanted: Collection[str] | None) -> Iterator[tuple[int, list[int], list[Quantity], np.ndarray]]:
        with open_ledger(self.folder) as ledger:
            for cell, numbers, quantities, values in ledger.measured():
                kept = [place for place, (*_, name) in enumerate(quantities) if wanted is None or name in wanted]
                yield cell, numbers, [quantities[place] for place in kept], values[:, kept]

    def _framed(
        self, parts: Iterator[tuple[int, list[Quantity], list[np.ndarray]]], columns: list[str]
    ) -> pd.DataFrame:
        """One table of all parts; names are categories, as there are many rows of few names."""
        cells, quantities, values = [], [], [[] for _ in columns]  # type: ignore[var-annotated]
        for cell, of_cell, arrays in parts:
            cells.append(np.full(len(of_cell), cell, np.int32))
            quantities += of_cell
            for column, array in zip(values, arrays, strict=True):
                column.append(array)
        cell_column = np.concatenate(cells) if cells else np.empty(0, np.int32)
        policy, deadline_ms, name = zip(*quantities, strict=True) if quantities else ((), (), ())
        frame = pd.DataFrame({"cell": cell_column})
        for axis in self.axes:
            frame[axis] = self.cells[axis].to_numpy()[cell_column]
        frame["policy"] = pd.Categorical(policy, categories=list(self.manifest["scenario"]["policies"]))
        frame["deadline_ms"] = np.array(deadline_ms, float)
        frame["quantity"] = pd.Categorical(name)
        for column_name, column in zip(columns, values, strict=True):
            frame[column_name] = np.concatenate(column) if column else np.empty(0)
        return frame

    def _contrast(self, name: str, contrast: Contrast) -> Iterator[tuple[Any, ...]]:
        first, second = (self._side(side) for side in (contrast.first, contrast.second))
        names = [(contrast.first[POLICY], contrast.second[POLICY])] if POLICY in contrast.first else []
        names = names or [(policy, policy) for policy in self.policies if policy in (contrast.policies or [policy])]
        for pair in names:
            sides = [
                self._values(cell, policy, contrast.deadline_ms, contrast.metric)
                for cell, policy in zip((first, second), pair, strict=True)
            ]
            common = sorted(sides[0].keys() & sides[1].keys())
            differences = np.array([sides[0][number] - sides[1][number] for number in common])
            differences = differences[~np.isnan(differences)]
            policy = pair[0] if pair[0] == pair[1] else " - ".join(pair)
            words = [_words(side) for side in (contrast.first, contrast.second)]
            deadline_ms = np.nan if contrast.deadline_ms is None else contrast.deadline_ms
            where = (name, policy, *words, contrast.metric, deadline_ms, *map(len, sides), len(differences))
            yield (*where, *t_interval(differences), paired_p(differences))

    def _side(self, side: dict[str, Any]) -> int:
        """The cell that a side of a contrast means: axes that it does not name stand at their base."""
        point = {name: side.get(name, base_of(axis)) for name, axis in self.study.axes.items()}
        return self._points.index(point)

    def _values(self, cell: int, policy: str, deadline_ms: float | None, metric: str) -> dict[int, float]:
        with open_ledger(self.folder) as ledger:
            for _, numbers, quantities, values in ledger.measured(cell):
                column = column_of(quantities, policy, deadline_ms, metric)
                if column is not None:
                    return dict(zip(numbers, values[:, column].tolist(), strict=True))
        return {}


def _words(side: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in side.items() if name != POLICY) or "base"
