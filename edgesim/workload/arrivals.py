"""When requests arrive at a device: absolute times, made lazily."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from edgesim.workload.arrival_trace import read_arrival_trace
from edgesim.workload.modulated import diurnal_times, mmpp_times
from edgesim.workload.random import draws, generator

if TYPE_CHECKING:
    from edgesim.scenario.arrivals import Arrivals


def arrival_times(spec: Arrivals, root: int, device: str) -> Iterator[float]:
    """Absolute arrival times of one device, in seconds.

    Periodic devices start at a phase of their own, uniform over a period.
    """
    if spec.process == "poisson":
        mean_s = 1 / spec.rate_hz
        return accumulate(draws(lambda rng, size: rng.exponential(mean_s, size), root, "arrivals", device))
    if spec.process == "periodic":
        return _periodic(spec.rate_hz, spec.jitter_ms / 1e3, root, device)
    if spec.process == "mmpp":
        return mmpp_times(spec, root, device)
    if spec.process == "diurnal":
        return diurnal_times(spec, root, device)
    return iter(read_arrival_trace(spec.file))


def _periodic(rate_hz: float, jitter_s: float, root: int, device: str) -> Iterator[float]:
    phase = generator(root, "phase", device).random()
    delays_s = draws(lambda rng, size: rng.random(size) * jitter_s, root, "arrivals", device)
    for number, delay_s in enumerate(delays_s):
        yield (phase + number) / rate_hz + delay_s
