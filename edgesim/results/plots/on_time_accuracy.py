"""The headline: on-time accuracy against the deadline, a line and a band per policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edgesim.results.plots import style

Points = list[dict[str, Any]]


def draw(summary: Mapping[str, Any]) -> Figure:
    """Curves over the axis of deadlines; without an axis, each policy's point at the requests' own deadlines."""
    on_axis = bool(summary["deadlines_ms"])
    drawing = style.figure(4.6 if on_axis else 1.3 + 0.3 * len(summary["policies"]))
    axes = drawing.add_subplot()
    if on_axis:
        _curves(axes, summary)
        style.deadline_axis(axes, summary["deadlines_ms"])
        axes.set_ylabel("on-time accuracy (share of all requests)")
        axes.set_ylim(0, 1)
        style.legend_right(drawing, axes)
    else:
        _own_points(axes, summary)
    style.caption(drawing, summary, *_bands(summary))
    return drawing


def _curves(axes: Axes, summary: Mapping[str, Any]) -> None:
    policies = style.looks(summary)
    for name, look in policies.items():
        points = [point for point in summary["policies"][name]["points"] if point["deadline_ms"] is not None]
        deadlines_ms = [point["deadline_ms"] for point in points]
        accuracy = [point["on_time_accuracy"] for point in points]
        axes.plot(
            deadlines_ms,
            [value["mean"] for value in accuracy],
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            markersize=4,
            linewidth=1.6,
            label=look.label,
        )
        if accuracy and accuracy[0]["low"] is not None:
            low, high = ([value[side] for value in accuracy] for side in ("low", "high"))
            axes.fill_between(deadlines_ms, low, high, color=look.colour, alpha=0.18, linewidth=0)


def _own_points(axes: Axes, summary: Mapping[str, Any]) -> None:
    policies = style.looks(summary)
    for row, (name, look) in enumerate(policies.items()):
        value = summary["policies"][name]["points"][0]["on_time_accuracy"]
        axes.plot(value["mean"], row, marker=look.marker, color=look.colour, markersize=6, linestyle="none")
        if value["low"] is not None:
            axes.plot([value["low"], value["high"]], [row, row], color=look.colour, linestyle=look.line, linewidth=2)
    style.policy_rows(axes, policies)
    axes.set_xlim(0, 1)
    axes.set_xlabel("on-time accuracy at the requests' own deadlines (share of all requests)")


def _bands(summary: Mapping[str, Any]) -> list[str]:
    values = [point["on_time_accuracy"] for policy in summary["policies"].values() for point in policy["points"]]
    pool = [(value["pool_high"] - value["pool_low"]) / 2 for value in values if value["pool_low"] is not None]
    if not pool:
        return ["One replication: no intervals"]
    level = f"{summary['confidence']:.0%}"
    return [
        f"Bands: {level} t-interval over replications on the same images",
        f"With the image pool resampled too, the widest {level} interval is ±{100 * max(pool):.1f} percentage points",
    ]
