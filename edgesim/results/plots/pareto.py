"""Accuracy against what it costs, and the front of those that nobody beats in both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from edgesim.results.measure import ERROR, Measure
from edgesim.results.plots import style

COSTS = {
    "latency_mean_s": ("mean latency of the answered (ms)", 1e3),
    "energy_j": ("device energy above idle (mJ a request)", 1e3),
    "bytes_up": ("sent up (kB a request)", 1e-3),
}
"""Metric -> how its axis is called, and by what it is shown."""
FRONT = "#555555"


class Points(NamedTuple):
    """Costs and values of a policy's points, and the intervals of the values; all arrays (points,), NaN: not known."""

    costs: np.ndarray
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray


def draw_panel(
    axes: Axes,
    points: Mapping[str, Points],
    oracles: Collection[str],
    looks: Mapping[str, style.Look],
    label: str,
    sign: int,
) -> None:
    """One panel: points and intervals by policy, and the front of the policies that are no oracles.

    sign: 1 where more is better.
    """
    for policy, (costs, values, low, high) in points.items():
        look = looks[policy]
        face = "none" if policy in oracles else look.colour
        axes.vlines(costs, low, high, color=look.colour, alpha=0.5)
        axes.scatter(costs, values, s=24, marker=look.marker, facecolors=face, edgecolors=look.colour, alpha=0.85,
                     linewidths=1.1, label=look.label, zorder=3, clip_on=False)  # fmt: skip
    real = [of_policy for policy, of_policy in points.items() if policy not in oracles]
    if real:
        costs, values, *_ = (np.concatenate(side) for side in zip(*real, strict=True))
        chosen = pareto_front(costs, sign * values)
        axes.step(costs[chosen], values[chosen], where="post", color=FRONT, linewidth=1.0, zorder=2)
    axes.set_xlabel(label)
    most = np.nanmax(np.concatenate([np.zeros(1), *(of_policy.costs for of_policy in points.values())])) or 1.0
    axes.set_xlim(-0.04 * most, 1.05 * most)  # what costs nothing and what costs most show whole


def value_axis(axes: Axes, measure: Measure) -> None:
    """Name the axis of values, and end it where the measure does: intervals may go on."""
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -0.02), high if measure is ERROR else min(high, 1.02))
    axes.set_ylabel(measure.axis)


def pareto_front(costs: np.ndarray, worths: np.ndarray) -> np.ndarray:
    """The places of the points that no other one beats (costs no more and is worth more, or costs less and is worth as
    much), by rising cost.  Points with a NaN are left out; of equal points all stay."""
    known = np.flatnonzero(~np.isnan(costs) & ~np.isnan(worths))
    order = known[np.lexsort((-worths[known], costs[known]))]
    front: list[int] = []
    best = -np.inf
    for place in order.tolist():
        equal = bool(front) and costs[place] == costs[front[-1]] and worths[place] == worths[front[-1]]
        if worths[place] > best or equal:
            front.append(place)
            best = max(best, float(worths[place]))
    return np.array(front, dtype=int)
