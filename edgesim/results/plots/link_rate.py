"""One device's uplink rate over time, with what each policy decided on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from edgesim.results.plots import style
from edgesim.results.plots.decomposition import at_deadline
from edgesim.results.plots.shares import cut_label, exit_label
from edgesim.results.recorded import RecordedRun
from edgesim.results.summary import reference_run

MOST_REQUESTS = 240
"""Requests that a panel can show apart; the time shown ends with the last of them."""


class Decision(NamedTuple):
    """What became of a request: the last cut it sent, or the exit that answered it on its device."""

    sent: bool
    number: int
    word: str

    @property
    def label(self) -> str:
        if self.number < 0:
            return "no answer"
        kind = f"{self.word}/{self.number}"
        return cut_label(kind) if self.sent else f"device, {exit_label(kind)}"


def draw(run: RecordedRun, summary: Mapping[str, Any], link_rate: Mapping[str, Any]) -> Figure:
    """A panel per policy in replication 0: the rate as a line, a marker at each arrival for what was decided.

    link_rate: ``device``, ``edges_s`` (n + 1 times) and ``rates_bps`` (the n rates between them).
    """
    policies = style.looks(summary)
    runs = [reference_run(summary["policies"][name], summary["compared_at_ms"]) for name in policies]
    cells = [run.cells.runs(name)[each["deadline_ms"]][0] for name, each in zip(policies, runs, strict=True)]
    decisions = [_decisions(run, cell, link_rate["device"]) for cell in cells]
    looks = _decision_looks({each for _, found in decisions for each in found})

    drawing = style.figure(1.6 + 0.95 * len(policies))
    panels = drawing.subplots(len(policies), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, look, (times_s, found) in zip(panels, policies.values(), decisions, strict=True):
        _panel(axes, link_rate, times_s, found, looks)
        axes.set_title(look.label, loc="left", fontsize=8.5, pad=2)
    panels[-1].set_xlabel("time (s)")
    drawing.supylabel("uplink rate (Mb/s)", fontsize=9)
    _legend(drawing, looks)
    style.caption(drawing, summary, f"Uplink of {link_rate['device']}, replication 0", *at_deadline(runs))
    return drawing


def _decisions(run: RecordedRun, cell: int, device: str) -> tuple[np.ndarray, list[Decision]]:
    """Arrival times and decisions of the first counted requests of a device in a cell."""
    counted = run.counted
    rows = counted.rows(cell)
    rows = rows[counted.is_word("device", device)[rows]]
    arrival_s = counted.column("arrival_s")
    rows = rows[np.argsort(arrival_s[rows], kind="stable")][:MOST_REQUESTS]
    codecs, models = counted.names("codec"), counted.names("model")
    cuts, exits = counted.column("cut"), counted.column("exit")
    found = [
        Decision(True, int(cuts[row]), codecs.words[codecs.codes[row]])
        if codecs.words[codecs.codes[row]]
        else Decision(False, int(exits[row]), models.words[models.codes[row]] if exits[row] >= 0 else "")
        for row in rows
    ]
    return arrival_s[rows], found


def _decision_looks(decisions: set[Decision]) -> dict[Decision, dict[str, Any]]:
    """Circles from dark (early cut) to light for what was sent, grey squares for exits on the device."""
    looks: dict[Decision, dict[str, Any]] = {}
    for sent, scale, marker in ((True, colormaps["plasma"], "o"), (False, colormaps["Greys"], "s")):
        kinds = sorted(each for each in decisions if each.sent is sent and each.number >= 0)
        for place, kind in enumerate(kinds):
            share = place / max(len(kinds) - 1, 1)
            colour = to_hex(scale(0.05 + 0.85 * share if sent else 0.35 + 0.6 * share))
            looks[kind] = {"color": colour, "marker": marker}
    return {**looks, **{each: {"color": "#000000", "marker": "x"} for each in decisions if each.number < 0}}


def _panel(
    axes: Axes,
    link_rate: Mapping[str, Any],
    times_s: np.ndarray,
    decisions: list[Decision],
    looks: Mapping[Decision, dict[str, Any]],
) -> None:
    edges_s, rates_mbps = np.asarray(link_rate["edges_s"]), np.asarray(link_rate["rates_bps"]) / 1e6
    axes.stairs(rates_mbps, edges_s, color="#9DB7D5", linewidth=1.0, baseline=None)
    place = np.clip(np.searchsorted(edges_s, times_s, side="right") - 1, 0, len(rates_mbps) - 1)
    for decision, look in looks.items():
        mine = np.array([each == decision for each in decisions], dtype=bool)
        if mine.any():
            axes.scatter(times_s[mine], rates_mbps[place[mine]], s=13, linewidths=0.8, zorder=3, **look)
    if len(times_s):
        margin_s = 0.02 * max(np.ptp(times_s), 1e-3)
        axes.set_xlim(times_s[0] - margin_s, times_s[-1] + margin_s)
    axes.set_ylim(bottom=0)


def _legend(drawing: Figure, looks: Mapping[Decision, dict[str, Any]]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="none", markersize=4.5, label=each.label, **look) for each, look in looks.items()
    ]
    drawing.legend(handles=handles, loc="outside right upper", fontsize=7.5, title="decision", title_fontsize=8)
