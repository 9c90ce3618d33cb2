"""One device over time, read back from its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from synthetic_run import requests_of, scenario, write_run

from edgesim.results.plots import time_series
from edgesim.results.recorded import RecordedRun
from edgesim.results.summary import summarise

LINK = {"device": "camera-1", "edges_s": [0.0, 20.0, 65.0], "rates_bps": [4e6, 1e6]}
REQUESTS = {
    "device": ["camera-1", "camera-1", "camera-1", "camera-0", "camera-1"],
    "number": [1, 0, 2, 0, 3],
    "arrival_s": [20.0, 10.0, 30.0, 25.0, 40.0],
    "deadline_s": [0.1, 0.2, 0.1, 0.1, 0.1],
    "latency_s": [0.03, 0.15, np.nan, 0.07, np.nan],
    "end": ["on_time", "on_time", "unfinished", "on_time", "dropped"],
    "model": ["fashion", "fashion", "", "fashion", ""],
    "exit": [2, 5, -1, 5, -1],
    "cut": [6, 3, 0, 0, 6],
    "codec": ["", "int8", "png", "png", ""],
    "axis_deadline_ms": np.nan,
}


def drawn(folder: Path, link_rate: dict[str, Any] | None = LINK) -> list[Axes]:
    run = write_run(folder, scenario(deadlines_ms=None), requests=requests_of(5, **REQUESTS))
    figure = time_series.draw(RecordedRun(run), summarise(run, {}), link_rate)
    figure.draw_without_rendering()
    return figure.axes


def points(axes: Axes, place: int) -> dict[str, list[float]]:
    """By colour: the heights of the markers that show answers (0), or times of those that had none (1)."""
    found = {}
    for markers in axes.collections[place::2]:
        offsets = np.asarray(markers.get_offsets())
        if len(offsets):
            found[to_hex(markers.get_edgecolor()[0])] = offsets[:, 1 - place].tolist()
    return found


def test_the_rate_is_above_the_policies(tmp_path: Path) -> None:
    rate, policy = drawn(tmp_path)
    (stairs,) = rate.patches
    assert stairs.get_data().values.tolist() == [4.0, 1.0] and stairs.get_data().edges.tolist() == [0.0, 20.0, 65.0]
    assert rate.get_xlim() == policy.get_xlim() and policy.get_title(loc="left") == "a"
    low, high = policy.get_xlim()
    assert low < 10.0 and 40.0 < high < 65.0


def test_each_request_of_the_device_is_as_high_as_its_latency(tmp_path: Path) -> None:
    _, axes = drawn(tmp_path)
    heights = points(axes, 0)
    assert sorted(height for of_colour in heights.values() for height in of_colour) == pytest.approx([30.0, 150.0])
    assert len(heights) == 2
    deadline = axes.get_lines()[0]
    assert deadline.get_xdata().tolist() == [10.0, 20.0, 30.0, 40.0]
    assert deadline.get_ydata() == pytest.approx([200.0, 100.0, 100.0, 100.0])


def test_what_was_never_answered_is_a_cross_at_the_top(tmp_path: Path) -> None:
    _, axes = drawn(tmp_path)
    never = points(axes, 1)
    assert never["#000000"] == [40.0]
    assert sorted(time for times in never.values() for time in times) == [30.0, 40.0]
    text = axes.figure.get_supxlabel().replace("\n", " ")
    assert "Crosses at the top: never answered" in text and "Dotted: deadline" in text and "camera-1" in text


def test_without_a_link_the_first_device_is_shown(tmp_path: Path) -> None:
    (axes,) = drawn(tmp_path, None)
    assert points(axes, 0).popitem()[1] == pytest.approx([70.0])
    text = axes.figure.get_supxlabel().replace("\n", " ")
    assert "camera-0" in text and "Crosses" not in text


def test_decisions_are_named(tmp_path: Path) -> None:
    _, axes = drawn(tmp_path)
    (legend,) = axes.figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["image, png", "cut 3, int8", "device, fashion exit 2", "nothing, no answer"]
