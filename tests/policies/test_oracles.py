"""Oracles as bounds, where requests never meet (SEMANTICS: oracles)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_worlds import STEPS, TOY, Ran, scenario_of, simulated

from edgesim.engine.request import DEVICE_WAIT, DOWNLINK_WAIT, SERVER_WAIT, UPLINK_WAIT
from edgesim.policies.fixed_arm import ArmSpec
from edgesim.scenario.scenario import Scenario
from edgesim.studies.cells import plan_cells
from edgesim.studies.load import load_assets
from edgesim.studies.static_best import find_static_best, resolve

DEADLINES_MS = (3.0, 11.0, 15.2, 20.0, 35.0, 150.0)
AR1 = "{process: ar1, mean_mbps: 4, cv: 0.9, correlation_1s: 0.5, outage_share: 0.1, outage_mean_s: 0.2, step_ms: 100}"
RIVALS: dict[str, Any] = {
    "exit 0": {"type": "device_only", "exit": 0},
    "exit 1": {"type": "device_only", "exit": 1},
    "device": {"type": "device_only"},
    "server": {"type": "server_only"},
    "server, raw": {"type": "server_only", "codec": "raw"},
    "cut 1": {"type": "fixed_cut", "cut": 1, "codec": "fp16"},
    "cut 3": {"type": "fixed_cut", "cut": 3, "codec": "int8"},
    "random": {"type": "random", "codecs": ["png", "int8", "int4"]},
    "image": {"type": "exits_then_image", "exits": [0, 1]},
    "sure image": {"type": "exits_then_image", "score": "confidence", "threshold": 0.8},
    "early": {"type": "thresholds", "threshold": 0.7},
    "early cut": {"type": "thresholds", "threshold": 1.5, "score": "entropy", "cut": 2, "codec": "int8"},
    "anytime": {"type": "anytime"},
    "anytime cut": {"type": "anytime", "cut": 1, "codec": "int8"},
    "neuro": {"type": "neurosurgeon"},
    "link oracle": {"type": "link_oracle"},
}


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("trace") / "rail.csv"
    rng = np.random.default_rng(5)
    rates = np.where(rng.random(200) < 0.15, 0.0, rng.lognormal(1.0, 0.8, 200))
    file.write_text("time_s,rate_mbps\n" + "".join(f"{0.1 * i:.1f},{rate:.3f}\n" for i, rate in enumerate(rates)))
    return f"{{process: trace, file: '{file}'}}"


def sparse(policies: dict[str, Any], up: str, *overrides: str) -> Scenario:
    """Two devices whose requests are ten seconds apart, own FIFO links and as many workers as devices."""
    names = {name.replace(" ", "_").replace(",", ""): spec for name, spec in policies.items()}
    return scenario_of(
        names,
        "duration_s=200",
        "devices.camera.count=2",
        "devices.camera.arrivals={process: periodic, rate_hz: 0.1, jitter_ms: 900}",
        "servers.edge.workers=2",
        f"links.access.up={up}",
        *overrides,
        models={"toy": {**TOY, "blocks_ms": [2, {"distribution": "exponential", "mean_ms": 3}, 4, 5]}},
    )


def never_meet(ran: Ran) -> bool:
    """Nobody waited, but for a request's own answers behind each other on the downlink."""
    stages = (DEVICE_WAIT, UPLINK_WAIT, SERVER_WAIT)
    waited = any(each.sums[stage] for each in ran.requests for stage in stages)
    return not waited and not any(each.sums[DOWNLINK_WAIT] for each in ran.requests if len(each.answers) == 1)


@pytest.mark.parametrize(
    ("process", "after", "replications"),
    [("steps", "abort", 1), ("steps", "continue", 3), ("ar1", "continue", 2), ("trace", "continue", 2)],
)
def test_nobody_beats_the_clairvoyant(process: str, after: str, replications: int, trace: str) -> None:
    """Request by request, at every deadline and seed: who is right in time, the clairvoyant is as well."""
    up = {"steps": str(STEPS), "ar1": AR1, "trace": trace}[process]
    best = {"type": "static_best", "calibration_seed": 99, "codecs": ["png", "int8", "int4"]}
    policies = {**RIVALS, "best": best, "clairvoyant": {"type": "clairvoyant"}}
    scenario = sparse(policies, up, f"devices.camera.after_deadline={after}")
    scenario = scenario.model_copy(update={"deadlines_ms": DEADLINES_MS})
    assets = load_assets(scenario)
    found = {"best": find_static_best(scenario, assets, "best")}

    def right(replication: int) -> dict[tuple[str, float], np.ndarray]:
        answers = {}
        for cell in plan_cells(scenario):
            ran = simulated(
                scenario, cell.policy, cell.axis_deadline_ms, replication, assets, resolve(cell, found).spec
            )
            assert len(ran) >= 38 and never_meet(ran)
            for deadline_ms in DEADLINES_MS if cell.axis_deadline_ms is None else (cell.axis_deadline_ms,):
                answers[cell.policy, deadline_ms] = ran.right(deadline_ms / 1e3)
        return answers

    better = 0
    for replication in range(replications):
        answers = right(replication)
        assert len(answers) == len(scenario.policies) * len(DEADLINES_MS)
        for (name, deadline_ms), rival in answers.items():
            bound = answers["clairvoyant", deadline_ms]
            assert not (rival & ~bound).any(), (name, deadline_ms, replication)
            better += int((bound & ~rival).sum())
    assert better > 500, "and often does better"


def test_without_the_paths_of_others_the_clairvoyant_would_be_no_bound() -> None:
    """At this deadline only the cut that another policy declares is in time: the comparison above can fail."""
    policies: dict[str, Any] = {
        "clairvoyant": {"type": "clairvoyant", "codecs": ["png"]},
        "cut": {"type": "fixed_cut", "cut": 3, "codec": "int4"},
    }
    slow = {**TOY, "blocks_ms": [2, 3, 4, 50], "state_bytes": [40_000, 6000, 2500, 1500]}
    scenario = scenario_of(policies, "servers.edge.processor.factor=0.05", models={"toy": slow})
    alone = scenario_of({"clairvoyant": policies["clairvoyant"]}, models={"toy": slow})
    rival = simulated(scenario, "cut", 20.0).right()
    assert rival.mean() > 0.8
    assert not (rival & ~simulated(scenario, "clairvoyant", 20.0).right()).any()
    assert (rival & ~simulated(alone, "clairvoyant", 20.0).right()).any()


def test_the_link_oracle_is_as_good_as_the_static_best_in_expectation(trace: str) -> None:
    policies = {
        "oracle": {"type": "link_oracle"},
        "best": {"type": "static_best", "calibration_seed": 99},
    }
    scenario = sparse(policies, trace).model_copy(update={"deadlines_ms": DEADLINES_MS})
    assets = load_assets(scenario)
    best = find_static_best(scenario, assets, "best")
    differences = {
        deadline_ms: [
            simulated(scenario, "oracle", deadline_ms, replication, assets).right().mean()
            - simulated(scenario, "best", deadline_ms, replication, assets, ArmSpec(best[deadline_ms])).right().mean()
            for replication in range(8)
        ]
        for deadline_ms in DEADLINES_MS
    }
    for deadline_ms, found in differences.items():
        error = np.std(found, ddof=1) / np.sqrt(len(found))
        assert np.mean(found) >= -3.3 * error, deadline_ms
    assert max(np.mean(found) / (np.std(found, ddof=1) / np.sqrt(8) + 1e-9) for found in differences.values()) > 3.3


def test_the_link_oracle_takes_what_is_most_often_right_in_time() -> None:
    """Against brute force: every arm's validation accuracy, among those that are back by the deadline."""
    scenario = sparse({"it": {"type": "link_oracle"}}, str(STEPS))
    assets = load_assets(scenario)
    deadline_ms = 18.0
    oracle = simulated(scenario, "it", deadline_ms, assets=assets)
    policy: Any = oracle.world.devices[0].policy
    arms = [choice.arm for choice in policy._choices]
    latency_s = np.array([simulated(scenario, "it", deadline_ms, 0, assets, ArmSpec(arm)).latency_s for arm in arms])
    validation = assets.validation["toy"]
    accuracy = [validation.table(arm.path).correct[validation.table(arm.path).row(arm.exit)].mean() for arm in arms]
    reachable = np.where(latency_s <= deadline_ms / 1e3 + 1e-9, np.array(accuracy)[:, None], -1.0)
    taken = np.array([_accuracy(each, assets) for each in oracle.requests])
    for request, (best, mine) in enumerate(zip(reachable.max(axis=0), taken, strict=True)):
        if best >= 0:
            assert mine == best, request
    assert len(set(taken)) >= 2 and (reachable.max(axis=0) >= 0).mean() > 0.8


def _accuracy(request: Any, assets: Any) -> float:
    table = assets.validation["toy"].table(())
    return float(table.correct[request.answers[-1][3]].mean())


def test_where_nothing_is_in_time_the_first_exit_is_run() -> None:
    for kind in ("link_oracle", "clairvoyant"):
        run = simulated(sparse({"it": {"type": kind}}, str(STEPS)), "it", 1.0)
        assert set(run.exits) == {0} and set(run.cuts) == {-1}


def test_oracles_across_two_models() -> None:
    models = {"toy": TOY, "big": {**TOY, "accuracy": [0.9, 0.95, 0.99], "state_bytes": [3000, 1, 1, 1]}}
    both = {"device": "toy", "server": "big"}
    policies = {
        "clairvoyant": {"type": "clairvoyant", "codecs": ["png"], "models": both},
        "image": {"type": "exits_then_image", "exits": [0, 1], "models": both},
        "server": {"type": "server_only", "model": "big"},
    }
    scenario = scenario_of(policies, "devices.camera.arrivals.rate_hz=0.2", "duration_s=300", models=models)
    assets = load_assets(scenario)
    for deadline_ms in (5.0, 12.0, 20.0):
        right = {name: simulated(scenario, name, deadline_ms, assets=assets).right() for name in policies}
        assert not (right["image"] & ~right["clairvoyant"]).any()
        assert not (right["server"] & ~right["clairvoyant"]).any()
    taken = simulated(scenario, "clairvoyant", 20.0, assets=assets)
    assert {each.answers[-1][2] for each in taken.requests} == {"toy", "big"}
