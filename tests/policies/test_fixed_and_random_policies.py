"""Policies that look at nothing: where they run, what they send, what they draw."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from small_worlds import scenario_of, simulated

from edgesim.engine.request import COMPUTE, SERVER

BLOCKS_MS, BRANCH_MS, EXITS = (2, 3, 4, 5), (0.5, 0.4, 0.3), (1, 3, 4)


@pytest.mark.parametrize("exit", [None, 0, 1, 2])
def test_device_only_runs_up_to_its_exit(exit: int | None) -> None:
    run = simulated(scenario_of({"it": {"type": "device_only", "exit": exit}}), "it")
    index = 2 if exit is None else exit
    assert set(run.exits) == {index} and set(run.cuts) == {-1}
    expected_s = (sum(BLOCKS_MS[: EXITS[index]]) + BRANCH_MS[index]) / 1e3
    np.testing.assert_allclose(run.latency_s, expected_s, atol=1e-9)


def test_server_only_computes_nothing_on_the_device() -> None:
    run = simulated(scenario_of({"it": {"type": "server_only"}}), "it")
    assert set(run.cuts) == {0} and set(run.exits) == {2}
    assert set(run.column(lambda each: each.codec)) == {"png"}
    assert set(run.column(lambda each: each.bytes_up)) == {4000}
    assert not run.column(lambda each: each.sums[COMPUTE]).any()
    np.testing.assert_allclose(run.column(lambda each: each.sums[SERVER]), 0.25 * 14.3e-3, atol=1e-12)


@pytest.mark.parametrize("cut", range(5))
def test_a_fixed_cut_splits_the_chain_there(cut: int) -> None:
    policy = {"type": "fixed_cut", "cut": cut, "codec": "int8" if cut else "png"}
    run = simulated(scenario_of({"it": policy}), "it")
    here_s = (sum(BLOCKS_MS[:cut]) + (BRANCH_MS[2] if cut == 4 else 0)) / 1e3
    there_s = 0.25 * (14.3e-3 - here_s) if cut < 4 else 0.0
    np.testing.assert_allclose(run.column(lambda each: each.sums[COMPUTE]), here_s, atol=1e-12)
    np.testing.assert_allclose(run.column(lambda each: each.sums[SERVER]), there_s, atol=1e-12)
    assert set(run.exits) == {2} and set(run.cuts) == {cut if cut < 4 else -1}


RANDOM: dict[str, Any] = {"type": "random", "codecs": ["png", "raw", "int8"]}


def drawn(*overrides: str, policies: dict[str, Any] | None = None, device: str = "camera-0") -> list[tuple[int, str]]:
    run = simulated(scenario_of(policies or {"random": RANDOM}, *overrides), "random")
    return [(each.cut, each.codec) for each in run.requests if each.device.name == device]


def test_random_draws_cuts_evenly_and_then_codecs() -> None:
    policy = simulated(scenario_of({"random": RANDOM}, "duration_s=2"), "random").world.devices[0].policy
    assert policy is not None
    counts: Counter[tuple[int, str]] = Counter()
    for _ in range(100_000):
        steps = policy.next_steps(None, None)  # type: ignore[arg-type]
        cut = 0 if len(steps) == 1 else steps[0].to_block  # type: ignore[union-attr]
        counts[cut, getattr(steps[-1], "codec", "")] += 1
    expected = {(4, ""): 1 / 5, (0, "png"): 1 / 10, (0, "raw"): 1 / 10}
    expected |= {(cut, "int8"): 1 / 5 for cut in (1, 2, 3)}
    assert set(counts) == set(expected)
    for each, share in expected.items():
        assert abs(z_score(counts[each], share)) < 3.3
        assert abs(z_score(counts[each], 1.05 * share)) > 3.3, "a share 5 % off would be noticed"


def z_score(count: int, share: float, total: int = 100_000) -> float:
    return (count - total * share) / np.sqrt(total * share * (1 - share))


def test_random_draws_from_the_named_cuts_only() -> None:
    policies = {"random": {**RANDOM, "cuts": [0, 4]}}
    assert {cut for cut, _ in drawn("duration_s=100", policies=policies)} == {0, -1}


def test_random_draws_are_keyed() -> None:
    alone = drawn()
    assert drawn() == alone
    assert drawn(policies={"other": {"type": "server_only"}, "random": RANDOM}) == alone
    assert drawn("devices.camera.count=3") == alone
    assert drawn("devices.camera.count=3", device="camera-1") != alone
    assert drawn("seed=8") != alone


def test_another_policy_meets_the_same_arrivals_samples_and_draws() -> None:
    scenario = scenario_of(
        {"random": RANDOM, "local": {"type": "device_only"}, "cut": {"type": "fixed_cut", "cut": 2, "codec": "int8"}},
        "devices.camera.count=2",
    )
    runs = [simulated(scenario, name) for name in scenario.policies]
    for run in runs[1:]:
        for of in (lambda each: each.arrival_s, lambda each: each.sample, lambda each: each.deadline_s):
            np.testing.assert_array_equal(run.column(of), runs[0].column(of))
