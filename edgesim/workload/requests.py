"""What comes to a device: arrivals, images, deadlines, and each request's luck at every node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from edgesim.events.befalling import hastened
from edgesim.events.factored import Factors
from edgesim.workload.arrivals import arrival_times
from edgesim.workload.deadlines import deadlines
from edgesim.workload.random import draws
from edgesim.workload.samples import correlated_samples, independent_samples

if TYPE_CHECKING:
    from edgesim.scenario.devices import DeviceClass

Coming = tuple[float, int, float, tuple[float, ...]]
"""(absolute arrival, sample, deadline after the arrival, luck at each node) of a request."""


def requests_of(
    spec: DeviceClass,
    axis_deadline_ms: float | None,
    order: Sequence[int],
    nodes: Sequence[str],
    root: int,
    device: str,
    factors: Factors = (),
) -> Iterator[Coming]:
    """The requests of one device, in order; samples are drawn with replacement from the images in ``order``.

    order: the images 0 to n - 1 from easy to hard, where difficulty is correlated; else in any order.
    nodes: whose costs a request draws; its luck at each, uniform in [0, 1), is keyed by node, device and number.
    factors: what multiplies the rate of arrivals, and when.
    """
    if spec.samples.correlation:
        samples = correlated_samples(order, spec.samples.correlation, root, device)
    else:
        samples = independent_samples(len(order), root, device)
    lucks = zip(*(draws(_uniform, root, "costs", node, device) for node in nodes), strict=False)
    times_s = arrival_times(spec.arrivals, root, device)
    return zip(
        hastened(times_s, factors) if factors else times_s,
        samples,
        deadlines(spec.deadline, axis_deadline_ms, root, device),
        lucks,
        strict=False,
    )


def _uniform(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.random(size)
