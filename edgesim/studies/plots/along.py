"""On-time accuracy (or error), misses and tail latency along one axis, a line and a band per policy."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edgesim.results.measure import ERROR
from edgesim.results.plots import style
from edgesim.results.plots.hidden import SAME
from edgesim.studies.asked import at_deadline
from edgesim.studies.plots.measured import Measured, axis_of_values, bands, bars

LATENCY = "latency_p95_s"
NARROWEST = 0.05
"""The least of 0 to 1 that an axis of shares shows."""


def draw(measured: Measured, axis: str) -> Figure:
    """Three panels over the axis, the other axes at their base; in a Latin hypercube a cloud of all its points."""
    drawing = style.figure(7.0)
    panels = drawing.subplots(3, 1, sharex=True)
    key = measured.measure.key
    labels = {key: measured.measure.axis.replace(" (", "\n("), "miss_ratio": "missed\n(share of all requests)",
              LATENCY: "95 % quantile\nof latency (ms)"}  # fmt: skip
    for axes, (quantity, label) in zip(panels, labels.items(), strict=True):
        shown = _panel(axes, measured, axis, quantity, 1e3 if quantity == LATENCY else 1.0)
        axes.set_ylabel(label)
        if quantity == "miss_ratio":
            _shares(axes, np.append(shown, 0.0))
        elif quantity == key and measured.measure is not ERROR:
            _shares(axes, shown)
        else:
            _from_zero(axes)
    for axes in panels[:-1]:
        axes.set_xlabel("")
    style.legend_right(drawing, panels[0])
    moving = [axis] if axis in measured.lined_axes else measured.findings.axes
    measured.caption(
        drawing,
        f"Accuracy and misses {at_deadline(measured.deadline_ms)}; latency of the answered",
        "The axis of accuracy does not begin at 0" if panels[0].get_ylim()[0] > 0 else "",
        "Bands and bars: 95 % t-intervals over replications" if axis in measured.lined_axes else "A point is a cell",
        measured.bases(*moving),
    )
    return drawing


def _panel(axes: Axes, measured: Measured, axis: str, quantity: str, factor: float) -> np.ndarray:
    """Draw a quantity by policy; returns the means and the ends of their intervals that are to be seen."""
    lined = axis in measured.lined_axes
    rows = measured.at_asked(quantity)
    rows = measured.along(axis, rows) if lined else rows
    places = axis_of_values(axes, measured, axis)
    named = measured.places(axis) is None
    rows = rows[rows[axis].isin(places)].assign(at=lambda found: found[axis].map(places).astype(float))
    shown = [policy for policy in measured.policies if (rows.policy == policy).any()]
    curves = {policy: rows[rows.policy == policy].set_index("at").sort_index(kind="stable") for policy in shown}
    if lined and not named:
        least, most = rows["mean"].min(), rows["mean"].max()
        length = least if quantity == LATENCY else most - least  # that axis may be logarithmic
        bands(axes, curves, measured.looks, SAME * length, factor)
    else:  # names stand side by side, as nothing lies between two of them
        for number, (policy, mine) in enumerate(curves.items()):
            aside = 0.6 * (number - (len(shown) - 1) / 2) / max(len(shown), 4) if named else 0.0
            bars(axes, mine.index.to_numpy() + aside, mine, measured.looks[policy], factor)
    return factor * rows[["mean", "low", "high"]].to_numpy(float)


def _shares(axes: Axes, shown: np.ndarray) -> None:
    """As much of 0 to 1 as the values take, and never so little that chance looks large."""
    values = np.clip(shown[np.isfinite(shown)], 0, 1)
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    margin = max(0.06 * (high - low), (NARROWEST - (high - low)) / 2)
    low, high = max(low - margin, 0.0), min(high + margin, 1.0)
    low, high = max(min(low, high - NARROWEST), 0.0), min(max(high, low + NARROWEST), 1.0)
    whole = 0.02 * (high - low)  # what stands at 0 or at 1 shows whole
    axes.set_ylim(low - whole * (low == 0), high + whole * (high == 1))


def _from_zero(axes: Axes) -> None:
    """From zero up; over several decades on a logarithmic scale."""
    found = [line.get_ydata() for line in axes.get_lines()]
    values = np.concatenate([np.asarray(each, float) for each in found]) if found else np.array([])
    values = values[np.isfinite(values) & (values > 0)]
    if len(values) and values.max() > 30 * values.min():
        axes.set_yscale("log")
        return
    axes.set_ylim(bottom=0)
