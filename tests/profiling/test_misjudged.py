"""What policies are told of costs when their profile is off."""

from __future__ import annotations

import numpy as np
import pytest

from edgesim.profiling.costs import synthetic_costs
from edgesim.profiling.misjudged import MisjudgedCosts
from edgesim.scenario.models import SyntheticModel

MODEL = SyntheticModel(
    source="synthetic",
    blocks_ms=(1, 2, 3, 4),
    branch_ms=0.5,
    exits=(2, 4),
    state_bytes=(9, 9, 9, 9),
    accuracy=(0.5, 0.9),
)
TRUE = synthetic_costs(MODEL)


def believed(seed: int = 1, spread: float = 0.2, role: str = "device") -> MisjudgedCosts:
    return MisjudgedCosts(TRUE, 4, spread, seed, role, "model")


def test_every_block_is_off_by_at_most_the_spread_and_by_its_own_factor():
    factors = np.array(
        [[believed(seed).mean_piece_s(k, k + 1) / TRUE.mean_piece_s(k, k + 1) for k in range(4)] for seed in range(300)]
    )
    assert np.all(np.abs(factors - 1) <= 0.2)
    assert factors.mean() == pytest.approx(1.0, abs=3 * 0.2 / np.sqrt(3 * factors.size))
    assert factors.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.05)
    assert np.abs(np.corrcoef(factors.T)[np.triu_indices(4, 1)]).max() < 0.2


def test_what_a_chain_is_off_by_does_not_depend_on_how_it_is_cut():
    costs = believed()
    whole = costs.mean_piece_s(0, 4)
    for cut in range(1, 4):
        assert costs.mean_piece_s(0, cut) + costs.mean_piece_s(cut, 4) == pytest.approx(whole)
    assert whole != pytest.approx(TRUE.mean_piece_s(0, 4))
    assert costs.mean_piece_s(2, 2) == TRUE.mean_piece_s(2, 2)


def test_the_key_is_all_that_the_factors_depend_on():
    assert believed().mean_branch_s(1) == believed().mean_branch_s(1)
    assert believed(role="edge").mean_branch_s(1) != believed().mean_branch_s(1)
    assert believed(seed=2).mean_branch_s(1) != believed().mean_branch_s(1)
    assert abs(believed().mean_branch_s(1) / TRUE.mean_branch_s(1) - 1) <= 0.2
