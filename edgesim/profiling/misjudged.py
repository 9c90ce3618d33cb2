"""Costs as somebody believes them to be whose profile is off."""

from __future__ import annotations

from functools import cached_property

from edgesim.profiling.costs import Costs
from edgesim.workload.random import generator


class MisjudgedCosts:
    """Mean costs, each times a factor of its own, drawn evenly from 1 - spread to 1 + spread.

    One factor for each block, branch, codec at a cut and for preprocessing; a piece is off by the mean of its blocks'
    factors, weighted by their times, so that what two pieces are off by does not depend on how a chain is cut.  (seed,
    key) is all that the factors depend on.  An assumption of ours: real profiles are off in other ways too, such as all
    together.
    """

    def __init__(self, costs: Costs, num_blocks: int, spread: float, seed: int, *key: str) -> None:
        self._costs, self._num_blocks, self._spread, self._seed, self._key = costs, num_blocks, spread, seed, key

    def mean_piece_s(self, start: int, stop: int, batch: int = 1) -> float:
        whole = self._costs.mean_piece_s(start, stop, batch)
        blocks_s = [self._costs.mean_piece_s(block, block + 1, batch) for block in range(start, stop)]
        total_s = sum(blocks_s)
        if not total_s:
            return whole
        return whole * sum(map(float.__mul__, blocks_s, self._blocks[start:stop])) / total_s

    def mean_branch_s(self, exit: int, batch: int = 1) -> float:
        return self._costs.mean_branch_s(exit, batch) * self._factor("branch", exit)

    def mean_encode_s(self, codec: str, cut: int) -> float:
        return self._costs.mean_encode_s(codec, cut) * self._factor("encode", codec, cut)

    def mean_decode_s(self, codec: str, cut: int) -> float:
        return self._costs.mean_decode_s(codec, cut) * self._factor("decode", codec, cut)

    @property
    def mean_preprocess_s(self) -> float:
        return self._costs.mean_preprocess_s * self._factor("preprocess")

    @cached_property
    def _blocks(self) -> list[float]:
        return [self._factor("block", block) for block in range(self._num_blocks)]

    def _factor(self, *what: str | int) -> float:
        draw = generator(self._seed, "profile error", *self._key, *what)
        return float(draw.uniform(1.0 - self._spread, 1.0 + self._spread))
