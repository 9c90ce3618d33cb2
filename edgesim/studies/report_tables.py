"""The tables of a study's report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from edgesim.results.in_words import deadline_in_words, p_in_words
from edgesim.results.measure import Measure
from edgesim.results.quantity import quantity_in_words
from edgesim.results.report import MOST_ROWS
from edgesim.results.summary_tables import COSTS, cost_cells
from edgesim.results.table import Table
from edgesim.studies.answers import difference_in_words, value_in_words
from edgesim.studies.asked import at_deadline
from edgesim.studies.best import Best, Point
from edgesim.studies.findings import Findings

CONTRAST_NAMES = ("contrast", "policy", "first", "second", "metric")
COST_METRICS = [metric for metric, *_ in COSTS.values()]


class Mean(NamedTuple):
    """Over n replications; half: of its interval, NaN where n is 1."""

    n: int
    mean: float
    half: float


Key = tuple[Point, str, float | None, str]
"""(point, policy, deadline in ms or None for own, quantity)."""


class Means:
    """The means of a study that its report shows: those of as many points as a table has rows.

    Cells that differ in which policies run, and in nothing else, are one point.
    """

    def __init__(self, findings: Findings, summaries: pd.DataFrame) -> None:
        every = [tuple(point) for point in findings.cells.itertuples(index=False, name=None)]
        self.points: list[Point] = list(dict.fromkeys(every))
        self._found: dict[Key, Mean] = {}
        shown = set(self.points[: MOST_ROWS + 1])
        frame = summaries[np.array([point in shown for point in every], bool)[summaries["cell"]]]
        columns = ("cell", "policy", "deadline_ms", "quantity", "n", "mean", "high")
        for cell, policy, deadline_ms, quantity, n, mean, high in zip(*(frame[name] for name in columns), strict=True):
            at_ms = None if np.isnan(deadline_ms) else deadline_ms
            if n:
                self._found[every[cell], policy, at_ms, quantity] = Mean(int(n), mean, high - mean)

    def get(self, point: Point, policy: str, deadline_ms: float | None, quantity: str) -> Mean | None:
        """None where it was not measured."""
        return self._found.get((point, policy, deadline_ms, quantity))

    def deadlines_ms(self, quantity: str) -> list[float | None]:
        """Where it was measured, own deadlines first."""
        found = {at_ms for _, _, at_ms, name in self._found if name == quantity}
        return sorted(found, key=lambda at_ms: -1.0 if at_ms is None else at_ms)


def contrast_table(contrasts: pd.DataFrame) -> Table:
    """The differences asked for beforehand."""
    rows = [tuple(_contrast_cells(row)) for row in contrasts.to_dict("records")]
    return Table(
        "Contrasts: first minus second, paired by replication",
        (*CONTRAST_NAMES, "deadline", "difference", "p (Holm)", "distinguishable", "n"),
        rows,
        (
            "±: half of the pair's own 95 % interval. p: paired t-test, adjusted by Holm's method over all rows; "
            "distinguishable where it is below 0.05.",
        ),
        names=len(CONTRAST_NAMES),
    )


def _contrast_cells(row: Mapping[Any, Any]) -> Iterator[str]:
    yield from (row["contrast"], row["policy"], row["first"], row["second"], quantity_in_words(row["quantity"]))
    yield deadline_in_words(None if np.isnan(row["deadline_ms"]) else row["deadline_ms"])
    if not row["n"]:
        yield from ("", "", "", "0")
        return
    yield difference_in_words(row["quantity"], row["difference"], row["high"] - row["difference"])
    told = not np.isnan(row["p_holm"])
    yield p_in_words(row["p_holm"]).removeprefix("p = ").removeprefix("p ") if told else ""
    yield ("yes" if row["distinguishable"] else "no") if told else ""
    yield str(row["n"])


def measure_table(findings: Findings, means: Means, measure: Measure, deadline_ms: float | None) -> Table:
    """A row a point, a column a policy."""
    rows = []
    for point in means.points:
        found = [means.get(point, policy, deadline_ms, measure.key) for policy in findings.policies]
        n = [mean.n for mean in found if mean]
        rows.append((*map(value_in_words, point), *(_value(mean, measure) for mean in found), _span(n)))
    return Table(
        f"{_column(measure)} {at_deadline(deadline_ms)}",
        (*findings.axes, *_policies(findings), "n"),
        rows,
        ("±: half of the 95 % interval over n replications.",),
        names=len(findings.axes),
    )


def best_table(findings: Findings, found: Sequence[Best], measure: Measure, deadline_ms: float | None) -> Table:
    """A row a point: the best policy, and by how much the second is behind."""
    rows = []
    for best in found:
        second = best.second
        ahead = second.interval if second else None
        rows.append(
            (
                *map(value_in_words, best.point),
                best.policy,
                second.second if second else "",
                _interval(best.value.mean, best.value.high, measure, measure.digits),
                _interval(ahead.mean, ahead.high, measure, measure.digits + 1) if ahead else "",
                "" if second is None or np.isnan(second.p_holm) else "yes" if best.distinguishable else "no",
            )
        )
    return Table(
        f"Best policy {at_deadline(deadline_ms)}, oracles aside",
        (*findings.axes, "best", "second", _column(measure), "ahead by", "distinguishable"),
        rows,
        (
            "Ahead by: paired by replication; distinguishable: p of the paired t-test below 0.05, adjusted by Holm's "
            "method over all pairs of policies at the point, not over the points.",
        ),
        names=len(findings.axes) + 2,
    )


def deadline_table(findings: Findings, means: Means, measure: Measure) -> Table:
    """A row a point and policy, a column a deadline."""
    deadlines_ms = means.deadlines_ms(measure.key)
    rows = []
    for point, name, policy in _rows(findings, means):
        found = [means.get(point, name, at_ms, measure.key) for at_ms in deadlines_ms]
        rows.append((*map(value_in_words, point), policy, *(_value(mean, measure) for mean in found)))
    headings = (*findings.axes, "policy", *map(deadline_in_words, deadlines_ms))
    return Table(f"{_column(measure)} by deadline", headings, rows, names=len(findings.axes) + 1)


def cost_table(findings: Findings, means: Means, deadline_ms: float | None) -> Table:
    """A row a point and policy: what it took, per request."""
    rows = []
    for point, name, policy in _rows(findings, means):
        at_ms = deadline_ms if means.get(point, name, deadline_ms, "offload_ratio") else None
        found = {metric: means.get(point, name, at_ms, metric) for metric in COST_METRICS}
        found["miss_ratio"] = means.get(point, name, deadline_ms, "miss_ratio")
        cells = cost_cells({metric: mean.mean if mean else None for metric, mean in found.items()})
        rows.append((*map(value_in_words, point), policy, *cells))
    return Table(
        "What it took, per request",
        (*findings.axes, "policy", *COSTS),
        rows,
        (f"missed: {at_deadline(deadline_ms)}; sent: requests that sent anything up",),
        names=len(findings.axes) + 1,
    )


def _rows(findings: Findings, means: Means) -> Iterator[tuple[Point, str, str]]:
    """Every point with every policy that was measured somewhere: (point, policy, the policy in words)."""
    for point in means.points:
        yield from zip([point] * len(findings.policies), findings.policies, _policies(findings), strict=True)


def _policies(findings: Findings) -> list[str]:
    oracles = findings.manifest["labels"]["oracles"]
    return [f"{name} (oracle)" if name in oracles else name for name in findings.policies]


def _column(measure: Measure) -> str:
    return measure.column[:1].upper() + measure.column[1:]


def _value(mean: Mean | None, measure: Measure) -> str:
    return "" if mean is None else _interval(mean.mean, mean.mean + mean.half, measure, measure.digits)


def _interval(mean: float, high: float, measure: Measure, digits: int) -> str:
    return measure.text(mean, digits) + _plus_minus(high - mean, measure.factor, digits)


def _plus_minus(half: float, factor: float, digits: int) -> str:
    return "" if np.isnan(half) else f"±{factor * half:.{digits}f}"


def _span(n: Sequence[int]) -> str:
    if not n:
        return "0"
    return str(min(n)) if min(n) == max(n) else f"{min(n)} to {max(n)}"
