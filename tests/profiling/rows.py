"""Costs as rows, for comparison with what was measured."""

from __future__ import annotations

from itertools import accumulate

from edgesim.profiling.costs import Costs


def overhead_s(costs: Costs) -> float:
    """What a piece costs besides its blocks, at batch 1; the model has two blocks or more."""
    last = costs.num_blocks
    return costs.piece_s(0.5, 0, 1) + costs.piece_s(0.5, 1, last) - costs.piece_s(0.5, 0, last)


def row(costs: Costs, luck: float) -> list[float]:
    """Cumulative seconds after 0..L blocks at batch 1."""
    overhead = overhead_s(costs)
    return [0.0, *accumulate(costs.piece_s(luck, block, block + 1) - overhead for block in range(costs.num_blocks))]


def branch_row(costs: Costs, luck: float) -> list[float]:
    """Seconds of each exit's branch at batch 1."""
    return [costs.branch_s(luck, exit) for exit in range(len(costs.exits))]
