"""The differences that a study asks for beforehand, each with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from edgesim.results.plots import style
from edgesim.results.quantity import quantity as quantity_of
from edgesim.results.quantity import quantity_in_words
from edgesim.studies.answers import sides_in_words
from edgesim.studies.asked import at_deadline
from edgesim.studies.plots.measured import Measured

PAIR = "#333333"


def draw(measured: Measured) -> Figure:
    """A row per contrast, and per policy where it names none; filled where Holm's method calls it distinguishable from
    nothing."""
    contrasts = measured.findings.contrasts()
    quantities = list(dict.fromkeys(contrasts["quantity"]))
    rows = len(contrasts) + 1.6 * contrasts["contrast"].nunique()
    drawing = style.figure(1.3 + 0.21 * rows, 7.6)
    panels = drawing.subplots(
        len(quantities),
        1,
        squeeze=False,
        height_ratios=[max(1, (contrasts["quantity"] == name).sum()) for name in quantities],
    )[:, 0]
    for axes, quantity in zip(panels, quantities, strict=True):
        _panel(axes, measured, contrasts[contrasts["quantity"] == quantity], quantity)
    measured.caption(
        drawing,
        "First minus second, paired by replication, with the pair's own 95 % interval",
        "Filled: distinguishable from no difference by Holm's method over all rows",
    )
    return drawing


def _panel(axes, measured: Measured, rows, quantity: str) -> None:  # type: ignore[no-untyped-def]
    unit = quantity_of(quantity)
    labels: list[str] = []
    place = 0.0
    places = []
    for name, group in rows.groupby("contrast", sort=False):
        axes.text(0.0, place, _heading(measured, str(name), group.iloc[0]), fontsize=8, va="center", fontweight="bold",
                  transform=axes.get_yaxis_transform())  # fmt: skip
        place += 1.0
        for row in group.to_dict("records"):
            look = measured.looks.get(row["policy"])
            colour = look.colour if look else PAIR
            mean, low, high = (unit.factor * row[column] for column in ("difference", "low", "high"))
            axes.plot([low, high], [place, place], color=colour, linewidth=1.8, solid_capstyle="butt")
            axes.plot(mean, place, marker=look.marker if look else "o", color=colour, markersize=5,
                      markerfacecolor=colour if row["distinguishable"] else "white", linestyle="none")  # fmt: skip
            places.append(place)
            labels.append(look.label if look else "")
            place += 1.0
        place += 0.4
    axes.axvline(0, **style.GUIDE)
    axes.set_yticks(places, labels, fontsize=8)
    axes.set_ylim(place - 0.4, -0.8)
    axes.grid(axis="y", visible=False)
    most = np.nanmax(np.abs(unit.factor * rows[["difference", "low", "high"]].to_numpy(float)), initial=0.0)
    axes.set_xlim(-1.08 * (most or 1.0), 1.08 * (most or 1.0))
    axes.set_xlabel(f"difference of {quantity_in_words(quantity)} ({unit.difference_unit or 'in its own unit'})")


def _heading(measured: Measured, name: str, row: pd.Series) -> str:
    """What is compared: a pair of policies, or each policy with itself, in one cell or in two."""
    study, pair = measured.findings.study, "" if row["policy"] in measured.looks else f"{row['policy']}, "
    where = sides_in_words(study, study.contrasts[name], row["first"], row["second"])
    deadline = "" if np.isnan(row["deadline_ms"]) else f" {at_deadline(row['deadline_ms'])}"
    return f"{name}{deadline}: {pair}{where}"
