"""Means over independent copies of a queue that run side by side.

They are regressed on how busy the copies' own arrivals and draws happened to be (control variates with known means,
Lavenberg and Welch 1981), which narrows the interval without touching what is measured; the draws are read by their
keys, so a slower service cannot hide there.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from little_worlds import Tables, lucks


class Estimate(NamedTuple):
    mean_s: float
    error_s: float

    def z(self, theory_s: float) -> float:
        return (self.mean_s - theory_s) / self.error_s

    @property
    def half_width(self) -> float:
        return 1.96 * self.error_s / self.mean_s


def estimate(values: np.ndarray, controls: np.ndarray) -> Estimate:
    """Mean of ``values`` (copies,), given ``controls`` (copies, kinds) whose means are 0."""
    design = np.column_stack([np.ones(len(values)), controls])
    found, *_ = np.linalg.lstsq(design, values, rcond=None)
    left = values - design @ found
    variance = left @ left / (len(values) - design.shape[1])
    return Estimate(found[0], math.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0]))


def copies(scenario, tables: Tables, column: str, node: str | None = None, mean_bytes: float | None = None) -> Estimate:
    """Mean of a column over the counted requests of each device.

    node: whose service is exponential: "{}" the device, "s-{}" its server, None nobody's.  mean_bytes: of all payloads.
    """
    values, controls = [], []
    for name, rows in tables.requests.groupby("device"):
        counted = rows[rows.counted]
        values.append(counted[column].mean())
        rate_hz = scenario.devices[name.removesuffix("-0")].arrivals.rate_hz
        kinds = [len(counted) / ((scenario.duration_s - scenario.warmup_s) * rate_hz) - 1]
        if node is not None:
            server = node.format(name.removesuffix("-0"))
            drawn = np.array(lucks(scenario, name if node == "{}" else server, name, len(rows)))[counted.number]
            kinds.append(-np.log1p(-drawn).mean() - 1)
        if mean_bytes is not None:
            kinds.append(counted.bytes_up.mean() / mean_bytes - 1)
        controls.append(kinds)
    return estimate(np.array(values), np.array(controls))


def see(found: Estimate, theory_s: float, half_width: float = 0.03) -> None:
    assert found.half_width < half_width
    assert abs(found.z(theory_s)) < 3.3
