"""Markov-modulated rates: each state of a chain has a rate, and the chain moves on a grid or at any time.

A share pi_i of the time is spent in state i, so that the mean rate is sum pi_i R_i.  Paths start in pi.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Protocol

import numpy as np

from edgesim.errors import InputError
from edgesim.network.chain import KeyedChain
from edgesim.network.markov_chain import (
    CHUNK_STEPS,
    ROUNDING,
    SHARED_CHUNKS,
    ChainPath,
    MarkovChain,
    check_one_class,
    check_square,
    stationary,
    stationary_state,
)
from edgesim.network.rate import ChunkedRate, Stretch
from edgesim.workload.random import generator


class _Law(Protocol):
    @property
    def rates_bps(self) -> tuple[float, ...]: ...
    @property
    def share(self) -> tuple[float, ...]: ...


def _mean_bps(law: _Law) -> float:
    return sum(share * rate for share, rate in zip(law.share, law.rates_bps, strict=True))


def _check_rates(law: _Law) -> None:
    if len(law.rates_bps) != len(law.share):
        raise InputError(f"markov: found {len(law.rates_bps)} rates for {len(law.share)} states")
    if _mean_bps(law) <= 0:
        raise InputError("markov: the mean rate is 0: nothing sent would ever arrive")


@dataclass(frozen=True)
class StepLaw:
    """The rate of each state, and the chain that moves once every ``step_s``; InputError where they do not fit."""

    rates_bps: tuple[float, ...]
    chain: MarkovChain
    step_s: float

    def __post_init__(self) -> None:
        _check_rates(self)

    @property
    def share(self) -> tuple[float, ...]:
        return self.chain.share

    @property
    def mean_bps(self) -> float:
        return _mean_bps(self)

    @cached_property
    def edges_s(self) -> list[float]:
        return [step * self.step_s for step in range(CHUNK_STEPS + 1)]


class StepRate(ChunkedRate):
    """A path of a chain that moves on a grid, keyed by (root seed, key): 64 steps a chunk."""

    __slots__ = ("_law", "_path")

    def __init__(self, law: StepLaw, root: int, *key: str | int):
        super().__init__(law.step_s * CHUNK_STEPS)
        self._law = law
        self._path = ChainPath(law.chain, root, "link states", *key)

    def _make(self, k: int) -> Stretch:
        rates_bps = self._law.rates_bps
        return Stretch(self._law.edges_s, [rates_bps[state] for state in self._path.chunk(k)])


@dataclass(frozen=True)
class JumpLaw:
    """The rate of each state, and the generator Q of a chain in continuous time, in 1/s.

    From state i it jumps to j after an exponential time at rate Q_ij; Q_ii is minus the sum of its row.  Raises
    InputError where Q is no such matrix, or has several sets of states that are never left, or one such state.
    """

    rates_bps: tuple[float, ...]
    generator: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        check_square(self.generator)
        for number, row in enumerate(self.generator):
            leaving = -row[number]
            away = [rate for other, rate in enumerate(row) if other != number]
            if leaving <= 0 or min(away) < 0 or abs(sum(away) - leaving) > ROUNDING * leaving:
                raise InputError(
                    f"generator: row {number} {list(row)} must hold rates of leaving, and minus their sum in place "
                    f"{number}, so that its sum is 0"
                )
        check_one_class(np.array(self.generator))
        _check_rates(self)

    @cached_property
    def share(self) -> tuple[float, ...]:
        """Share of the time in each state: pi Q = 0."""
        return stationary(np.array(self.generator))

    @property
    def mean_bps(self) -> float:
        return _mean_bps(self)

    @cached_property
    def holding_s(self) -> list[float]:
        """Mean time in each state."""
        return [-1 / row[state] for state, row in enumerate(self.generator)]

    @cached_property
    def span_s(self) -> float:
        """In which 64 jumps happen on average."""
        return CHUNK_STEPS / sum(share / held for share, held in zip(self.share, self.holding_s, strict=True))

    def following(self, state: int, draw: float) -> int:
        """Where it jumps from ``state``, by a uniform draw."""
        return bisect_right(self._climbs[state], draw)

    @cached_property
    def _climbs(self) -> list[list[float]]:
        away = np.array(self.generator) * np.array(self.holding_s)[:, None]
        np.fill_diagonal(away, 0.0)
        return [list(accumulate(row))[:-1] for row in away.tolist()]


class JumpRate(ChunkedRate):
    """A path of a chain in continuous time, keyed by (root seed, key).

    Exact: a holding time that a chunk's end cuts is drawn anew from there, as exponential times have no memory.
    """

    __slots__ = ("_chain",)

    def __init__(self, law: JumpLaw, root: int, *key: str | int):
        super().__init__(law.span_s)
        start = stationary_state(law.share, generator(root, "link jumps start", *key).random())
        self._chain = KeyedChain(start, lambda state, k: _jumps(law, state, root, key, k))

    def _make(self, k: int) -> Stretch:
        return self._chain.chunk(k)


@lru_cache(maxsize=SHARED_CHUNKS)
def _jumps(law: JumpLaw, state: int, root: int, key: tuple[str | int, ...], k: int) -> tuple[Stretch, int]:
    """Chunk k from its first state, and its last one, in which the next begins."""
    draws = generator(root, "link jumps", *key, k)
    edges_s, rates_bps, time_s = [0.0], [law.rates_bps[state]], draws.exponential(law.holding_s[state])
    while time_s < law.span_s:
        state = law.following(state, draws.random())
        edges_s.append(time_s)
        rates_bps.append(law.rates_bps[state])
        time_s += draws.exponential(law.holding_s[state])
    return Stretch([*edges_s, law.span_s], rates_bps), state
