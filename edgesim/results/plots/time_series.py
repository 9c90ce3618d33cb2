"""One device over time: its uplink's rate, and what each policy decided and how long that took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from edgesim.results.plots import style
from edgesim.results.plots.decomposition import at_deadline
from edgesim.results.plots.shares import cut_label, exit_label
from edgesim.results.recorded import RecordedRun
from edgesim.results.summary import reference_run

MOST_REQUESTS = 240
"""Requests that a panel can show apart; the time shown ends with the last of them."""
TOP = 0.96
"""Where in a panel a request stands that was never answered."""


class Decision(NamedTuple):
    """What became of a request: the last cut it sent, or the exit that answered it on its device."""

    sent: bool
    number: int
    word: str

    @property
    def label(self) -> str:
        if self.number < 0:
            return "nothing, no answer"
        kind = f"{self.word}/{self.number}"
        return cut_label(kind) if self.sent else f"device, {exit_label(kind)}"


class Series(NamedTuple):
    """The first counted requests of a device in a cell, by arrival; a latency of NaN: never answered."""

    arrival_s: np.ndarray
    latency_ms: np.ndarray
    deadline_ms: np.ndarray
    decisions: list[Decision]


def draw(run: RecordedRun, summary: Mapping[str, Any], link_rate: Mapping[str, Any] | None) -> Figure:
    """The rate above; below a panel per policy in replication 0, a marker at each arrival as high as its latency.

    link_rate: ``device``, ``edges_s`` (n + 1 times) and ``rates_bps`` (the n rates between them); None where no device
    has a link: then there are only latencies, of the first device.
    """
    policies = style.looks(summary)
    device = link_rate["device"] if link_rate else f"{next(iter(run.scenario['devices']))}-0"
    runs = [reference_run(summary["policies"][name], summary["compared_at_ms"]) for name in policies]
    cells = [run.cells.runs(name)[each["deadline_ms"]][0] for name, each in zip(policies, runs, strict=True)]
    series = [_series(run, cell, device) for cell in cells]
    looks = _decision_looks({each for of_policy in series for each in of_policy.decisions})

    drawing = style.figure(2.6 + 0.95 * len(policies))
    rows = len(policies) + (link_rate is not None)
    panels = drawing.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    below = panels[rows - len(policies) :]
    if link_rate:
        _rate_panel(panels[0], link_rate)
    for axes, look, of_policy in zip(below, policies.values(), series, strict=True):
        axes.sharey(below[0])
        _panel(axes, of_policy, looks)
        axes.set_title(look.label, loc="left", fontsize=8.5, pad=2)
    _axes(below, series)
    drawing.supylabel("latency (ms)", fontsize=9)
    _legend(drawing, looks)
    style.caption(
        drawing,
        summary,
        f"The first answer to each request of {device} in replication 0, by arrival",
        *_marks(series),
        *at_deadline(runs),
    )
    return drawing


def _series(run: RecordedRun, cell: int, device: str) -> Series:
    counted = run.counted
    rows = counted.rows(cell)
    rows = rows[counted.is_word("device", device)[rows]]
    arrival_s = counted.column("arrival_s")
    rows = rows[np.argsort(arrival_s[rows], kind="stable")][:MOST_REQUESTS]
    codecs, models = counted.names("codec"), counted.names("model")
    cuts, exits = counted.column("cut"), counted.column("exit")
    decisions = [
        Decision(True, int(cuts[row]), codecs.words[codecs.codes[row]])
        if codecs.words[codecs.codes[row]]
        else Decision(False, int(exits[row]), models.words[models.codes[row]] if exits[row] >= 0 else "")
        for row in rows
    ]
    latency_ms, deadline_ms = (1e3 * counted.column(name)[rows] for name in ("latency_s", "deadline_s"))
    return Series(arrival_s[rows], latency_ms, deadline_ms, decisions)


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


def _rate_panel(axes: Axes, link_rate: Mapping[str, Any]) -> None:
    rates_mbps = np.asarray(link_rate["rates_bps"]) / 1e6
    axes.stairs(rates_mbps, np.asarray(link_rate["edges_s"]), color="#5B84B1", linewidth=1.0, baseline=None)
    axes.set_title("rate of the uplink (Mb/s)", loc="left", fontsize=8.5, pad=2)
    axes.set_ylim(bottom=0)


def _panel(axes: Axes, series: Series, looks: Mapping[Decision, dict[str, Any]]) -> None:
    answered = ~np.isnan(series.latency_ms)
    with_deadline = np.where(np.isfinite(series.deadline_ms), series.deadline_ms, np.nan)
    axes.plot(series.arrival_s, with_deadline, drawstyle="steps-mid", **style.GUIDE)
    for decision, look in looks.items():
        mine = np.array([each == decision for each in series.decisions], dtype=bool)
        shown, never = mine & answered, mine & ~answered
        axes.scatter(series.arrival_s[shown], series.latency_ms[shown], s=13, linewidths=0.8, zorder=3, **look)
        axes.scatter(series.arrival_s[never], np.full(never.sum(), TOP), s=13, linewidths=1.0, color=look["color"],
                     marker="x", zorder=3, transform=axes.get_xaxis_transform())  # fmt: skip


def _axes(panels: np.ndarray, series: list[Series]) -> None:
    """The time from the first to the last arrival; latencies on a logarithmic scale where they span decades."""
    arrival_s = np.concatenate([each.arrival_s for each in series])
    if len(arrival_s):
        margin_s = 0.02 * max(np.ptp(arrival_s), 1e-3)
        panels[0].set_xlim(arrival_s.min() - margin_s, arrival_s.max() + margin_s)
    shown = np.concatenate([values for each in series for values in (each.latency_ms, each.deadline_ms)])
    shown = shown[np.isfinite(shown) & (shown > 0)]
    if len(shown) and shown.max() > 20 * shown.min():
        panels[0].set_yscale("log")
        panels[0].set_ylim(shown.min() / 1.5, shown.max() * 2)
        panels[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        panels[0].yaxis.set_minor_formatter(NullFormatter())
    else:
        panels[0].set_ylim(0, 1.15 * shown.max(initial=1e-3))
    panels[-1].set_xlabel("time (s)")


def _marks(series: list[Series]) -> Iterator[str]:
    if any(np.isfinite(each.deadline_ms).any() for each in series):
        yield "Dotted: deadline"
    if any(np.isnan(each.latency_ms).any() for each in series):
        yield "Crosses at the top: never answered"


def _legend(drawing: Figure, looks: Mapping[Decision, dict[str, Any]]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="none", markersize=4.5, label=each.label, **look) for each, look in looks.items()
    ]
    drawing.legend(handles=handles, loc="outside right upper", fontsize=7.5, title="decision", title_fontsize=8)
