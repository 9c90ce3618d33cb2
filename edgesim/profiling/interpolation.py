"""Straight lines between measured points."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


class PiecewiseLinear:
    """y over x: linear between the points, held beyond the first and the last.

    x must increase strictly.

    >>> PiecewiseLinear([1.0, 3.0], [10.0, 20.0])(2.0)
    15.0
    """

    __slots__ = ("_x", "_y")

    def __init__(self, x: Sequence[float], y: Sequence[float]) -> None:
        if not x or len(x) != len(y) or any(a >= b for a, b in zip(x, x[1:], strict=False)):
            raise ValueError("x must increase strictly and have one y each")
        self._x, self._y = list(x), list(y)

    def __call__(self, x: float) -> float:
        xs, ys = self._x, self._y
        right = bisect_right(xs, x)
        if right == 0:
            return ys[0]
        if right == len(xs):
            return ys[-1]
        share = (x - xs[right - 1]) / (xs[right] - xs[right - 1])
        return ys[right - 1] + share * (ys[right] - ys[right - 1])
