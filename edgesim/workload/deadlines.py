"""Deadlines of requests, in seconds after their arrival."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from math import inf
from typing import TYPE_CHECKING

from edgesim.workload.random import draws

if TYPE_CHECKING:
    from edgesim.scenario.deadlines import Deadline

ON_TIME_TOLERANCE_S = 1e-9
"""An answer is on time up to this much behind the deadline."""


def mean_deadline_s(spec: Deadline | None, axis_deadline_ms: float | None) -> float:
    """The mean of a class's deadlines: the axis deadline where there is one, else its own, infinite without any."""
    if axis_deadline_ms is not None:
        return axis_deadline_ms / 1e3
    return inf if spec is None else _own_mean_ms(spec) / 1e3


def deadlines(spec: Deadline | None, axis_deadline_ms: float | None, root: int, device: str) -> Iterator[float]:
    """Deadlines of a device's requests.  On the axis a drawn deadline keeps its shape and is scaled to the new mean."""
    mean_s = mean_deadline_s(spec, axis_deadline_ms)
    if spec is None or spec.distribution == "fixed":
        return repeat(mean_s)
    scale = mean_s / (_own_mean_ms(spec) / 1e3)
    if spec.distribution == "uniform":
        low_s, high_s = scale * spec.low_ms / 1e3, scale * spec.high_ms / 1e3
        return draws(lambda rng, size: rng.uniform(low_s, high_s, size), root, "deadlines", device)
    return draws(lambda rng, size: rng.exponential(mean_s, size), root, "deadlines", device)


def _own_mean_ms(spec: Deadline) -> float:
    if spec.distribution == "fixed":
        return spec.ms
    if spec.distribution == "uniform":
        return (spec.low_ms + spec.high_ms) / 2
    return spec.mean_ms
