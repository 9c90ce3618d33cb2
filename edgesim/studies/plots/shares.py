"""Which exits answered and which cuts were sent along an axis, stacked, a row of panels per policy."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from edgesim.results.metrics import NOTHING
from edgesim.results.plots import style
from edgesim.results.plots.exits_and_cuts import cut_colours, cut_label, depth, exit_colours, exit_label
from edgesim.studies.asked import at_deadline
from edgesim.studies.plots.measured import Measured


def draw(measured: Measured, axis: str) -> Figure:
    """Bars in the order of the axis, the other axes at their base; exits left, last cuts sent right."""
    rows = measured.along(axis, measured.at_asked(*_kinds(measured)))
    policies = [policy for policy in measured.policies if (rows.policy == policy).any()]
    drawing = style.figure(1.9 + 0.95 * len(policies), 9.6)
    panels = drawing.subplots(len(policies), 2, sharex=True, sharey=True, squeeze=False)
    legend: list[Patch] = []
    for column, (group, label, nothing) in enumerate(
        (("exit:", exit_label, "no answer"), ("cut:", cut_label, "nothing sent"))
    ):
        mine = rows[rows["quantity"].str.startswith(group)]
        looks = _looks(measured, mine, group)
        for axes, policy in zip(panels[:, column], policies, strict=True):
            _bars(axes, measured, axis, mine[mine.policy == policy], looks)
            of = ("exit that answered", "last cut sent")[column]
            axes.set_title(f"{measured.looks[policy].label}: {of}", loc="left", fontsize=8, pad=5)
        legend.append(Patch(alpha=0, label=("left: exit", "right: last cut")[column]))
        legend += [
            Patch(facecolor=colour, label=nothing if kind == NOTHING else label(kind)) for kind, colour in looks.items()
        ]
    drawing.legend(handles=legend, loc="outside right upper", fontsize=7)
    for axes in panels[-1]:
        axes.set_xlabel(measured.label(axis))
    drawing.supylabel("share of requests", fontsize=8.5)
    measured.caption(
        drawing, f"Policies that react to the deadline {at_deadline(measured.deadline_ms)}", measured.bases(axis)
    )
    return drawing


def _kinds(measured: Measured) -> list[str]:
    return [name for name in measured.findings.quantities if name.startswith(("exit:", "cut:"))]


def _looks(measured: Measured, rows: pd.DataFrame, group: str) -> dict[str, str]:
    """A colour for each kind that occurs, from shallow to deep, nothing last."""
    occurring = rows[rows["mean"] > 0]["quantity"].astype(str).unique()
    kinds = {name.removeprefix(group) for name in occurring}
    ordered = sorted(kinds - {NOTHING}, key=depth)
    models = list(measured.findings.manifest["scenario"]["models"])
    colours = exit_colours(ordered, models) if group == "exit:" else cut_colours(ordered)
    return {kind: colours[kind] for kind in [*ordered, *(kinds & {NOTHING})]}


def _bars(axes: Axes, measured: Measured, axis: str, rows: pd.DataFrame, looks: dict[str, str]) -> None:
    values = measured.values(axis)
    bottom = np.zeros(len(values))
    for kind, colour in looks.items():
        of_kind = rows[rows["quantity"].str.endswith(f":{kind}")].set_index(axis)["mean"]
        height = np.array([float(of_kind.get(value, 0.0)) for value in values])
        axes.bar(range(len(values)), height, 0.86, bottom, color=colour, edgecolor="white", linewidth=0.4)
        bottom += height
    step = -(-len(values) // 12)
    style.name_ticks(axes, range(0, len(values), step), values[::step], letters=40)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1])
