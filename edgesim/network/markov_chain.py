"""A finite Markov chain in steps, started in its stationary distribution."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate

import numpy as np
from scipy.sparse.csgraph import connected_components

from edgesim.errors import InputError
from edgesim.network.chain import KeyedChain
from edgesim.workload.random import generator

CHUNK_STEPS = 64
SHARED_CHUNKS = 2048  # kept for other paths of the same key, 1 MB
ROUNDING = 1e-6  # by which a row as written may miss its sum


@dataclass(frozen=True)
class MarkovChain:
    """matrix: row i holds the probabilities of going from state i to each state in one step.

    Raises InputError where it is no such matrix, or has several sets of states that are never left: its share of the
    time in each state would depend on where it starts.
    """

    matrix: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        check_square(self.matrix)
        for number, row in enumerate(self.matrix):
            if not all(0 <= value <= 1 for value in row) or abs(sum(row) - 1) > ROUNDING:
                raise InputError(f"matrix: row {number} {list(row)} must hold probabilities whose sum is 1")
        check_one_class(np.array(self.matrix))

    @cached_property
    def share(self) -> tuple[float, ...]:
        """Share of the time in each state: pi = pi P."""
        return stationary(np.array(self.matrix) - np.eye(len(self.matrix)))

    @cached_property
    def _climbs(self) -> list[list[float]]:
        """Cumulative probabilities without the last, which is 1: bisecting them turns a uniform draw into a state."""
        return [list(accumulate(row))[:-1] for row in self.matrix]

    def following(self, state: int, draw: float) -> int:
        """The state after ``state``, by a uniform draw."""
        return bisect_right(self._climbs[state], draw)


def check_square(rows: Sequence[Sequence[float]]) -> None:
    """Refuse what is no square matrix of finite numbers."""
    if not rows or any(len(row) != len(rows) for row in rows):
        raise InputError(f"matrix: found rows of {[len(row) for row in rows]} values, allowed: as many as rows")
    if not all(math.isfinite(value) for row in rows for value in row):
        raise InputError("matrix: every value must be finite")


def check_one_class(flows: np.ndarray) -> None:
    """Refuse a matrix (positive where a state leads to another) with several closed sets of states."""
    count, group = connected_components(flows > 0, directed=True, connection="strong")
    sources, targets = np.nonzero(flows > 0)
    left = {group[i] for i, j in zip(sources, targets, strict=True) if group[i] != group[j]}
    if count - len(left) > 1:
        raise InputError("matrix: found several sets of states that are never left, allowed: one")


def stationary(balance: np.ndarray) -> tuple[float, ...]:
    """The distribution pi with pi B = 0, for B = P - I of a chain in steps or its generator in continuous time."""
    equations = balance.T.copy()
    equations[-1] = 1.0  # any one of the n balances follows from the others; this one says that shares sum to 1
    share = np.linalg.solve(equations, np.eye(len(balance))[-1]).clip(0.0)
    return tuple((share / share.sum()).tolist())


def stationary_state(share: Sequence[float], draw: float) -> int:
    """A state of this distribution, by a uniform draw."""
    return bisect_right(list(accumulate(share))[:-1], draw)


class ChainPath:
    """States of a chain, number 0, 1, ..., keyed by (root seed, purpose, key); any may be asked for in any order."""

    __slots__ = ("_chain",)

    def __init__(self, chain: MarkovChain, root: int, purpose: str, *key: str | int):
        start = stationary_state(chain.share, generator(root, f"{purpose} start", *key).random())
        self._chain = KeyedChain(start, lambda state, k: _chunk(chain, state, root, purpose, key, k))

    def state(self, step: int) -> int:
        return self.chunk(step // CHUNK_STEPS)[step % CHUNK_STEPS]

    def chunk(self, k: int) -> list[int]:
        """The states of 64 steps, from step 64 k on."""
        return self._chain.chunk(k)


@lru_cache(maxsize=SHARED_CHUNKS)
def _chunk(
    chain: MarkovChain, state: int, root: int, purpose: str, key: tuple[str | int, ...], k: int
) -> tuple[list[int], int]:
    """The states of chunk k, and the first of the next; kept for a while, as the cells of a run meet the same links."""
    draws = generator(root, purpose, *key, k).random(CHUNK_STEPS).tolist()
    states = list(accumulate(draws, chain.following, initial=state))
    return states[:-1], states[-1]
