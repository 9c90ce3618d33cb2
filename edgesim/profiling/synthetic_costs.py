"""Costs written down instead of measured: block times as numbers or distributions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist
from typing import Any

from edgesim.models.state import TensorSpec

Quantile = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class BlockTime:
    """A block's time: its quantile function over [0, 1), and its mean, in seconds."""

    quantile: Quantile
    mean_s: float


def constant(seconds: float) -> BlockTime:
    return BlockTime(lambda luck: seconds, seconds)


def exponential(mean_s: float) -> BlockTime:
    """
    >>> round(exponential(2.0).quantile(1 - math.exp(-1)), 12)
    2.0
    """
    return BlockTime(lambda luck: -mean_s * math.log1p(-luck), mean_s)


def uniform(low_s: float, high_s: float) -> BlockTime:
    return BlockTime(lambda luck: low_s + luck * (high_s - low_s), (low_s + high_s) / 2)


def lognormal(mean_s: float, cv: float) -> BlockTime:
    """cv: standard deviation over mean."""
    variance = math.log1p(cv * cv)
    location, spread, normal = math.log(mean_s) - variance / 2, math.sqrt(variance), NormalDist()
    return BlockTime(lambda luck: math.exp(location + spread * normal.inv_cdf(luck)) if luck > 0 else 0.0, mean_s)


def erlang(mean_s: float, k: int) -> BlockTime:
    """The sum of k independent exponentials, ``mean_s`` altogether."""
    return BlockTime(lambda luck: _erlang_quantile(luck, k) * mean_s / k, mean_s)


def _erlang_quantile(luck: float, k: int) -> float:
    """Inverse of P(x) = 1 - exp(-x) sum_{i<k} x^i / i!, by Newton's steps kept inside a bracket."""
    if luck <= 0.0:
        return 0.0
    low, high, x = 0.0, math.inf, float(k)
    for _ in range(200):
        term = survival = math.exp(-x)
        for i in range(1, k):
            term *= x / i
            survival += term
        excess = survival - (1.0 - luck)
        low, high = (x, high) if excess > 0 else (low, x)
        step = x + excess / term if term > 0 else math.inf
        if not low <= step <= high:
            step = (low + high) / 2 if high < math.inf else 2 * x
        if abs(step - x) <= 1e-13 * x:
            return step
        x = step
    return x


def block_time(spec: Any) -> BlockTime:
    """From a scenario: milliseconds, or a distribution with the keys of the scenario's schema."""
    if isinstance(spec, int | float):
        return constant(spec / 1e3)
    match spec.distribution:
        case "exponential":
            return exponential(spec.mean_ms / 1e3)
        case "uniform":
            return uniform(spec.low_ms / 1e3, spec.high_ms / 1e3)
        case "lognormal":
            return lognormal(spec.mean_ms / 1e3, spec.cv)
        case "erlang":
            return erlang(spec.mean_ms / 1e3, spec.k)
    raise ValueError(f"no block time is distributed as {spec.distribution!r}")


class SyntheticCosts:
    """What a synthetic model costs, with the interface of :class:`ModelCosts`.

    One ``luck`` is the quantile of every block of a row: blocks are comonotone (slow together), so that the spread
    of a piece is the sum of its blocks' spreads; a chain with one random block has exactly its distribution.
    A batch of n takes n times as long as one; pieces, codecs, preprocessing, gathering and waking cost nothing.
    exits: block counts, the last one is the number of blocks.  branch_s: for each exit.  state_bytes: at cuts 0..L-1.
    """

    wakes = False

    def __init__(
        self,
        blocks: Sequence[BlockTime],
        exits: Sequence[int],
        branch_s: Sequence[float],
        state_bytes: Sequence[int],
        label: str = "synthetic",
    ) -> None:
        self._times = tuple(blocks)
        self.num_blocks = len(blocks)
        self.exits = tuple(exits)
        self.label = label
        self._state_bytes = tuple(state_bytes)
        self.cuts: tuple[tuple[TensorSpec, ...], ...] = (
            *((TensorSpec("state", (size,), "uint8", "index"),) for size in state_bytes),
            (),
        )
        self.mean_preprocess_s = 0.0
        self.max_batch: int | None = None
        self._branch_s = list(branch_s)
        self._quantiles = [time.quantile for time in blocks]
        self._mean = [0.0, *accumulate(time.mean_s for time in blocks)]

    def piece(self, start: int, stop: int) -> Quantile:
        quantiles = self._quantiles[start:stop]
        alike = quantiles[0]
        if any(quantile is not alike for quantile in quantiles):
            return lambda luck: sum([quantile(luck) for quantile in quantiles])
        blocks = len(quantiles)
        return lambda luck: blocks * alike(luck)

    def branch(self, exit: int) -> Quantile | None:
        seconds = self._branch_s[exit]
        return (lambda luck: seconds) if seconds else None

    def preprocess(self) -> Quantile | None:
        return None

    def encode(self, codec: str, cut: int) -> Quantile | None:
        return None

    decode = encode

    def piece_s(self, luck: float, start: int, stop: int, batch: int = 1) -> float:
        return batch * sum(quantile(luck) for quantile in self._quantiles[start:stop])

    def branch_s(self, luck: float, exit: int, batch: int = 1) -> float:
        return batch * self._branch_s[exit]

    def encode_s(self, codec: str, cut: int, luck: float) -> float:
        return 0.0

    decode_s = encode_s

    def preprocess_s(self, luck: float) -> float:
        return 0.0

    def gather_s(self, batch: int) -> float:
        return 0.0

    def idle_factor(self, gap_s: float) -> float:
        return 1.0

    def mean_piece_s(self, start: int, stop: int, batch: int = 1) -> float:
        return batch * (self._mean[stop] - self._mean[start])

    def mean_branch_s(self, exit: int, batch: int = 1) -> float:
        return batch * self._branch_s[exit]

    def mean_encode_s(self, codec: str, cut: int) -> float:
        return 0.0

    def mean_decode_s(self, codec: str, cut: int) -> float:
        return 0.0

    def scaled(self, factor: float, codec_factor: float, label: str) -> SyntheticCosts:
        """Every time multiplied by ``factor``; codecs cost nothing, whatever ``codec_factor``."""
        blocks = [BlockTime(_times(time.quantile, factor), time.mean_s * factor) for time in self._times]
        branch_s = [seconds * factor for seconds in self._branch_s]
        return SyntheticCosts(blocks, self.exits, branch_s, self._state_bytes, label)


def _times(quantile: Quantile, factor: float) -> Quantile:
    return lambda luck: factor * quantile(luck)


def synthetic_costs(spec: Any) -> SyntheticCosts:
    """From a scenario's synthetic model (keys blocks_ms, branch_ms, exits, state_bytes)."""
    branch_ms = spec.branch_ms
    if isinstance(branch_ms, int | float):
        branch_ms = [branch_ms] * len(spec.exits)
    alike = {repr(each): block_time(each) for each in spec.blocks_ms}
    blocks = [alike[repr(each)] for each in spec.blocks_ms]
    return SyntheticCosts(blocks, spec.exits, [each / 1e3 for each in branch_ms], spec.state_bytes)
