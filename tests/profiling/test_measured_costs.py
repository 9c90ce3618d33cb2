"""Costs from a profile: rows, slices, batches, codecs, scaling."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from rows import branch_row, overhead_s, row

from edgesim.errors import InputError
from edgesim.profiling.costs import Costs, ModelCosts
from edgesim.profiling.profile import Profile

LUCKS = [0.0, 0.1, 0.37, 0.5, 0.93, 1 - 1e-12]


def test_it_is_what_the_engine_asks_for(made: Profile) -> None:
    costs: Costs = ModelCosts(made)
    assert costs.num_blocks == 4 and costs.exits == (2, 3, 4) and costs.label == "measured" and costs.max_batch == 8
    assert len(costs.cuts) == 5 and costs.cuts[1][0].nbytes == 320


def test_luck_picks_whole_measured_rows(made: Profile) -> None:
    costs = ModelCosts(made)
    rows = np.asarray(made.chain[0].rows_s) * 0.97
    measured = {tuple(np.round(np.cumsum(row), 12)) for row in rows}
    for luck in LUCKS:
        found = row(costs, luck)
        assert found[0] == 0.0 and tuple(np.round(found[1:], 12)) in measured
    draws = [row(costs, (i + 0.5) / 40)[-1] for i in range(40)]
    assert draws == sorted(draws)
    assert np.allclose(draws, np.sort(rows.sum(axis=1)))  # every row equally often


def test_whole_rows_keep_the_spread(made: Profile) -> None:
    """Independent draws per block would understate it: blocks of a pass are slow together."""
    costs, rng = ModelCosts(made), np.random.default_rng(0)
    measured = np.asarray(made.chain[0].rows_s).sum(axis=1).std() * 0.97
    together = np.array([row(costs, luck)[-1] for luck in rng.random(4000)])
    assert together.std() == pytest.approx(measured, rel=0.05)
    blocks = [np.array([np.diff(row(costs, luck))[block] for luck in rng.random(4000)]) for block in range(4)]
    assert np.sum(blocks, axis=0).std() < 0.75 * measured


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 6, 8])
def test_slices_cost_their_sum_and_one_overhead_each(made: Profile, batch: int) -> None:
    costs = ModelCosts(made)
    overhead = costs.piece_s(0.5, 0, 1, batch) + costs.piece_s(0.5, 1, 4, batch) - costs.piece_s(0.5, 0, 4, batch)
    for luck in LUCKS:
        for cuts in ((0, 4), (0, 2, 4), (0, 1, 2, 3, 4), (0, 3, 4)):
            pieces = sum(costs.piece_s(luck, start, stop, batch) for start, stop in pairwise(cuts))
            assert pieces - (len(cuts) - 1) * overhead == pytest.approx(costs.piece_s(luck, 0, 4, batch) - overhead)
    assert costs.piece_s(0.5, 2, 2, batch) == 0.0
    if batch in (1, 4):
        assert overhead == pytest.approx({1: 0.05e-3, 4: 0.08e-3}[batch])


def test_pieces_cost_what_was_measured(made: Profile) -> None:
    costs = ModelCosts(made)
    for piece in made.pieces:
        median = np.median([costs.piece_s((i + 0.5) / 40, piece.start, piece.stop, piece.batch) for i in range(40)])
        assert median == pytest.approx(piece.seconds[0], rel=1e-6)
        assert median != pytest.approx(1.05 * piece.seconds[0], rel=0.02)


def test_what_is_prepared_for_many_requests_is_the_same(made: Profile) -> None:
    costs = ModelCosts(made)
    for luck in LUCKS:
        for start, stop in ((0, 4), (1, 3), (2, 3)):
            assert costs.piece(start, stop)(luck) == pytest.approx(costs.piece_s(luck, start, stop), rel=1e-12)
        for exit in range(3):
            assert costs.branch(exit)(luck) == pytest.approx(costs.branch_s(luck, exit), rel=1e-12)
        assert costs.encode("int8", 1)(luck) == costs.encode_s("int8", 1, luck)
        assert costs.decode("int8", 1)(luck) == costs.decode_s("int8", 1, luck)


def test_batches_between_profiled_ones_are_interpolated(made: Profile) -> None:
    costs = ModelCosts(made)
    for low, high in ((1, 2), (2, 4), (4, 8)):
        for batch in range(low, high + 1):
            share = (batch - low) / (high - low)
            for ask in (lambda n: costs.piece_s(0.3, 1, 4, n), lambda n: costs.branch_s(0.3, 1, n)):
                assert ask(batch) == pytest.approx((1 - share) * ask(low) + share * ask(high))
            for mean in (lambda n: costs.mean_piece_s(0, 4, n), lambda n: costs.mean_branch_s(2, n)):
                assert mean(batch) == pytest.approx((1 - share) * mean(low) + share * mean(high))
    assert costs.gather_s(3) == pytest.approx(6e-6)


def test_means_are_means_over_luck(made: Profile) -> None:
    costs = ModelCosts(made)
    lucks = [(i + 0.5) / 1200 for i in range(1200)]  # a multiple of every number of samples
    for batch in (1, 3):
        assert costs.mean_piece_s(1, 4, batch) == pytest.approx(np.mean([costs.piece_s(u, 1, 4, batch) for u in lucks]))
        assert costs.mean_branch_s(0, batch) == pytest.approx(np.mean([costs.branch_s(u, 0, batch) for u in lucks]))
    assert costs.mean_encode_s("int8", 2) == pytest.approx(np.mean([costs.encode_s("int8", 2, u) for u in lucks]))
    assert costs.mean_decode_s("png", 0) == pytest.approx(np.mean([costs.decode_s("png", 0, u) for u in lucks]))
    assert costs.mean_preprocess_s == pytest.approx(np.mean([costs.preprocess_s(u) for u in lucks]))
    assert costs.mean_piece_s(3, 3) == 0.0


def test_batches_beyond_the_profile_are_refused(made: Profile) -> None:
    costs = ModelCosts(made)
    for batch in (0, 9, 64):
        with pytest.raises(InputError, match=f"batch {batch} of made"):
            costs.piece_s(0.5, 0, 4, batch)
        with pytest.raises(InputError, match=f"batch {batch} of made"):
            costs.mean_branch_s(0, batch)


def test_idle_factor(made: Profile) -> None:
    costs = ModelCosts(made)
    assert [costs.idle_factor(gap) for gap in (0.0, 0.001, 0.01, 0.2, 60.0)] == pytest.approx([1.0, 1.1, 1.4, 1.5, 1.5])
    assert costs.idle_factor(0.0055) == pytest.approx(1.25)


def test_codecs(made: Profile) -> None:
    costs = ModelCosts(made)
    assert costs.encode_s("int8", 1, 0.5) == costs.encode_s("int8", 3, 0.5)  # cuts of one shape share their times
    assert 0.03e-3 <= costs.encode_s("int8", 1, 0.0) <= costs.encode_s("int8", 1, 0.99) < 0.04e-3
    low, high = costs.mean_encode_s("jpeg25", 0), costs.mean_encode_s("jpeg75", 0)
    assert costs.mean_encode_s("jpeg50", 0) == pytest.approx((low + high) / 2)
    assert costs.mean_encode_s("jpeg90", 0) == pytest.approx(high)
    assert costs.mean_encode_s("jpeg5", 0) == pytest.approx(low)
    for codec, cut in (("int4", 1), ("png", 1), ("int8", 0), ("fp32", 4)):
        with pytest.raises(InputError, match=f"no times of codec {codec} at cut {cut}"):
            costs.encode_s(codec, cut, 0.5)


def test_chosen_exits(made: Profile) -> None:
    costs, whole = ModelCosts(made, exits=(3, 4)), ModelCosts(made)
    assert costs.exits == (3, 4) and len(branch_row(costs, 0.5)) == 2
    assert costs.mean_branch_s(0) == pytest.approx(whole.mean_branch_s(1))
    with pytest.raises(InputError, match=r"no branch after \[1\] blocks"):
        ModelCosts(made, exits=(1, 4))


def test_scaling(made: Profile) -> None:
    one = ModelCosts(made)
    costs = one.scaled(2.0, 3.0, "scaled by 2").scaled(1.5, 1.0, "scaled twice")
    assert costs.label == "scaled twice"
    for batch in (1, 3):
        assert costs.piece_s(0.4, 1, 3, batch) == pytest.approx(3 * one.piece_s(0.4, 1, 3, batch))
        assert costs.branch_s(0.4, 1, batch) == pytest.approx(3 * one.branch_s(0.4, 1, batch))
        assert costs.gather_s(batch) == pytest.approx(3 * one.gather_s(batch))
    assert overhead_s(costs) == pytest.approx(3 * overhead_s(one))
    assert costs.encode_s("png", 0, 0.2) == pytest.approx(3 * one.encode_s("png", 0, 0.2))
    assert costs.preprocess_s(0.2) == pytest.approx(3 * one.preprocess_s(0.2))
    assert costs.idle_factor(0.01) == one.idle_factor(0.01)
    limited = one.scaled(0.1, 1.0, "accelerator", max_batch=1)
    assert limited.max_batch == 1 and limited.scaled(2, 2, "again").max_batch == 1
    with pytest.raises(InputError, match="at most 1"):
        limited.piece_s(0.5, 0, 4, 2)


def test_without_codec_times(make_profile: Callable[..., Profile]) -> None:
    costs = ModelCosts(make_profile().model_copy(update={"codecs": (), "preprocess_s": ()}))
    with pytest.raises(InputError, match="profiled: none"):
        costs.mean_encode_s("fp32", 1)
    with pytest.raises(InputError, match="preprocessing"):
        costs.preprocess_s(0.5)
