"""Every value of every replication of a run, by policy, deadline and quantity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from edgesim.results.measures import Measures, measures_of, quantities
from edgesim.results.recorded import RecordedRun


class Replicated(NamedTuple):
    """What a quantity was in each replication, (replications,).  deadline_ms None: the requests' own."""

    policy: str
    deadline_ms: float | None
    quantity: str
    replications: tuple[int, ...]
    values: np.ndarray


def replicated(run: RecordedRun, measures: Measures | None = None) -> Iterator[Replicated]:
    """Every quantity of every run of a policy, and its points on the deadline axis; each once.

    Quantities have the names of docs/metrics.md, and ``exit:``, ``cut:``, ``end:``, ``reason:``, ``stage:``, ``node:``
    and ``link:`` with what follows, as in studies.  measures: those of the run, where they are known already.
    """
    measured = list(quantities(measures or measures_of(run)))
    curves = ("on_time_accuracy", "miss_ratio", *(["on_time_error"] if run.regression else []))
    for policy in run.policies:
        for deadline_ms, cells in run.cells.runs(policy).items():
            numbers = tuple(run.cells.cells[cell].replication for cell in cells)
            for name, values in measured:
                if name not in curves:
                    yield Replicated(policy, deadline_ms, name, numbers, values[cells])
        for point in run.points(policy):
            for name in curves:
                yield Replicated(policy, point.deadline_ms, name, point.replications, getattr(point, name))
