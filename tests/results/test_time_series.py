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
from edgesim.results.plots.exits_and_cuts import exit_colours
from edgesim.results.recorded import RecordedRun
from edgesim.results.summary import summarise

LINK = {"device": "camera-1", "edges_s": [0.0, 20.0, 65.0], "rates_bps": [4e6, 1e6]}
REQUESTS = {
    "device": ["camera-1", "camera-1", "camera-1", "camera-0", "camera-1"],
    "number": [1, 0, 2, 0, 3],
    "arrival_s": [20.0, 10.0, 30.0, 25.0, 40.0],
    "deadline_s": [0.1, 0.2, 0.1, 0.1, 0.1],
    "latency_s": [0.03, 0.21, np.nan, 0.07, np.nan],
    "used_s": [0.08, np.nan, np.nan, 0.07, np.nan],
    "end": ["on_time", "late", "unfinished", "on_time", "dropped"],
    "model": ["fashion", "fashion", "", "fashion", ""],
    "exit": [2, 5, -1, 5, -1],
    "cut": [6, 3, 0, 0, 6],
    "codec": ["", "int8", "png", "png", ""],
    "axis_deadline_ms": np.nan,
}
ANSWERS = {
    "device": ["camera-1", "camera-1", "camera-1", "camera-1", "camera-0"],
    "number": [1, 1, 0, 0, 0],
    "counted": True,
    "time_s": [0.03, 0.08, 0.25, 0.21, 0.07],
    "exit": [0, 2, 5, 3, 5],
    "axis_deadline_ms": np.nan,
}
"""Of the first request the second answer is held; the second request has two, both late."""


def drawn(folder: Path, link_rate: dict[str, Any] | None = LINK, **changes: Any) -> list[Axes]:
    run = write_run(
        folder, scenario(deadlines_ms=None), requests=requests_of(5, **{**REQUESTS, **changes}), answers=ANSWERS
    )
    figure = time_series.draw(RecordedRun(run), summarise(run, {}), link_rate)
    figure.draw_without_rendering()
    return figure.axes


def answered(axes: Axes) -> dict[str, list[float]]:
    """The heights of the markers that show answers, by colour."""
    found: dict[str, list[float]] = {}
    for markers in axes.collections[:-1]:
        if len(offsets := np.asarray(markers.get_offsets())):
            found.setdefault(to_hex(markers.get_edgecolor()[0]), []).extend(offsets[:, 1])
    return found


def test_the_rate_is_above_the_policies(tmp_path: Path) -> None:
    rate, policy = drawn(tmp_path)
    (stairs,) = rate.patches
    assert stairs.get_data().values.tolist() == [4.0, 1.0] and stairs.get_data().edges.tolist() == [0.0, 20.0, 65.0]
    assert rate.get_xlim() == policy.get_xlim() and policy.get_title(loc="left") == "a"
    low, high = policy.get_xlim()
    assert low < 10.0 and 40.0 < high < 65.0


def test_height_and_colour_are_of_the_answer_at_the_deadline(tmp_path: Path) -> None:
    _, axes = drawn(tmp_path)
    colours = exit_colours(["fashion/2", "fashion/5"], ["fashion"])
    heights = answered(axes)
    assert heights.keys() == {colours["fashion/2"], colours["fashion/5"]}
    assert heights[colours["fashion/2"]] == pytest.approx([80.0])
    assert heights[colours["fashion/5"]] == pytest.approx([250.0])  # late: the last answer
    deadline = axes.get_lines()[0]
    assert deadline.get_xdata().tolist() == [10.0, 20.0, 30.0, 40.0]
    assert deadline.get_ydata() == pytest.approx([200.0, 100.0, 100.0, 100.0])


def test_what_was_never_answered_is_a_cross_at_the_top(tmp_path: Path) -> None:
    _, axes = drawn(tmp_path)
    assert np.asarray(axes.collections[-1].get_offsets())[:, 0].tolist() == [30.0, 40.0]
    text = caption(axes)
    assert "Crosses at the top: never answered" in text and "Dotted: deadline" in text
    assert "each request of camera-1 in replication 0 held at its deadline" in text and "the last answer" in text


def caption(axes: Axes) -> str:
    return " ".join(axes.figure.get_supxlabel().split())


def test_without_a_link_the_first_device_is_shown(tmp_path: Path) -> None:
    (axes,) = drawn(tmp_path, None)
    assert answered(axes).popitem()[1] == pytest.approx([70.0])
    text = caption(axes)
    assert "camera-0" in text and "Crosses" not in text and "the last answer" not in text


def test_without_deadlines_answers_are_those_held_in_the_end(tmp_path: Path) -> None:
    _, axes = drawn(tmp_path, deadline_s=np.inf)
    assert "held in the end" in caption(axes) and "deadline" not in caption(axes)


def test_exits_and_cuts_are_named(tmp_path: Path) -> None:
    _, axes = drawn(tmp_path)
    (legend,) = axes.figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [
        "exit of the answer", "fashion exit 2", "fashion exit 5",
        "last cut sent", "image, png", "cut 3, int8", "nothing sent",
    ]  # fmt: skip
    shapes = {handle.get_marker() for handle in legend.legend_handles[4:]}
    assert len(shapes) == 3
