"""The best policy over two axes, hatched where the best two cannot be told apart."""

from __future__ import annotations

from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from edgesim.results.plots import style
from edgesim.studies.asked import at_deadline
from edgesim.studies.best import Best, best_policies
from edgesim.studies.design import Value
from edgesim.studies.plots.measured import Measured
from edgesim.studies.read_study import base_of

HATCH = "////"
LETTERS = 24
"""That stand in a line beside the fields."""


def draw(measured: Measured, first: str, second: str) -> Figure:
    """Fields in the policies' colours with the best one's value in them; the other axes at their base."""
    found = _fields(measured, first, second)
    columns, rows = measured.values(first), measured.values(second)
    drawing = style.figure(2.1 + 0.42 * max(len(rows), 3), max(6.4, 2.6 + 0.72 * len(columns)))
    axes = drawing.add_subplot()
    for (x, y), best in found.items():
        look = measured.looks[best.policy]
        place = (columns.index(x) - 0.5, rows.index(y) - 0.5)
        told = best.second is None or best.distinguishable
        hatch = None if told else HATCH
        axes.add_patch(
            Rectangle(place, 1, 1, facecolor=look.colour, alpha=0.72, edgecolor="white", linewidth=1.5, hatch=hatch)
        )
        text = measured.measure.text(best.value.mean, measured.measure.digits)
        axes.text(columns.index(x), rows.index(y), text, ha="center", va="center", fontsize=8,
                  bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.2})  # fmt: skip
    style.name_ticks(axes, range(len(columns)), columns, letters=60)
    axes.set_yticks(range(len(rows)), [str(value) for value in rows])
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(-0.5, len(rows) - 0.5)
    axes.set_xlabel(measured.label(first))
    axes.set_ylabel(fill(measured.label(second), LETTERS))
    axes.grid(visible=False)
    _legend(drawing, measured, list(found.values()))
    measured.caption(
        drawing,
        f"The best policy that is no oracle {at_deadline(measured.deadline_ms)}, and its {measured.measure.column}",
        "Hatched: the best two are not distinguishable (paired t-test over replications, Holm's method over the pairs "
        "of policies in a field)",
        measured.bases(first, second),
    )
    return drawing


def _fields(measured: Measured, first: str, second: str) -> dict[tuple[Value, Value], Best]:
    names = measured.findings.axes
    still = {name: base_of(measured.findings.study.axes[name]) for name in names if name not in (first, second)}
    found: dict[tuple[Value, Value], Best] = {}
    for best in best_policies(measured.findings, measured.measure, measured.deadline_ms):
        point = dict(zip(names, best.point, strict=True))
        if all(point[name] == value for name, value in still.items()):
            found[point[first], point[second]] = best
    return found


def _legend(drawing: Figure, measured: Measured, found: list[Best]) -> None:
    names = [policy for policy in measured.policies if policy in {best.policy for best in found}]
    handles = [
        Patch(facecolor=measured.looks[name].colour, alpha=0.72, label=measured.looks[name].label) for name in names
    ]
    if not np.all([best.second is None or best.distinguishable for best in found]):
        handles.append(
            Patch(facecolor="white", edgecolor="#555555", hatch=HATCH, label="not told apart\nfrom the second")
        )
    drawing.legend(handles=handles, loc="outside right upper", fontsize=8)
