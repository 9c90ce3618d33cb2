"""What accuracy costs: the measure against latency, energy and bytes, with the Pareto front of the policies."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from edgesim.results.plots import style
from edgesim.results.plots.pareto import COSTS, draw_panel
from edgesim.studies.asked import at_deadline
from edgesim.studies.plots.measured import Measured


def draw(measured: Measured) -> Figure:
    """Three panels; a point is a policy in a cell.

    Only what can be chosen varies (axes of policies and models), as worlds that differ cannot be traded for each other.
    """
    drawing = style.figure(3.9, 10.2)
    panels = drawing.subplots(1, len(COSTS), sharey=True)
    table = _table(measured)
    for axes, (quantity, (label, factor)) in zip(panels, COSTS.items(), strict=True):
        points = {
            policy: (factor * rows[quantity].to_numpy(float), rows[measured.measure.key].to_numpy(float))
            for policy in measured.policies
            if len(rows := table[table.policy == policy])
        }
        oracles = {policy for policy in points if measured.is_oracle(policy)}
        draw_panel(axes, points, oracles, measured.looks, label, measured.measure.sign)
    panels[0].set_ylabel(measured.measure.axis)
    style.legend_right(drawing, panels[0])
    measured.caption(
        drawing,
        f"A point: a policy in a cell, {at_deadline(measured.deadline_ms)}; open: oracles, which the front leaves out",
        "Grey line: Pareto front",
        measured.bases(*measured.choices),
    )
    return drawing


def _table(measured: Measured) -> pd.DataFrame:
    """A row for each policy in each cell, the quantities as columns."""
    rows = measured.along_all(measured.choices, measured.at_asked(measured.measure.key, *COSTS))
    table = rows.pivot_table(index=["cell", "policy"], columns="quantity", values="mean", observed=True)
    return table.reindex(columns=[measured.measure.key, *COSTS]).reset_index()
