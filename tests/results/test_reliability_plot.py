"""Reliability diagrams, read back from the picture."""

from __future__ import annotations

from typing import Any

import pytest

from edgesim.results.plots import reliability

SUMMARY = {"name": "toy", "requests": 5, "replications": 1, "seed": 1, "labels": {}}


def exits(count: int) -> list[dict[str, Any]]:
    about = {"model": "toy", "outcomes": "synthetic", "samples": 50}
    bins = {"counts": [3, 47], "confidences": [0.3, 0.9], "accuracies": [0.0, 0.8]}
    return [{**about, **bins, "exit": number, "ece": 0.1 + number / 100} for number in range(count)]


@pytest.mark.parametrize("count", [1, 4, 5, 9])
def test_every_exit_has_its_panel_with_its_error(count: int) -> None:
    drawn = reliability.draw(exits(count), SUMMARY)
    drawn.draw_without_rendering()
    shown = [axes.get_title(loc="left") for axes in drawn.axes if axes.get_visible()]
    assert shown == [f"toy exit {number}: ECE {0.1 + number / 100:.3f}" for number in range(count)]


def test_a_panel_shows_accuracy_against_confidence() -> None:
    (axes,) = reliability.draw(exits(1), SUMMARY).axes
    diagonal, line, many, few = axes.get_lines()
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 1]
    assert line.get_xdata().tolist() == [0.3, 0.9] and line.get_ydata().tolist() == [0.0, 0.8]
    assert many.get_xdata().tolist() == [0.9] and few.get_xdata().tolist() == [0.3]
    assert few.get_markerfacecolor() == "white" != many.get_markerfacecolor()
    bars = [segment[:, 1].tolist() for segment in axes.collections[0].get_segments()]
    assert bars == [[0.0, 0.06], [0.0, 0.94]]


def test_the_caption_says_whose_answers_they_are() -> None:
    text = reliability.draw(exits(2), SUMMARY).get_supxlabel().replace("\n", " ")
    assert "toy: 50 synthetic answers an exit" in text
