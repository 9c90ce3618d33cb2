"""Early exits: the limits of their thresholds, on the device alone and across a cut."""

from __future__ import annotations

from itertools import pairwise
from math import log
from typing import Any

import numpy as np
import pytest
from small_worlds import Ran, scenario_of, simulated

from edgesim.outcomes.table import OutcomeTable
from edgesim.studies.load import load_assets

CLASSES = 10


def thresholds(threshold: Any, score: str = "confidence", **more: Any) -> dict[str, Any]:
    return {"type": "thresholds", "threshold": threshold, "score": score, **more}


def ran(policy: dict[str, Any], *overrides: str) -> tuple[Ran, OutcomeTable]:
    """The policy's run, and the outcomes without any cut."""
    scenario = scenario_of({"it": policy}, *overrides)
    assets = load_assets(scenario)
    return simulated(scenario, "it", assets=assets), assets.test["toy"].table(())


def samples(run: Ran) -> np.ndarray:
    return run.column(lambda each: each.sample)


def test_entropy_zero_is_the_backbone() -> None:
    run, table = ran(thresholds(0.0, "entropy"))
    assert set(run.exits) == {2}
    np.testing.assert_array_equal(run.right(60.0), table.correct[2, samples(run)])
    np.testing.assert_array_equal(run.predictions, table.prediction[2, samples(run)])


def test_entropy_above_the_largest_leaves_at_once() -> None:
    run, table = ran(thresholds(log(CLASSES) + 1e-6, "entropy"))
    assert set(run.exits) == {0}
    np.testing.assert_array_equal(run.right(60.0), table.correct[0, samples(run)])


@pytest.mark.parametrize("score", ["confidence", "margin"])
def test_sure_of_more_than_everything_never_leaves_early(score: str) -> None:
    run, _ = ran(thresholds(1.0000001, score))
    assert set(run.exits) == {2}
    run, _ = ran(thresholds(0.0, score))
    assert set(run.exits) == {0}


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
@pytest.mark.parametrize("score", ["confidence", "entropy"])
def test_with_a_cut_and_no_way_out_it_is_the_fixed_cut(cut: int, score: str) -> None:
    codec = "int8" if cut else "png"
    never = 1.5 if score == "confidence" else 0.0
    policies = {
        "early": thresholds(never, score, cut=cut, codec=codec),
        "fixed": {"type": "fixed_cut", "cut": cut, "codec": codec},
    }
    scenario = scenario_of(policies)
    assets = load_assets(scenario)
    early, fixed = (simulated(scenario, name, assets=assets) for name in policies)
    for of in ("exits", "predictions", "cuts"):
        np.testing.assert_array_equal(getattr(early, of), getattr(fixed, of))
    np.testing.assert_array_equal(early.column(lambda r: r.bytes_up), fixed.column(lambda r: r.bytes_up))
    heads_s = (0.5e-3 if cut >= 1 else 0) + (0.4e-3 if cut >= 3 else 0)
    heads_s += 0.25 * ((0.5e-3 if cut == 0 else 0) + (0.4e-3 if cut < 3 else 0))
    np.testing.assert_allclose(early.latency_s - fixed.latency_s, heads_s, atol=1e-9)


def test_the_share_that_has_left_never_falls_with_a_threshold() -> None:
    shares = []
    for threshold in np.linspace(0, log(CLASSES) + 0.01, 12):
        run, table = ran(thresholds([float(threshold), 0.7], "entropy"), "duration_s=30")
        left = [(run.exits <= exit).mean() for exit in range(3)]
        shares.append(left)
        expected = np.where(table.entropy[0] < threshold, 0, np.where(table.entropy[1] < 0.7, 1, 2))[samples(run)]
        np.testing.assert_array_equal(run.exits, expected)
    assert all((np.array(after) >= np.array(before)).all() for before, after in pairwise(shares))
    assert shares[0][0] == 0 and shares[-1][0] == 1 and len({left[0] for left in shares}) > 5


def test_a_threshold_for_each_exit() -> None:
    run, _ = ran(thresholds([1.5, 0.0]))
    assert set(run.exits) == {1}


def test_exactly_as_sure_as_asked_leaves_by_confidence_but_not_by_entropy() -> None:
    _, table = ran(thresholds(0.5), "duration_s=2")
    sample = 3
    for score, leaves in (("confidence", True), ("margin", True), ("entropy", False)):
        exact = float(getattr(table, score)[0, sample])
        run, _ = ran(thresholds(exact, score), "duration_s=2000", "devices.camera.arrivals.jitter_ms=0")
        met = run.exits[samples(run) == sample]
        assert len(met) and set(met == 0) == {leaves}


def test_what_leaves_on_the_device_sends_nothing() -> None:
    run, table = ran(thresholds(0.8, cut=3, codec="int8"))
    local = (table.confidence[:2] >= 0.8).any(axis=0)[samples(run)]
    np.testing.assert_array_equal(run.column(lambda each: each.bytes_up), np.where(local, 0, 1500))
    np.testing.assert_array_equal(run.cuts, np.where(local, -1, 3))
    assert 0.2 < local.mean() < 0.9
