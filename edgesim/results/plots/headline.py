"""The headline: on-time accuracy (or error) against the deadline, a line and a band per policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edgesim.results.measure import ERROR, Measure, measure_of
from edgesim.results.plots import style
from edgesim.results.plots.hidden import SAME, WIDER, hidden, hidden_sentence
from edgesim.results.plots.ticks import value_ticks
from edgesim.results.summary import missed_error

Points = list[dict[str, Any]]


def draw(summary: Mapping[str, Any]) -> Figure:
    """Curves over the axis of deadlines; without an axis, each policy's point at the requests' own deadlines."""
    on_axis, measure = bool(summary["deadlines_ms"]), measure_of(summary)
    drawing = style.figure(4.6 if on_axis else 1.3 + 0.3 * len(summary["policies"]))
    axes = drawing.add_subplot()
    if on_axis:
        _curves(axes, summary, measure)
        value_ticks(axes, summary["deadlines_ms"])
        axes.set_xlabel("deadline (ms)")
        axes.set_ylabel(measure.axis)
        axes.set_ylim(0, _most(summary, measure))
        style.legend_right(drawing, axes)
    else:
        _own_points(axes, summary, measure)
    if measure is ERROR:
        (axes.axhline if on_axis else axes.axvline)(missed_error(summary), **style.GUIDE)
    covered = hidden_sentence(_hidden(summary, measure)) if on_axis else ""
    style.caption(drawing, summary, *filter(None, [covered]), *_bands(summary, measure))
    return drawing


def _most(summary: Mapping[str, Any], measure: Measure) -> float:
    """Where the axis of values ends."""
    if measure is not ERROR:
        return 1.0
    points = [point[measure.key] for policy in summary["policies"].values() for point in policy["points"]]
    return 1.05 * max(missed_error(summary), *(point["high"] or point["mean"] for point in points))


def _curves(axes: Axes, summary: Mapping[str, Any], measure: Measure) -> None:
    policies, under = style.looks(summary), _hidden(summary, measure)
    sizes = [4 + 3 * (1 - place / len(policies)) for place in range(len(policies))]  # who is covered shows at the rim
    for (name, look), size in zip(policies.items(), sizes, strict=True):
        points = _on_axis(summary, name)
        deadlines_ms = [point["deadline_ms"] for point in points]
        values = [point[measure.key] for point in points]
        wider = WIDER * len(under.get(name, ()))
        axes.plot(
            deadlines_ms,
            [value["mean"] for value in values],
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            markersize=size + wider,
            linewidth=1.6 + wider,
            label=look.label,
        )
        low, high = (np.array([value[side] for value in values], float) for side in ("low", "high"))
        if not np.isnan(low).all():
            axes.fill_between(deadlines_ms, low, high, color=look.colour, alpha=0.18, linewidth=0)


def _on_axis(summary: Mapping[str, Any], name: str) -> Points:
    return [point for point in summary["policies"][name]["points"] if point["deadline_ms"] is not None]


def _hidden(summary: Mapping[str, Any], measure: Measure) -> dict[str, list[str]]:
    curves = {
        name: np.array([point[measure.key]["mean"] for point in _on_axis(summary, name)], float)
        for name in summary["policies"]
    }
    return hidden(curves, SAME * _most(summary, measure))


def _own_points(axes: Axes, summary: Mapping[str, Any], measure: Measure) -> None:
    policies = style.looks(summary)
    for row, (name, look) in enumerate(policies.items()):
        value = summary["policies"][name]["points"][0][measure.key]
        axes.plot(value["mean"], row, marker=look.marker, color=look.colour, markersize=6, linestyle="none")
        if value["low"] is not None:
            axes.plot([value["low"], value["high"]], [row, row], color=look.colour, linestyle=look.line, linewidth=2)
    style.policy_rows(axes, policies)
    axes.set_xlim(0, _most(summary, measure))
    axes.set_xlabel(f"{measure.axis}, at the requests' own deadlines")


def _bands(summary: Mapping[str, Any], measure: Measure) -> list[str]:
    guide = ["Dotted: no request answered"] if measure is ERROR else []
    values = [point[measure.key] for policy in summary["policies"].values() for point in policy["points"]]
    level = f"{summary['confidence']:.0%}"
    if summary.get("method") == "batch_means":
        return [*guide, f"Bands: {level} by batch means of the one replication, on the same images"]
    pool = [(value["pool_high"] - value["pool_low"]) / 2 for value in values if value["pool_low"] is not None]
    if not pool:
        return [*guide, "One replication: no intervals"]
    widest = measure.text(max(pool), measure.digits)
    return [
        *guide,
        f"Bands: {level} t-interval over replications on the same images",
        f"With the image pool resampled too, the widest {level} interval is ±{widest}{measure.unit}",
    ]
