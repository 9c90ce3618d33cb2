"""A random walk between two bounds.

The rate is Brownian motion reflected at both bounds, seen on a grid of steps: the fold of x + W(t), W changing by a
normal with standard deviation s sqrt(D) in a step D (seconds).  Folding a Brownian motion gives the reflected one
exactly, so that a shorter step shows the same process more finely.  With w = high - low its rates are uniform between
the bounds from the start, and (by the eigenfunctions cos(n pi x / w) of reflected Brownian motion) its autocorrelation
at t is the sum over odd n of 96 / (n pi)^4 exp(-(n pi s / w)^2 t / 2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from edgesim.errors import InputError
from edgesim.network.chain import KeyedChain
from edgesim.network.rate import ChunkedRate, Stretch
from edgesim.workload.random import generator

CHUNK_STEPS = 64
SHARED_CHUNKS = 2048  # kept for other links of the same key


@dataclass(frozen=True)
class RandomWalk:
    """change_bps: standard deviation of the change in 1 s, far from the bounds; InputError unless 0 <= low < high."""

    low_bps: float
    high_bps: float
    change_bps: float
    step_s: float

    def __post_init__(self) -> None:
        if not (0 <= self.low_bps < self.high_bps < math.inf and self.change_bps > 0 and self.step_s > 0):
            raise InputError("random_walk: allowed: 0 <= low < high, and a change and a step above 0")

    @property
    def width_bps(self) -> float:
        return self.high_bps - self.low_bps

    @cached_property
    def edges_s(self) -> list[float]:
        return [step * self.step_s for step in range(CHUNK_STEPS + 1)]

    def correlation(self, time_s: float) -> float:
        """Autocorrelation of the rate at ``time_s``."""
        n = np.pi * np.arange(1, 200, 2)
        decay = np.exp(-((n * self.change_bps / self.width_bps) ** 2) * time_s / 2)
        return float(np.sum(96 / n**4 * decay))


class RandomWalkRate(ChunkedRate):
    """A path of the walk, keyed by (root seed, key): 64 steps a chunk."""

    __slots__ = ("_chain",)

    def __init__(self, walk: RandomWalk, root: int, *key: str | int):
        super().__init__(walk.step_s * CHUNK_STEPS)
        start = walk.width_bps * generator(root, "link walk start", *key).random()
        self._chain = KeyedChain(start, lambda place, k: _chunk(walk, place, root, key, k))

    def _make(self, k: int) -> Stretch:
        return self._chain.chunk(k)


@lru_cache(maxsize=SHARED_CHUNKS)
def _chunk(walk: RandomWalk, place: float, root: int, key: tuple[str | int, ...], k: int) -> tuple[Stretch, float]:
    """Chunk k from the place of the unfolded walk, in [0, 2 w), and the place where the next begins."""
    steps = generator(root, "link walk", *key, k).standard_normal(CHUNK_STEPS)
    places = np.concatenate([[place], steps * (walk.change_bps * math.sqrt(walk.step_s))]).cumsum()
    turn = 2 * walk.width_bps
    places %= turn
    rates_bps = walk.low_bps + np.minimum(places, turn - places)[:-1]
    return Stretch(walk.edges_s, rates_bps.tolist()), float(places[-1])
