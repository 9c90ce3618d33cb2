"""On-time accuracy (or error) against the deadline, a panel for each value of an axis."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from edgesim.results.measure import ERROR
from edgesim.results.plots import style
from edgesim.results.plots.hidden import SAME
from edgesim.results.plots.ticks import value_ticks
from edgesim.studies.plots.measured import Measured, bands

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
    measures = pd.concat([measured.along(axis, measured.at_deadline(at_ms)) for at_ms in measured.deadlines_ms])
    same = SAME * (measures["mean"].max() if measured.measure is ERROR else 1.0)
    for axes, value in zip(panels, values, strict=False):
        here = measures[measures[axis] == value]
        curves = {policy: here[here.policy == policy].set_index("deadline_ms") for policy in measured.policies}
        bands(axes, {policy: found for policy, found in curves.items() if len(found)}, measured.looks, same)
        axes.set_title(f"{axis} {value}", loc="left", fontsize=9)
        value_ticks(axes, measured.deadlines_ms)
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
