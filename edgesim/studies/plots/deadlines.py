"""On-time accuracy (or error) against the deadline, a panel for each value of an axis."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from edgesim.results.measure import ERROR
from edgesim.results.plots import style
from edgesim.studies.plots.measured import Measured, band

MOST_PANELS = 6


def draw(measured: Measured, axis: str) -> Figure:
    """Panels in the order of the axis, the other axes at their base; of a long axis, values spread over it."""
    values = measured.values(axis)
    picked = np.unique(np.linspace(0, len(values) - 1, MOST_PANELS).round().astype(int)).tolist()
    values = [values[place] for place in picked]
    columns = 2 if len(values) == 4 else min(3, len(values))
    rows = -(-len(values) // columns)
    drawing = style.figure(0.9 + 2.3 * rows, 8.2)
    panels = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    frames = [measured.along(axis, measured.at_deadline(deadline_ms)) for deadline_ms in measured.deadlines_ms]
    for axes, value in zip(panels, values, strict=False):
        for policy in measured.policies:
            found = [frame[(frame[axis] == value) & (frame.policy == policy)] for frame in frames]
            kept = [
                (at_ms, each.iloc[0]) for at_ms, each in zip(measured.deadlines_ms, found, strict=True) if len(each)
            ]
            if kept:
                at_ms, means = zip(*kept, strict=True)
                band(axes, at_ms, pd.DataFrame(list(means)), measured.looks[policy])
        axes.set_title(f"{axis} {value}", loc="left", fontsize=9)
        style.deadline_axis(axes, measured.deadlines_ms)
        axes.set_xlabel("")
        if measured.measure is ERROR:
            axes.set_ylim(bottom=0)
        else:
            axes.set_ylim(0, 1)
    for axes in panels[len(values) :]:
        axes.set_visible(False)
    drawing.supylabel(measured.measure.name, fontsize=9)
    for axes in panels[: len(values)][-columns:]:
        axes.set_xlabel("deadline (ms)")
        axes.tick_params(labelbottom=True)
    style.legend_right(drawing, panels[0])
    measured.caption(drawing, f"Above each panel: {measured.label(axis)}",
                     "Bands: 95 % t-intervals over replications", measured.bases(axis))  # fmt: skip
    return drawing
