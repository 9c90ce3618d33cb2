"""Which policy is best at each point of a study, and whether it can be told from the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from edgesim.results.measure import Measure
from edgesim.results.statistics import CONFIDENCE, Difference, Interval, paired_differences, t_interval
from edgesim.studies.conduct import open_ledger
from edgesim.studies.design import Value
from edgesim.studies.findings import Findings

Point = tuple[Value, ...]
"""The values of the axes, without that of policies, in the study's order."""


class Best(NamedTuple):
    """The policy with the best mean at a point.

    differences: of every pair of policies there, paired by replication, the better first and the best two before all
    others; p is adjusted by Holm's method over all of them, since which two are ahead is only known from the data.
    """

    point: Point
    policy: str
    value: Interval
    differences: list[Difference]

    @property
    def second(self) -> Difference | None:
        """By how much the next policy is behind; None where there is no other."""
        return self.differences[0] if self.differences else None

    @property
    def called(self) -> str:
        """The policy, with those that did exactly as well in every replication."""
        alike = [
            each.second
            for each in self.differences
            if each.first == self.policy and each.interval.mean == each.interval.low == each.interval.high == 0.0
        ]
        return f"{' and '.join([self.policy, *alike])} alike" if alike else self.policy

    @property
    def distinguishable(self) -> bool:
        """Whether the best can be told from the second."""
        return self.second is not None and self.second.p_holm < 1 - CONFIDENCE


def best_policies(findings: Findings, measure: Measure, deadline_ms: float | None) -> Iterator[Best]:
    """The best policy that is no oracle at each point that has been measured at the deadline (None: own deadlines)."""
    for point, values in _values(findings, measure, deadline_ms).items():
        signed = {
            policy: {number: measure.sign * value for number, value in of_policy.items()}
            for policy, of_policy in values.items()
        }
        differences = paired_differences(signed)
        means = {policy: np.mean([*of_policy.values()]) for policy, of_policy in signed.items()}
        best = differences[0].first if differences else max(means, key=lambda policy: means[policy])
        yield Best(
            point,
            best,
            t_interval(np.array([*values[best].values()])),
            differences,
        )


def ranks(best: Best) -> list[str]:
    """The policies at a point, best mean first."""
    ahead = Counter(difference.first for difference in best.differences)
    names = {name for difference in best.differences for name in (difference.first, difference.second)}
    return sorted(names, key=lambda name: (-ahead[name], name)) or [best.policy]


Values = dict[str, dict[int, float]]


def _values(findings: Findings, measure: Measure, deadline_ms: float | None) -> dict[Point, Values]:
    """What each policy reached in each replication, by point; cells that differ in policies alone go together."""
    oracles = findings.manifest["labels"]["oracles"]
    points = [tuple(point) for point in findings.cells.itertuples(index=False, name=None)]
    found: dict[Point, Values] = {}
    with open_ledger(findings.folder) as ledger:
        for cell, numbers, quantities, values in ledger.measured():
            for column, (policy, at_ms, name) in enumerate(quantities):
                if name == measure.key and at_ms == deadline_ms and policy not in oracles:
                    of_policy = dict(zip(numbers, values[:, column].tolist(), strict=True))
                    known = {number: value for number, value in of_policy.items() if not np.isnan(value)}
                    if known:
                        found.setdefault(points[cell], {})[policy] = known
    return found
