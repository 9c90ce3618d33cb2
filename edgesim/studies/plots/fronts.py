"""What accuracy costs: the measure against latency, energy and bytes, with the Pareto front of the policies."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from edgesim.results.plots import style
from edgesim.results.plots.pareto import COSTS, Points, draw_panel, value_axis
from edgesim.studies.asked import at_deadline
from edgesim.studies.plots.measured import Measured

SIDES = ["mean", "low", "high"]


def draw(measured: Measured) -> Figure:
    """Three panels; a point is a policy in a cell.

    Only what can be chosen varies (axes of policies and models), as worlds that differ cannot be traded for each other.
    """
    drawing = style.figure(3.9, 10.2)
    panels = drawing.subplots(1, len(COSTS), sharey=True)
    table = _table(measured)
    for axes, (quantity, (label, factor)) in zip(panels, COSTS.items(), strict=True):
        points = {
            policy: Points(
                factor * rows["mean", quantity].to_numpy(float),
                *(rows[side, measured.measure.key].to_numpy(float) for side in SIDES),
            )
            for policy in measured.policies
            if len(rows := table[table.index.get_level_values("policy") == policy])
        }
        oracles = {policy for policy in points if measured.is_oracle(policy)}
        draw_panel(axes, points, oracles, measured.looks, label, measured.measure.sign)
    value_axis(panels[0], measured.measure)
    style.legend_right(drawing, panels[0])
    measured.caption(
        drawing,
        f"A point: a policy in a cell, {at_deadline(measured.deadline_ms)}; open: oracles, which the front leaves out",
        "Grey line: Pareto front. Bars: 95 % t-intervals over replications",
        measured.bases(*measured.choices),
    )
    return drawing


def _table(measured: Measured) -> pd.DataFrame:
    """A row for each policy in each cell; columns are ("mean", "low" or "high", quantity)."""
    rows = measured.along_all(measured.choices, measured.at_asked(measured.measure.key, *COSTS))
    table = rows.pivot(index=["cell", "policy"], columns="quantity", values=SIDES)
    return table.reindex(columns=pd.MultiIndex.from_product([SIDES, [measured.measure.key, *COSTS]]))
