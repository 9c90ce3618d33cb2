"""One device over time: its uplink's rate, and which answer each policy had at the deadline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from edgesim.results.counted import Counted
from edgesim.results.metrics import NOTHING
from edgesim.results.plots import style
from edgesim.results.plots.decomposition import at_deadline
from edgesim.results.plots.exits_and_cuts import cut_label, depth, exit_colours, exit_label
from edgesim.results.recorded import RecordedRun
from edgesim.results.summary import reference_run

MOST_REQUESTS = 240
"""Requests that a panel can show apart; the time shown ends with the last of them."""
TOP = 0.96
"""Where in a panel a request stands that was never answered."""
SHAPES, UNSENT = "o^Dv<>Pp*hdX8", "s"
"""Shapes of cuts, and of requests that sent nothing."""


class Series(NamedTuple):
    """The first counted requests of a device in a cell, by arrival.

    latency_ms: of the answer held at the deadline, of the last one where that was empty; NaN: never answered.
    exits, cuts: the exit of that same answer and the last cut sent, as ``MODEL/EXIT`` and ``CODEC/CUT`` or NOTHING.
    """

    arrival_s: np.ndarray
    latency_ms: np.ndarray
    deadline_ms: np.ndarray
    exits: np.ndarray
    cuts: np.ndarray


class Looks(NamedTuple):
    """Colours of exits and shapes of cuts, of those that occur, from shallow to deep."""

    colours: dict[str, str]
    shapes: dict[str, str]


def draw(run: RecordedRun, summary: Mapping[str, Any], link_rate: Mapping[str, Any] | None) -> Figure:
    """The rate above; below a panel per policy in replication 0, a marker at each arrival as high as its latency.

    Height, colour and shape speak of one answer: the one that the request held at its deadline.

    link_rate: ``device``, ``edges_s`` (n + 1 times) and ``rates_bps`` (the n rates between them); None where no device
    has a link: then there are only latencies, of the first device.
    """
    policies = style.looks(summary)
    device = link_rate["device"] if link_rate else f"{next(iter(run.scenario['devices']))}-0"
    runs = [reference_run(summary["policies"][name], summary["compared_at_ms"]) for name in policies]
    cells = [run.cells.runs(name)[each["deadline_ms"]][0] for name, each in zip(policies, runs, strict=True)]
    last_s = _last_answers_s(run, cells, device)
    series = [_series(run, cell, device, last_s) for cell in cells]
    looks = _looks(series, list(run.scenario["models"]))

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
    drawing.supylabel("time from the arrival to the answer (ms)", fontsize=9)
    _legend(drawing, looks)
    style.caption(
        drawing,
        summary,
        f"The answer that each request of {device} in replication 0 {_held(series)}, by arrival",
        *_marks(series),
        *at_deadline(runs),
    )
    return drawing


def _series(run: RecordedRun, cell: int, device: str, last_s: Mapping[tuple[int, int], float]) -> Series:
    counted = run.counted
    rows = counted.rows(cell)
    rows = rows[counted.is_word("device", device)[rows]]
    arrival_s = counted.column("arrival_s")
    rows = rows[np.argsort(arrival_s[rows], kind="stable")][:MOST_REQUESTS]
    used_s, deadline_s = (counted.column(name)[rows] for name in ("used_s", "deadline_s"))
    late_s = np.array([last_s.get((cell, number), np.nan) for number in counted.column("number")[rows].tolist()])
    latency_s = np.where(np.isnan(used_s), late_s, used_s)
    exits, cuts = _kinds(counted, rows, "model", "exit"), _kinds(counted, rows, "codec", "cut")
    return Series(arrival_s[rows], 1e3 * latency_s, 1e3 * deadline_s, exits, cuts)


def _last_answers_s(run: RecordedRun, cells: list[int], device: str) -> dict[tuple[int, int], float]:
    """When the last answer to each of a device's requests came, by (cell, number)."""
    answers = run.tables.answers
    devices, cell = answers.names("device"), run.cells.of(answers)
    ours = np.array([word == device for word in devices.words] + [False])[devices.codes]
    rows = np.flatnonzero(ours & np.isin(cell, cells))
    time_s = answers.column("time_s")[rows]
    order = np.argsort(time_s, kind="stable")  # so that the last one stays
    rows, time_s = rows[order], time_s[order]
    requests = zip(cell[rows].tolist(), answers.column("number")[rows].tolist(), strict=True)
    return dict(zip(requests, time_s.tolist(), strict=True))


def _kinds(counted: Counted, rows: np.ndarray, name: str, number: str) -> np.ndarray:
    """``WORD/NUMBER`` of two columns; NOTHING without a word."""
    words, numbers = counted.names(name), counted.column(number)
    found = [(words.words[words.codes[row]], numbers[row]) for row in rows]
    return np.array([f"{word}/{value}" if word else NOTHING for word, value in found], object)


def _looks(series: list[Series], models: list[str]) -> Looks:
    exits, cuts = (
        sorted(set(np.concatenate(each).tolist()) - {NOTHING}, key=depth)
        for each in ([of.exits for of in series], [of.cuts for of in series])
    )
    sent = any((of.cuts == NOTHING).any() for of in series)
    shapes = {kind: SHAPES[place % len(SHAPES)] for place, kind in enumerate(cuts)}
    colours = exit_colours(exits, models)
    del colours[NOTHING]
    return Looks(colours, {**shapes, **({NOTHING: UNSENT} if sent else {})})


def _rate_panel(axes: Axes, link_rate: Mapping[str, Any]) -> None:
    rates_mbps = np.asarray(link_rate["rates_bps"]) / 1e6
    axes.stairs(rates_mbps, np.asarray(link_rate["edges_s"]), color="#5B84B1", linewidth=1.0, baseline=None)
    axes.set_title("rate of the uplink (Mb/s)", loc="left", fontsize=8.5, pad=2)
    axes.set_ylim(bottom=0)


def _panel(axes: Axes, series: Series, looks: Looks) -> None:
    with_deadline = np.where(np.isfinite(series.deadline_ms), series.deadline_ms, np.nan)
    axes.plot(series.arrival_s, with_deadline, drawstyle="steps-mid", **style.GUIDE)
    for exit, colour in looks.colours.items():
        for cut, shape in looks.shapes.items():
            mine = (series.exits == exit) & (series.cuts == cut)
            axes.scatter(series.arrival_s[mine], series.latency_ms[mine], s=15, linewidths=0.8, zorder=3, color=colour,
                         marker=shape)  # fmt: skip
    never = series.exits == NOTHING
    axes.scatter(series.arrival_s[never], np.full(never.sum(), TOP), s=13, linewidths=1.0, color="#000000", marker="x",
                 zorder=3, transform=axes.get_xaxis_transform())  # fmt: skip


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


def _held(series: list[Series]) -> str:
    with_deadline = any(np.isfinite(each.deadline_ms).any() for each in series)
    return "held at its deadline" if with_deadline else "held in the end"


def _marks(series: list[Series]) -> Iterator[str]:
    if any(np.isfinite(each.deadline_ms).any() for each in series):
        yield "Dotted: deadline"
    if any((each.latency_ms > each.deadline_ms).any() for each in series):
        yield "Above it: nothing was held, and this is the last answer that came"
    if any(np.isnan(each.latency_ms).any() for each in series):
        yield "Crosses at the top: never answered"


def _legend(drawing: Figure, looks: Looks) -> None:
    from matplotlib.lines import Line2D

    mark: dict[str, Any] = {"linestyle": "none", "markersize": 5}
    handles = [Line2D([], [], linestyle="none", label="exit of the answer")]
    handles += [Line2D([], [], color=colour, marker="o", label=exit_label(kind), **mark)
                for kind, colour in looks.colours.items()]  # fmt: skip
    handles += [Line2D([], [], linestyle="none", label="last cut sent")]
    handles += [Line2D([], [], color="#777777", marker=shape, label=_sent(kind), **mark)
                for kind, shape in looks.shapes.items()]  # fmt: skip
    drawing.legend(handles=handles, loc="outside right upper", fontsize=7.5)


def _sent(cut: str) -> str:
    return "nothing sent" if cut == NOTHING else cut_label(cut)
