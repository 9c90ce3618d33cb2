"""Which column of a replication's values a question about a metric means, and whether there can be one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgesim.results.quantity import GROUPS, METRICS, OF_REGRESSION, by_own_deadline
from edgesim.scenario.problems import Problem, not_among
from edgesim.scenario.scenario import Scenario
from edgesim.studies.ledger import Quantity

Key = tuple[str, ...]


def column_of(quantities: Sequence[Quantity], policy: str, deadline_ms: float | None, metric: str) -> int | None:
    """The place of a policy's metric at a deadline (None: own deadlines); None where it was not measured.

    A policy that was run once has other metrics than points of the axis at own deadlines only: what does not depend on
    these stands for every deadline.
    """
    places = {at_ms: place for place, (of, at_ms, name) in enumerate(quantities) if (of, name) == (policy, metric)}
    if deadline_ms not in places and set(places) == {None} and not by_own_deadline(metric):
        return places[None]
    return places.get(deadline_ms)


def metric_problems(here: Key, metric: str, deadline_ms: float | None, scenario: Scenario) -> Iterator[Problem]:
    """What is wrong with a question about a metric at a deadline of the axis."""
    known = [name for name in METRICS if scenario.regression or name not in OF_REGRESSION]
    if metric not in known and not metric.startswith(GROUPS):
        groups = ", ".join(f"{group}..." for group in GROUPS)
        yield Problem((*here, "metric"), f"{not_among(metric, known, 'a metric of docs/metrics.md')}, or {groups}")
    axis_ms = scenario.deadlines_ms or ()
    if deadline_ms is not None and deadline_ms not in axis_ms:
        allowed = ", ".join(f"{each:g}" for each in axis_ms) or "none, as there is no axis"
        message = f"found {deadline_ms:g}, allowed: a deadline of the scenario's deadlines_ms ({allowed})"
        yield Problem((*here, "deadline_ms"), message)
