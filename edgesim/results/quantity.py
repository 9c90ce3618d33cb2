"""How quantities are written for people, and which way is better."""

from __future__ import annotations

import math
from typing import NamedTuple

SHARES = ("on_time_accuracy", "miss_ratio", "answered_ratio", "answered_accuracy", "offload_ratio")
MORE_IS_BETTER = (
    "on_time_accuracy",
    "goodput_hz",
    "on_time_hz",
    "throughput_hz",
    "answered_ratio",
    "answered_accuracy",
)
LESS_IS_BETTER = (
    "miss_ratio", "on_time_error", "latency_mean_s", "latency_p50_s", "latency_p95_s", "latency_p99_s", "used_mean_s",
    "bytes_up", "bytes_down", "energy_j", "wasted_s", "wasted_bytes", "wasted_j",
)  # fmt: skip
OF_REGRESSION = ("on_time_error", "missed_error")
METRICS = (*MORE_IS_BETTER, *LESS_IS_BETTER, "missed_error", "arrivals_hz", "answers", "offload_ratio")
"""Everything that is measured of each policy, by one name; further ones belong to a group."""
GROUPS = ("exit:", "cut:", "end:", "reason:", "stage:", "node:", "link:")
BY_OWN_DEADLINE = ("on_time_hz", "goodput_hz", "used_mean_s", "wasted_s", "wasted_bytes", "wasted_j")
GROUPS_BY_OWN_DEADLINE = ("end:", "exit:")
"""What depends on the requests' own deadlines even where nothing in the run reacted to them, points apart."""


class Quantity(NamedTuple):
    """A metric of docs/metrics.md.

    sign: 1 where more is better, -1 where less is, 0 where neither.  A table shows the value times ``factor`` in
    ``unit``; a difference has ``difference_unit``.
    """

    name: str
    sign: int
    factor: float
    unit: str
    difference_unit: str

    def text(self, value: float, like: float | None = None) -> str:
        """A value without its unit, with the decimals that suit its size, or that of ``like``."""
        size = abs(self.factor * (value if like is None else like))
        decimals = 2 if size < 100 else 1 if size < 1000 else 0
        if 0 < size < 0.1:
            decimals = 2 - math.floor(math.log10(size))
        return f"{self.factor * value:.{decimals}f}"


def quantity(name: str) -> Quantity:
    """The quantity of a name, known or not: shares in %, seconds in ms, joules in mJ, others as they are."""
    sign = (name in MORE_IS_BETTER) - (name in LESS_IS_BETTER)
    if is_share(name):
        return Quantity(name, sign, 100.0, "%", "points")
    for ending, factor, unit in (("_s", 1e3, "ms"), ("_j", 1e3, "mJ"), ("_hz", 1.0, "1/s")):
        if name.endswith(ending):
            return Quantity(name, sign, factor, unit, unit)
    unit = "bytes" if "bytes" in name else ""
    return Quantity(name, sign, 1.0, unit, unit)


def is_share(name: str) -> bool:
    """Whether a quantity lies between 0 and 1."""
    return name in SHARES or name.startswith(("end:", "reason:", "exit:", "cut:"))


def quantity_in_words(name: str) -> str:
    """``on-time accuracy``, ``latency p95``, ``miss ratio``; what is counted by name (``exit:...``) keeps it."""
    if ":" in name:
        return name
    for ending in ("_s", "_j", "_hz"):
        name = name.removesuffix(ending)
    return name.replace("on_time_", "on-time ").replace("_", " ")


def by_own_deadline(name: str) -> bool:
    """Whether a quantity of a run at own deadlines says nothing about another deadline."""
    return name in BY_OWN_DEADLINE or name.startswith(GROUPS_BY_OWN_DEADLINE)
