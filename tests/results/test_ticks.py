"""Ticks stand at the values themselves, with as many numbers as can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes

from edgesim.results.plots import style
from edgesim.results.plots.ticks import readable, round_ticks, value_ticks

QUICKSTART_MS = [10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 75.0, 100.0, 150.0, 250.0]


def drawn(values: list[float], width: float = 7.2) -> Axes:
    figure = style.figure(4.0, width)
    axes = figure.add_subplot()
    axes.plot(values, values, label="a_policy (oracle)")
    value_ticks(axes, values)
    style.legend_right(figure, axes)
    return axes


def numbers(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_xticklabels()]


def test_every_value_has_its_number_where_all_have_room() -> None:
    axes = drawn(QUICKSTART_MS)
    assert numbers(axes) == [f"{value:g}" for value in QUICKSTART_MS] and axes.get_xscale() == "log"
    axes = drawn([20.0, 30.0, 50.0, 100.0])
    assert numbers(axes) == ["20", "30", "50", "100"] and axes.get_xscale() == "linear"


def test_a_value_without_room_keeps_its_tick() -> None:
    axes = drawn([10.0, 10.5, 20.0, 400.0])
    assert numbers(axes) == ["10", "20", "400"]
    assert axes.get_xticks(minor=True).tolist() == [10.5]
    assert not any(text.get_text() for text in axes.get_xticklabels(minor=True))


@pytest.mark.parametrize("width", [3.6, 7.2])
@pytest.mark.parametrize("values", [QUICKSTART_MS, [float(value) for value in range(100, 131)], [0.0, 1.0, 2.75, 3.0]])
def test_numbers_do_not_touch(values: list[float], width: float) -> None:
    axes = drawn(values, width)
    with style.applied():
        axes.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.get_xticklabels() if text.get_text()]
    assert len(boxes) > 1
    assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:], strict=False))


@given(st.lists(st.floats(0.5, 1e4), min_size=1, unique=True), st.floats(5, 80))
def test_what_is_numbered_are_values_from_the_least_on(values: list[float], digits: float) -> None:
    kept = readable(values, digits, True)
    assert kept[0] == min(values) and set(kept) <= set(values) and kept == sorted(kept)


def test_round_ticks_lie_within() -> None:
    assert round_ticks([8.0, 120.0]) == [10.0, 20.0, 50.0, 100.0]
