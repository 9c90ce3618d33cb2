"""Ticks of a horizontal axis: at the values that were measured, as many numbers as can be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log

from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

DIGIT_INCHES = 0.08
"""A digit of an axis, in the font size of all plots."""
BESIDE_INCHES = 2.2
"""What of a figure's width goes to the legend and to the numbers of the other axis."""


def value_ticks(axes: Axes, values: Sequence[float]) -> None:
    """A tick at each of the values, with its number where that has room; logarithmic over more than a decade."""
    logarithmic = min(values) > 0 and max(values) > 10 * min(values)
    if logarithmic:
        axes.set_xscale("log")
    numbered = readable(values, _width_inches(axes) / DIGIT_INCHES, logarithmic)
    axes.set_xticks(numbered, [f"{value:g}" for value in numbered])
    axes.set_xticks([value for value in values if value not in numbered], minor=True)
    axes.xaxis.set_minor_formatter(NullFormatter())


def readable(values: Iterable[float], digits: float, logarithmic: bool) -> list[float]:
    """The values whose numbers stand apart by a digit at least, from the least on.  digits: the axis's length."""
    ordered = sorted(values)
    places = [log(value) if logarithmic else value for value in ordered]
    unit = (places[-1] - places[0]) / digits
    kept: list[float] = []
    end = places[0] - digits * unit
    for value, place in zip(ordered, places, strict=True):
        half = len(f"{value:g}") / 2 * unit
        if not kept or place - half >= end + unit:
            kept.append(value)
            end = place + half
    return kept


def round_ticks(values: Iterable[float]) -> list[float]:
    """1, 2 and 5 times powers of ten that lie within the values' range."""
    low, high = min(values), max(values)
    steps = (digit * 10.0**power for power in range(-6, 9) for digit in (1, 2, 5))
    return [step for step in steps if low * 0.999 <= step <= high * 1.001]


def _width_inches(axes: Axes) -> float:
    """About how wide the panel will be, once the figure is laid out."""
    figure, place = axes.get_figure(root=True), axes.get_subplotspec()
    assert figure is not None and place is not None
    return float(figure.get_figwidth() - BESIDE_INCHES) / place.get_gridspec().ncols
