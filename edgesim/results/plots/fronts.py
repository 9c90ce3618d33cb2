"""What accuracy costs: the measure against latency, energy and bytes, with the Pareto front of the policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from edgesim.results.measure import measure_of
from edgesim.results.plots import style
from edgesim.results.plots.decomposition import at_deadline
from edgesim.results.plots.pareto import COSTS, Points, draw_panel, value_axis
from edgesim.results.summary import point_at, reference_run


def draw(summary: Mapping[str, Any]) -> Figure:
    """A panel for each cost that some policy has; a point is a policy's mean, a bar its interval in the measure."""
    looks, measure = style.looks(summary), measure_of(summary)
    runs = {name: reference_run(policy, summary["compared_at_ms"]) for name, policy in summary["policies"].items()}
    values = {name: _value(policy, summary, measure.key) for name, policy in summary["policies"].items()}
    costs = {name: {cost: run["metrics"][cost]["mean"] for cost in COSTS} for name, run in runs.items()}
    shown = [cost for cost in COSTS if any(of_policy[cost] for of_policy in costs.values())] or list(COSTS)[:1]
    drawing = style.figure(4.1, 1.9 + 2.8 * len(shown))
    panels = drawing.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    oracles = {name for name, policy in summary["policies"].items() if policy["oracle"]}
    for axes, cost in zip(panels, shown, strict=True):
        label, factor = COSTS[cost]
        points = {
            name: Points(*(np.array([each], float) for each in (factor * _known(of_policy[cost]), *values[name])))
            for name, of_policy in costs.items()
        }
        draw_panel(axes, points, oracles, looks, label, measure.sign)
    value_axis(panels[0], measure)
    style.legend_right(drawing, panels[0])
    style.caption(
        drawing,
        summary,
        "Grey line: Pareto front of the policies that are no oracles; open: oracles",
        f"Bars: {summary['confidence']:.0%} intervals",
        *at_deadline(list(runs.values())),
    )
    return drawing


def _value(policy: Mapping[str, Any], summary: Mapping[str, Any], key: str) -> tuple[float | None, ...]:
    """Mean, low and high of the measure."""
    point = point_at(policy, summary["compared_at_ms"]) or policy["points"][0]
    return tuple(point[key][side] for side in ("mean", "low", "high"))


def _known(value: float | None) -> float:
    return float("nan") if value is None else value
