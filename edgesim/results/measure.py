"""What policies are judged by: on-time accuracy, or in regression the on-time error; and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Measure(NamedTuple):
    """A value of every point of a curve.

    key: in ``summary.json``.  name, whole_name: as tables and plots call it.  sign: 1 where more is better, else -1.
    A table shows the value times ``factor`` with so many ``digits``.  unit: of differences.
    """

    key: str
    name: str
    whole_name: str
    sign: int
    factor: float
    digits: int
    unit: str

    def text(self, value: float, more_digits: int = 0) -> str:
        """A value, or the half of an interval, as a table has it."""
        return f"{self.factor * value:.{self.digits + more_digits}f}"


ACCURACY = Measure(
    "on_time_accuracy", "on-time accuracy (%)", "on-time accuracy (share of all requests)", 1, 100.0, 1, " points"
)
ERROR = Measure("on_time_error", "on-time error", "on-time error (mean absolute, of all requests)", -1, 1.0, 3, "")


def measure_of(summary: Mapping[str, Any]) -> Measure:
    """What the policies of a summary are judged by."""
    return ERROR if summary.get("measure") == ERROR.key else ACCURACY
