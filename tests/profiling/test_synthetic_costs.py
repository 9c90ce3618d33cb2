"""Synthetic costs have the distributions that they name."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from rows import branch_row, row
from scipy import stats

from edgesim.profiling.costs import Costs, SyntheticCosts, synthetic_costs
from edgesim.profiling.synthetic_costs import BlockTime, constant, erlang, exponential, lognormal, uniform

CASES = [
    (exponential(0.01), stats.expon(scale=0.01)),
    (uniform(0.002, 0.006), stats.uniform(0.002, 0.004)),
    (lognormal(0.01, 0.5), stats.lognorm(math.sqrt(math.log(1.25)), scale=0.01 / math.sqrt(1.25))),
    (erlang(0.01, 1), stats.gamma(1, scale=0.01)),
    (erlang(0.01, 4), stats.gamma(4, scale=0.0025)),
    (erlang(0.01, 60), stats.gamma(60, scale=0.01 / 60)),
]


@pytest.mark.parametrize(("time", "law"), CASES)
def test_quantiles_are_those_of_the_law(time: BlockTime, law: stats.rv_continuous) -> None:
    for luck in (1e-4, 0.01, 0.3, 0.5, 0.9, 0.999, 1 - 1e-9):
        assert time.quantile(luck) == pytest.approx(law.ppf(luck), rel=1e-8)
    assert 0.0 <= time.quantile(0.0) <= time.quantile(1e-9)
    assert time.mean_s == pytest.approx(law.mean())


@pytest.mark.parametrize(("time", "law"), CASES)
def test_draws_have_the_mean_and_not_five_percent_more(time: BlockTime, law: stats.rv_continuous) -> None:
    draws = np.array([time.quantile(luck) for luck in np.random.default_rng(7).random(20_000)])
    error = draws.std() / math.sqrt(len(draws))
    assert abs(draws.mean() - law.mean()) / error < 3.3
    assert abs(1.05 * draws.mean() - law.mean()) / error > 3.3


def toy() -> SyntheticCosts:
    return SyntheticCosts([constant(0.001), exponential(0.01), uniform(0, 0.004)], (1, 3), [2e-4, 1e-4], [100, 50, 20])


def test_pieces() -> None:
    costs: Costs = toy()
    for luck in (0.0, 0.3, 0.99):
        whole = row(costs, luck)
        assert whole == pytest.approx(
            [0, 0.001, 0.001 - 0.01 * math.log1p(-luck), 0.001 - 0.01 * math.log1p(-luck) + 0.004 * luck]
        )
        for start in range(3):
            for stop in range(start + 1, 4):
                assert costs.piece_s(luck, start, stop) == pytest.approx(whole[stop] - whole[start])
                assert costs.piece(start, stop)(luck) == pytest.approx(costs.piece_s(luck, start, stop), rel=1e-12)
        assert costs.piece_s(luck, 1, 3, 5) == pytest.approx(5 * costs.piece_s(luck, 1, 3))
    assert costs.piece_s(0.3, 2, 2) == 0.0
    assert costs.mean_piece_s(0, 3) == pytest.approx(0.013) and costs.mean_piece_s(1, 2, 3) == pytest.approx(0.03)
    assert branch_row(costs, 0.4) == [2e-4, 1e-4] and costs.branch_s(0.1, 1, 4) == pytest.approx(4e-4)
    branch = costs.branch(1)
    assert branch is not None and branch(0.3) == 1e-4


def test_blocks_of_one_distribution_are_slow_together() -> None:
    alike = exponential(0.01)
    costs = SyntheticCosts([alike] * 4, (4,), [0.0], [10] * 4)
    assert costs.piece(1, 4)(0.7) == pytest.approx(3 * alike.quantile(0.7)) == pytest.approx(costs.piece_s(0.7, 1, 4))
    assert costs.branch(0) is costs.encode("int8", 1) is costs.decode("png", 0) is None


def test_what_a_synthetic_model_has_for_nothing() -> None:
    costs = toy()
    assert costs.label == "synthetic" and costs.num_blocks == 3 and costs.exits == (1, 3) and costs.max_batch is None
    assert [sum(spec.nbytes for spec in cut) for cut in costs.cuts] == [100, 50, 20, 0]
    assert costs.encode_s("int8", 1, 0.5) == costs.decode_s("png", 0, 0.5) == costs.mean_encode_s("fp32", 1) == 0.0
    assert costs.preprocess_s(0.1) == costs.gather_s(4) == 0.0 and costs.idle_factor(1.0) == 1.0


def test_scaling_scales_everything() -> None:
    one, costs = toy(), toy().scaled(2.5, 1.0, "scaled by 2.5")
    assert costs.label == "scaled by 2.5" and costs.cuts == one.cuts
    assert row(costs, 0.7) == pytest.approx([2.5 * seconds for seconds in row(one, 0.7)])
    assert branch_row(costs, 0.7) == pytest.approx([2.5 * seconds for seconds in branch_row(one, 0.7)])
    assert costs.mean_piece_s(0, 3) == pytest.approx(2.5 * one.mean_piece_s(0, 3))


def test_from_a_scenario() -> None:
    spec = SimpleNamespace(
        blocks_ms=[
            1.0,
            SimpleNamespace(distribution="exponential", mean_ms=10),
            SimpleNamespace(distribution="uniform", low_ms=1, high_ms=3),
            SimpleNamespace(distribution="lognormal", mean_ms=4, cv=0.5),
            SimpleNamespace(distribution="erlang", mean_ms=5, k=2),
        ],
        branch_ms=0.5,
        exits=(2, 5),
        state_bytes=(9, 8, 7, 6, 5),
    )
    costs = synthetic_costs(spec)
    assert costs.mean_piece_s(0, 5) == pytest.approx(0.022)
    assert branch_row(costs, 0.5) == [5e-4, 5e-4]
    spec.branch_ms = (0.5, 1.5)
    assert branch_row(synthetic_costs(spec), 0.5) == pytest.approx([5e-4, 15e-4])
