"""What policies are judged by: on-time accuracy, or in regression the on-time error; and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Measure(NamedTuple):
    """A value of every point of a curve.

    key: in ``summary.json``.  name, column, axis: how sentences, tables and plots call it.  sign: 1 where more is
    better, else -1.  A table shows the value times ``factor`` with so many ``digits``.  unit: of differences.
    """

    key: str
    name: str
    column: str
    axis: str
    sign: int
    factor: float
    digits: int
    unit: str

    def text(self, value: float, digits: int) -> str:
        """A value, a difference or half an interval, as tables and sentences have it."""
        return f"{self.factor * value:.{digits}f}"


ACCURACY = Measure(
    key="on_time_accuracy",
    name="on-time accuracy",
    column="on-time accuracy (%)",
    axis="on-time accuracy (share of all requests)",
    sign=1,
    factor=100.0,
    digits=1,
    unit=" points",
)
ERROR = Measure(
    key="on_time_error",
    name="on-time error",
    column="on-time mean absolute error",
    axis="on-time mean absolute error (all requests)",
    sign=-1,
    factor=1.0,
    digits=3,
    unit="",
)


def measure_of(summary: Mapping[str, Any]) -> Measure:
    """What the policies of a summary are judged by."""
    return ERROR if summary.get("measure") == ERROR.key else ACCURACY
