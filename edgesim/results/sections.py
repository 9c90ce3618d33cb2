"""A run of one replication, cut into sections by arrival, each read as though it were a replication."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from edgesim.results import metrics
from edgesim.results.batch_means import BATCHES, FINE_BATCHES, sectioned
from edgesim.results.metrics import PerCell
from edgesim.results.points import Point
from edgesim.results.quantiles import PROBABILITIES, least_requests
from edgesim.results.recorded import RecordedRun
from edgesim.results.slots import request_rows
from edgesim.results.statistics import Interval
from edgesim.results.steady import is_steady
from edgesim.results.tables import Names, Table

LEAST_REQUESTS = 10
"""Counted requests of a fine section."""


class Sections:
    """Intervals by batch means for the one replication of a run.

    Those of rates (``_hz``) stay open: they are no means over requests.  So do those of a quantile whose sections have
    fewer requests than a replication should have.
    """

    def __init__(self, run: RecordedRun) -> None:
        self._coarse, self._fine = _Cut(run, BATCHES), _Cut(run, FINE_BATCHES)
        self._least = int(run.counted.requests.min()) // BATCHES

    @staticmethod
    def fit(run: RecordedRun) -> bool:
        """Whether a run has one replication, is long enough for sections, and of a world that stays the same."""
        one = len({cell.replication for cell in run.cells.cells}) == 1
        return one and is_steady(run.scenario) and int(run.counted.requests.min()) >= LEAST_REQUESTS * FINE_BATCHES

    def of_point(self, policy: str, place: int, name: str, whole: float) -> Interval:
        """Of a value of a policy's point, by its place among them."""
        coarse, fine = (getattr(cut.points(policy)[place], name) for cut in (self._coarse, self._fine))
        return sectioned(whole, coarse, fine)

    def of_metric(self, policy: str, deadline_ms: float | None, name: str, whole: float) -> Interval:
        """Of a metric of a policy's run."""
        enough = name not in PROBABILITIES or self._least >= least_requests(PROBABILITIES[name])
        if name not in self._coarse.metrics or not enough:
            return Interval(whole, np.nan, np.nan)
        coarse, fine = (cut.metrics[name][cut.cells.runs(policy)[deadline_ms]] for cut in (self._coarse, self._fine))
        return sectioned(whole, coarse, fine)


class _Cut(RecordedRun):
    """The run with the numbers of sections in place of that of its replication."""

    def __init__(self, run: RecordedRun, sections: int) -> None:
        super().__init__(run.folder, run.scenario)
        requests, answers = run.tables.requests, run.tables.answers
        section = _sections(run, sections)
        self.tables.requests = _Numbered(requests, section)
        self.tables.answers = _Numbered(answers, section[request_rows(answers, requests, run.cells)])
        self._points_of: dict[str, list[Point]] = {}

    def points(self, policy: str) -> list[Point]:
        if policy not in self._points_of:
            self._points_of[policy] = super().points(policy)
        return self._points_of[policy]

    @cached_property
    def metrics(self) -> dict[str, PerCell]:
        """What is a mean, a share or a quantile over requests."""
        counted = self.counted
        errors = metrics.errors(counted) if self.regression else {}
        return {**metrics.answers(counted), **errors, **metrics.spending(counted)}


class _Numbered(Table):
    """A table that has other numbers of replications."""

    def __init__(self, table: Table, numbers: np.ndarray) -> None:
        super().__init__(table.path)
        self._table, self._numbers = table, numbers

    def __len__(self) -> int:
        return len(self._table)

    def column(self, name: str) -> np.ndarray:
        return self._numbers if name == "replication" else self._table.column(name)

    def names(self, name: str) -> Names:
        return self._table.names(name)


def _sections(run: RecordedRun, sections: int) -> np.ndarray:
    """The section of each request: counted ones by their rank in arrival within their cell, the others in the first."""
    found = np.zeros(len(run.tables.requests), np.int32)
    counted = np.flatnonzero(run.tables.requests.column("counted"))
    arrival_s = run.counted.column("arrival_s")
    for cell in range(len(run.cells)):
        rows = run.counted.rows(cell)
        order = rows[np.argsort(arrival_s[rows], kind="stable")]
        found[counted[order]] = np.arange(len(order)) * sections // max(len(order), 1)
    return found
