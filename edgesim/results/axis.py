"""The deadline axis: what a deadline on the axis means for a request whose own deadline was drawn.

The axis scales the deadlines' distribution (a mean of D milliseconds at D), so a fixed deadline becomes D itself
and a request that drew 1.3 times the mean keeps 1.3 times the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgesim.results.tables import Names


def device_class(device: str) -> str:
    """The class of a device: ``camera`` for ``camera-3``."""
    return device.rsplit("-", 1)[0]


def mean_deadline_s(spec: Mapping[str, Any] | None) -> float:
    """The mean of a device class's deadline as the scenario writes it; infinite where it has none."""
    if not spec:
        return float("inf")
    kind = spec.get("distribution", "fixed")
    means_ms = {
        "fixed": lambda: spec["ms"],
        "exponential": lambda: spec["mean_ms"],
        "uniform": lambda: (spec["low_ms"] + spec["high_ms"]) / 2,
    }
    return float(means_ms[kind]()) / 1e3


@dataclass(frozen=True)
class DeadlineAxis:
    """The deadlines of a scenario's axis and each device class's own mean deadline."""

    deadlines_ms: tuple[float, ...]
    means_s: Mapping[str, float]

    @classmethod
    def of(cls, scenario: Mapping[str, Any]) -> DeadlineAxis:
        """From a resolved scenario (``deadlines_ms``, ``devices.CLASS.deadline``)."""
        means_s = {name: mean_deadline_s(device.get("deadline")) for name, device in scenario["devices"].items()}
        return cls(tuple(float(deadline) for deadline in scenario.get("deadlines_ms") or ()), means_s)

    def relative(self, devices: Names, deadline_s: np.ndarray) -> np.ndarray:
        """Each row's deadline over its class's mean, shape (rows,); 1 where the class has none."""
        means = np.array([self.means_s.get(device_class(word), np.inf) for word in devices.words])
        mean = means[devices.codes]
        return np.divide(deadline_s, mean, out=np.ones(len(mean)), where=np.isfinite(mean) & np.isfinite(deadline_s))

    @property
    def own_mean_s(self) -> float:
        """The geometric mean of the classes' mean deadlines; infinite where no class has one."""
        finite = [mean for mean in self.means_s.values() if np.isfinite(mean)]
        return float(np.exp(np.mean(np.log(finite)))) if finite else float("inf")

    def nearest_ms(self) -> float | None:
        """The deadline of the axis nearest (as a ratio) to the classes' own; its middle where they have none."""
        if not self.deadlines_ms:
            return None
        own_ms = self.own_mean_s * 1e3
        if not np.isfinite(own_ms):
            return self.deadlines_ms[len(self.deadlines_ms) // 2]
        return min(self.deadlines_ms, key=lambda deadline: abs(np.log(deadline / own_ms)))
