"""The distribution of latency: which share of all requests was answered by when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from edgesim.results.plots import style
from edgesim.results.plots.decomposition import at_deadline
from edgesim.results.plots.ticks import round_ticks
from edgesim.results.recorded import RecordedRun
from edgesim.results.summary import reference_run

STEPS = 600


def draw(run: RecordedRun, summary: Mapping[str, Any]) -> Figure:
    """A curve per policy that ends at its share of answered requests; own deadlines that are fixed as guides."""
    drawing = style.figure(4.2)
    axes = drawing.add_subplot()
    latency_s = run.counted.column("latency_s")
    runs = []
    for name, look in style.looks(summary).items():
        reference = reference_run(summary["policies"][name], summary["compared_at_ms"])
        runs.append(reference)
        cells = run.cells.runs(name)[reference["deadline_ms"]]
        rows = np.concatenate([run.counted.rows(cell) for cell in cells])
        times_ms, shares = distribution(latency_s[rows] * 1e3)
        axes.plot(times_ms, shares, color=look.colour, linestyle=look.line, linewidth=1.6, label=look.label)
    fixed_ms = _fixed_deadlines_ms(run)
    for deadline_ms in fixed_ms:
        axes.axvline(deadline_ms, **style.GUIDE)
        axes.text(deadline_ms, 1.005, f"{deadline_ms:g} ms", ha="center", va="bottom", fontsize=7.5, color="#555555")
    _time_axis(axes)
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of all requests answered")
    style.legend_right(drawing, axes)
    guides = ["Dotted: the devices' own fixed deadlines"] if fixed_ms else []
    style.caption(drawing, summary, *guides, *at_deadline(runs))
    return drawing


def distribution(latency_ms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times and the share of all rows answered by then, thinned to a drawable number; NaN: never answered."""
    answered = np.sort(latency_ms[~np.isnan(latency_ms)])
    if not len(answered):
        return np.array([]), np.array([])
    place = np.unique(np.linspace(0, len(answered) - 1, STEPS).astype(np.int64))
    return answered[place], (place + 1) / len(latency_ms)


def _fixed_deadlines_ms(run: RecordedRun) -> list[float]:
    deadlines = (device.get("deadline") or {} for device in run.scenario["devices"].values())
    return sorted({float(each["ms"]) for each in deadlines if "ms" in each})


def _time_axis(axes: Any) -> None:
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    low, high = axes.dataLim.intervalx
    if low > 0 and high > 10 * low:
        axes.set_xscale("log")
        axes.set_xticks(round_ticks([low, high]))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("time since arrival (ms)")
