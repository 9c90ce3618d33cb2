"""Regret over the requests, against the best policy in hindsight and against the oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from edgesim.results.measure import ERROR, measure_of
from edgesim.results.plots import style
from edgesim.results.plots.decomposition import at_deadline
from edgesim.results.recorded import RecordedRun
from edgesim.results.regret import Regret, losses, regret
from edgesim.results.statistics import t_interval
from edgesim.results.summary import reference_run

STEPS = 160


def draw(run: RecordedRun, summary: Mapping[str, Any]) -> Figure:
    """Means over replications with their bands, over a logarithmic axis of requests in order of arrival.

    What regret is: :mod:`edgesim.results.regret`.  A second panel is against the best oracle, where there is one.
    """
    policies, at_ms = summary["policies"], summary["compared_at_ms"]
    lost = {name: losses(run, name, at_ms) for name in policies}
    oracles = [name for name in policies if policies[name]["oracle"]]
    real = [name for name in policies if name not in oracles]
    against = {"the best policy in hindsight": real, "the best oracle in hindsight": oracles}
    found = {title: regret(lost, among) for title, among in against.items() if among}
    drawing = style.figure(1.4 + 2.7 * len(found))
    panels = drawing.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (title, of_panel) in zip(panels, found.items(), strict=True):
        _panel(axes, of_panel, style.looks(summary))
        axes.set_title(f"against {title}: {_names(of_panel)}", loc="left", fontsize=8.5)
    panels[-1].set_xlabel("requests in order of arrival")
    unit = "error" if measure_of(summary) is ERROR else "requests"
    drawing.supylabel(f"regret ({unit})", fontsize=9)
    style.legend_right(drawing, panels[0])
    level = f"{summary['confidence']:.0%}"
    bands = f"bands: {level} t-intervals" if summary["replications"] > 1 else "one replication: no bands"
    runs = [reference_run(policy, at_ms) for policy in policies.values()]
    style.caption(
        drawing,
        summary,
        f"Mean over replications; {bands}",
        "Up to the last request of the shortest replication",
        "Dotted: how √t and log t grow that end as the highest mean does",
        *at_deadline(runs),
    )
    return drawing


def _panel(axes: Axes, found: Regret, looks: Mapping[str, style.Look]) -> None:
    requests = next(iter(found.curves.values())).shape[1]
    steps = np.unique(np.geomspace(1, max(requests, 1), STEPS).round().astype(int))[:requests]
    highest = 0.0
    for policy, curves in found.curves.items():
        mean, low, high = np.array([t_interval(curves[:, step - 1]) for step in steps]).reshape(-1, 3).T
        look = looks[policy]
        axes.plot(steps, mean, color=look.colour, linestyle=look.line, linewidth=1.5, label=look.label)
        if len(curves) > 1:
            axes.fill_between(steps, low, high, color=look.colour, alpha=0.14, linewidth=0)
        highest = max(highest, mean[-1] if len(mean) else 0.0)
    if requests:
        _scales(axes)
    if highest and requests > 1:
        _guides(axes, steps, highest)


def _scales(axes: Axes) -> None:
    """Logarithmic in both, regret from 1 up and, below zero, from -1 down: there powers of t are straight."""
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=1.0)
    axes.axhline(0, color=style.GUIDE["color"], linewidth=0.6, zorder=1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _guides(axes: Axes, steps: np.ndarray, highest: float) -> None:
    """Curves that end where the highest one does."""
    steps = steps[steps > 1]
    for label, shape, above in (("√t", np.sqrt(steps), False), ("log t", np.log(steps), True)):
        guide = highest * shape / shape[-1]
        axes.plot(steps, guide, **style.GUIDE)
        place = len(steps) // 4
        axes.annotate(label, (steps[place], guide[place]), (0, 3 if above else -4), textcoords="offset points",
                      ha="center", va="bottom" if above else "top", fontsize=7.5, color="#555555")  # fmt: skip


def _names(found: Regret) -> str:
    """The references, the most frequent first."""
    counts = Counter(found.references.values())
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{name} ({count} of {len(found.references)})" for name, count in counts.most_common())
