"""Where the time goes: mean seconds in each stage, stacked, a bar per policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from edgesim.results.plots import style
from edgesim.results.summary import reference_run

# One hue a place (device blue, uplink orange, server green, downlink grey); waits are pale and hatched.
LOOKS = {
    "device_wait_s": ("device: wait", "#C6DBEF", "////"),
    "decide_s": ("device: decide", "#08306B", ""),
    "device_compute_s": ("device: compute", "#2171B5", ""),
    "encode_s": ("device: encode", "#6BAED6", ""),
    "uplink_wait_s": ("uplink: wait", "#FDD0A2", "////"),
    "uplink_s": ("uplink: transfer", "#E6550D", ""),
    "propagation_s": ("propagation, both ways", "#8C6D31", ""),
    "server_wait_s": ("server: wait", "#C7E9C0", "////"),
    "server_s": ("server: service", "#238B45", ""),
    "downlink_wait_s": ("downlink: wait", "#D9D9D9", "////"),
    "downlink_s": ("downlink: transfer", "#636363", ""),
}


def draw(summary: Mapping[str, Any]) -> Figure:
    """Stacked horizontal bars of the stages' means over the answered requests."""
    policies = style.looks(summary)
    runs = [reference_run(summary["policies"][name], summary["compared_at_ms"]) for name in policies]
    drawing = style.figure(max(3.4, 1.4 + 0.42 * len(policies)))
    axes = drawing.add_subplot()
    left = np.zeros(len(policies))
    for stage, (label, colour, hatch) in LOOKS.items():
        width_ms = np.array([(run["stages"][stage] or 0.0) * 1e3 for run in runs])
        if width_ms.any():
            options: dict[str, Any] = {"hatch": hatch, "edgecolor": "#777777" if hatch else colour, "linewidth": 0.4}
            axes.barh(range(len(policies)), width_ms, 0.66, left, color=colour, label=label, **options)
        left += width_ms
    style.policy_rows(axes, policies)
    axes.set_xlabel("mean time (ms)")
    style.legend_right(drawing, axes)
    style.caption(
        drawing, summary, "Means over answered requests, work behind the first answer included", *at_deadline(runs)
    )
    return drawing


def at_deadline(runs: list[dict[str, Any]]) -> list[str]:
    """Which run stands for policies that were run anew for every deadline."""
    deadlines_ms = {run["deadline_ms"] for run in runs if run["deadline_ms"] is not None}
    return [f"Policies that react to the deadline: at {deadline_ms:g} ms" for deadline_ms in sorted(deadlines_ms)]
