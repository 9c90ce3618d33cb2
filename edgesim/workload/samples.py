"""Which image each request of a device shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import erfc, pi, sin, sqrt

import numpy as np

from edgesim.outcomes.table import OutcomeTable
from edgesim.workload.random import draws


def independent_samples(pool: int, root: int, device: str) -> Iterator[int]:
    """Numbers of images below ``pool``, drawn with replacement."""
    return draws(lambda rng, size: rng.integers(pool, size=size), root, "samples", device)


def correlated_samples(order: Sequence[int], correlation: float, root: int, device: str) -> Iterator[int]:
    """Images drawn so that the ranks of consecutive ones are correlated, and each image comes as often as any other.

    order: the images by difficulty.  A normal AR(1) is mapped by its distribution to uniform ranks (a Gaussian copula),
    whose autocorrelation at lag k is (6 / pi) asin(a^k / 2); a is chosen so that it is ``correlation`` at lag 1.
    """
    a = 2 * sin(pi * correlation / 6)
    fresh = sqrt(1 - a * a)
    shocks = draws(lambda rng, size: rng.standard_normal(size), root, "samples by difficulty", device)
    levels = accumulate(shocks, lambda level, shock: a * level + fresh * shock)
    return (order[min(int(erfc(-level / sqrt(2)) / 2 * len(order)), len(order) - 1)] for level in levels)


def by_difficulty(table: OutcomeTable, pool: int) -> list[int]:
    """The first ``pool`` images of a table from easy to hard: by falling confidence of its last exit, which is what a
    policy goes by, or for a regression by its growing error."""
    last = table.row(table.exits[-1])
    hardness = -table.confidence[last] if table.error is None else table.error[last]
    return [int(image) for image in np.argsort(hardness[:pool], kind="stable")]
