"""Which exits answered and which cuts were sent, as shares of the requests of each policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from edgesim.results.metrics import NOTHING, exit_shares
from edgesim.results.plots import style
from edgesim.results.plots.decomposition import at_deadline
from edgesim.results.plots.exits_and_cuts import cut_colours, cut_label, depth, exit_colours, exit_label
from edgesim.results.recorded import RecordedRun
from edgesim.results.summary import reference_run

EMPTY = 1e-9
Shares = dict[str, float]
LOCAL = "////"
"""Hatching of what a device answered without sending anything."""


def draw(run: RecordedRun, summary: Mapping[str, Any]) -> Figure:
    """Two panels of stacked bars: exits (unanswered requests grey), and last cuts sent (nothing sent grey).

    An exit that answered is hatched where nothing was sent, so that the device itself answered.
    """
    policies = style.looks(summary)
    runs = [reference_run(summary["policies"][name], summary["compared_at_ms"]) for name in policies]
    local = [_local(run, name, each["deadline_ms"]) for name, each in zip(policies, runs, strict=True)]
    drawing = style.figure(2.2 + 0.62 * len(policies))
    panels = drawing.subplots(2, 1)
    nowhere: list[Shares] = [{}] * len(runs)
    exits, cuts = ([each[group] for each in runs] for group in ("exits", "cuts"))
    colours = exit_colours(_kinds(exits), list(run.scenario["models"]))
    _panel(panels[0], exits, local, colours, "exit that answered", exit_label, "no answer")
    _panel(panels[1], cuts, nowhere, cut_colours(_kinds(cuts)), "last cut sent", cut_label, "nothing sent")
    for axes in panels:
        style.policy_rows(axes, policies)
        axes.set_xlim(0, 1)
    panels[1].set_xlabel("share of requests")
    style.caption(drawing, summary, "Hatched: answered by the device itself, and nothing was sent", *at_deadline(runs))
    return drawing


def _local(run: RecordedRun, policy: str, deadline_ms: float | None) -> Shares:
    """The share of requests by the exit that answered, of those that sent nothing; a mean over replications."""
    counted, cells = run.counted, run.cells.runs(policy)[deadline_ms]
    shares = exit_shares(counted, counted.is_word("codec", ""))
    return {kind: float(share[cells].mean()) for kind, share in shares.items() if kind != NOTHING}


def _kinds(shares: list[Shares]) -> list[str]:
    """The exits or cuts that occur, from shallow to deep."""
    return sorted({kind for share in shares for kind in share} - {NOTHING}, key=depth)


def _panel(
    axes: Axes,
    shares: list[Shares],
    local: list[Shares],
    colours: Mapping[str, str],
    title: str,
    label: Callable[[str], str],
    nothing: str,
) -> None:
    """Bars in parts: what the device answered itself, then the others; in both from shallow to deep."""
    kinds = [kind for kind in colours if kind != NOTHING]
    here = {kind: np.array([share.get(kind, 0.0) for share in local]) for kind in kinds}
    away = {kind: np.array([share.get(kind, 0.0) for share in shares]) - here.get(kind, 0.0) for kind in colours}
    left = np.zeros(len(shares))
    for parts, hatch in ((here, LOCAL), (away, "")):
        for kind, widths in parts.items():
            if (widths > EMPTY).any():
                look: dict[str, Any] = {"color": colours[kind], "edgecolor": "white", "hatch": hatch}
                axes.barh(range(len(shares)), widths, 0.66, left, **look)
                left += widths
    axes.set_title(title, loc="left", fontsize=9)
    handles = [Patch(facecolor=colours[kind], label=label(kind)) for kind in kinds]
    if any((widths > EMPTY).any() for widths in here.values()):
        handles.append(Patch(facecolor="#777777", edgecolor="white", hatch=LOCAL, label="on the device,\nnothing sent"))
    if (away[NOTHING] > EMPTY).any():
        handles.append(Patch(facecolor=colours[NOTHING], label=nothing))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=7.5,
                ncols=1 + len(kinds) // 12)  # fmt: skip
