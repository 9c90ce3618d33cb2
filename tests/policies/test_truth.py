"""What oracles are told is what then happens: the true finish of every arm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from small_worlds import STEPS, TOY, Ran, scenario_of, simulated

from edgesim.engine.assets import Assets
from edgesim.engine.request import DEVICE_WAIT, DOWNLINK_WAIT, UPLINK_WAIT
from edgesim.errors import InputError
from edgesim.outcomes.path import Path
from edgesim.outcomes.synthetic import synthetic_outcomes
from edgesim.policies.arms import Arm, all_arms, arm_paths, device_steps, server_steps
from edgesim.policies.base import Facts, ModelShape, Needs, Policy, RequestView, View
from edgesim.policies.plans import to_exit
from edgesim.policies.steps import Step
from edgesim.profiling.costs import ModelCosts
from edgesim.profiling.profile import shipped_profile
from edgesim.scenario.scenario import Scenario
from edgesim.studies.load import load_assets

CODECS = ("png", "int8")
AR1 = {
    "process": "ar1",
    "mean_mbps": 5,
    "cv": 0.8,
    "correlation_1s": 0.5,
    "outage_share": 0.1,
    "outage_mean_s": 0.1,
    "step_ms": 20,
}


class Taker(Policy):
    """Takes arm number ``take`` for every request, and notes when the truth says that it will finish."""

    needs: ClassVar[Needs] = Needs(truth=True)
    foretold: ClassVar[dict[str, list[float]]] = {}
    right: ClassVar[list[bool]] = []

    def __init__(self, models: Sequence[str], take: int) -> None:
        super().__init__(models)
        self.take = take

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return arm_paths(model, CODECS, self.start_model, self.server_model)

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        shapes = {name: model.shape for name, model in facts.models.items()}
        self.arm = arms_of(shapes, self.start_model, self.server_model)[self.take]
        self.here = device_steps(self.arm, shapes, facts.server, self.start_model)
        self.there = server_steps(self.arm, shapes)
        self.shapes = shapes

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        if self.facts.is_device:
            self.note("device", view.truth.finish_s(self.here, self.there))
            self.right.append(view.truth.correct(self.arm.model, self.arm.path, self.arm.exit))
            return self.here
        steps = to_exit(self.shapes[request.model], self.arm.exit)
        self.note("server", view.truth.finish_s((), steps))
        return steps

    def note(self, where: str, finish_s: float) -> None:
        self.foretold.setdefault(where, []).append(finish_s)


def arms_of(shapes: Mapping[str, ModelShape], start: str, server: str) -> list[Arm]:
    return all_arms(
        shapes, {name: arm_paths(shape, CODECS, start, server) for name, shape in shapes.items()}, start, server
    )


def takers(count: int, models: dict[str, str] | None = None) -> dict[str, Any]:
    kind = f"{__name__}:Taker"
    return {str(take): {"type": kind, "options": {"take": take}, "models": models} for take in range(count)}


def check_every_arm(scenario: Scenario, assets: Assets) -> None:
    """Each arm's foretold finishes, on the device and at the server, are those that happen."""
    arms = arms_of(assets.shapes, *scenario.models_of("0"))
    assert len(scenario.policies) == len(arms) > 3
    for take, arm in enumerate(arms):
        Taker.foretold.clear()
        Taker.right.clear()
        ran = simulated(scenario, str(take), assets=assets)
        assert len(ran) >= 8 and lonely(ran)
        finished_s = ran.column(lambda each: each.answers[0][0]).tolist()
        for where in ("device", "server") if arm.path else ("device",):
            assert Taker.foretold[where] == pytest.approx(finished_s, rel=0, abs=1e-9), (arm, where)
        assert Taker.right == ran.column(lambda each: each.answers[0][4].correct).tolist(), arm
        assert {(each.answers[0][2], each.answers[0][3]) for each in ran.requests} == {(arm.model, arm.exit)}


def lonely(ran: Ran) -> bool:
    """Whether no request waited for another."""
    waits = [[each.sums[stage] for stage in (DEVICE_WAIT, UPLINK_WAIT, DOWNLINK_WAIT)] for each in ran.requests]
    return not any(map(any, waits))


WORLDS = {
    "steps, headers": ["duration_s=40", f"links.access.up={STEPS}"],
    "outages": ["duration_s=40", f"links.access.up={AR1}", f"links.access.down={AR1}"],
    "cell": ["duration_s=40", "links.access.sharing=cell", f"links.access.up={STEPS}"],
    "no headers": ["duration_s=40", "links.access.headers=none", "links.access.delay_ms=0"],
    "batches": ["duration_s=40", "servers.edge.batch={max_size: 4, max_wait_ms: 3}"],
    "random blocks": [
        "duration_s=40",
        "models.toy.blocks_ms=[{distribution: exponential, mean_ms: 2},3,4,{distribution: erlang, k: 2, mean_ms: 5}]",
        "servers.edge.workers=2",
    ],
}


@pytest.mark.parametrize("overrides", WORLDS.values(), ids=WORLDS.keys())
def test_the_true_finish_is_the_actual_one(overrides: list[str]) -> None:
    scenario = scenario_of(takers(13), "devices.camera.arrivals.rate_hz=0.2", *overrides)
    check_every_arm(scenario, load_assets(scenario))


def test_with_two_models() -> None:
    models = {"toy": TOY, "big": {**TOY, "blocks_ms": [9, 8, 7], "exits": [2, 3], "branch_ms": 1.0}}
    models["big"] |= {"state_bytes": [4000, 1, 1], "accuracy": [0.5, 0.95]}
    scenario = scenario_of(
        takers(12, {"device": "toy", "server": "big"}), "devices.camera.arrivals.rate_hz=0.2", models=models
    )
    check_every_arm(scenario, load_assets(scenario))


@pytest.mark.parametrize("batch", ["{max_size: 1}", "{max_size: 4, max_wait_ms: 2}"])
def test_with_measured_costs(batch: str) -> None:
    """Whole rows, overheads, preprocessing, codecs, waking processors and decision times included."""
    costs = ModelCosts(shipped_profile("fashion_vit"))
    shape = ModelShape("fashion", costs.num_blocks, costs.exits, costs.cuts)
    arms = arms_of({"fashion": shape}, "fashion", "fashion")
    arms = arms[:: max(1, len(arms) // 12)]
    numbers = [arms_of({"fashion": shape}, "fashion", "fashion").index(arm) for arm in arms]
    scenario = scenario_of(
        {str(take): {"type": f"{__name__}:Taker", "options": {"take": take}} for take in numbers},
        "duration_s=60",
        "devices.camera.arrivals.rate_hz=0.2",
        "devices.camera.processor.factor=30",
        f"links.access.up={STEPS}",
        f"servers.edge.batch={batch}",
        models={"fashion": {"source": "zoo", "name": "fashion_vit"}},
        data={"source": "shipped"},
    )
    sizes = [700 + 100 * cut for cut in range(shape.num_blocks)]
    paths = [arm.path for arm in arms_of({"fashion": shape}, "fashion", "fashion") if arm.path]
    accuracy = [0.5 + 0.05 * index for index in range(len(shape.exits))]
    made = {
        split: {"fashion": synthetic_outcomes("fashion", shape.exits, accuracy, 0.5, 300, sizes, paths, 3, split)}
        for split in ("test", "validation")
    }
    decisions = {"user": [1e-5, 2e-5, 4e-5]}
    assets = Assets({"fashion": shape}, {"fashion": costs}, made["test"], made["validation"], decisions)
    for take, arm in zip(numbers, arms, strict=True):
        Taker.foretold.clear()
        ran = simulated(scenario, str(take), assets=assets)
        finished_s = ran.column(lambda each: each.answers[0][0]).tolist()
        for where in ("device", "server") if arm.path else ("device",):
            assert Taker.foretold[where] == pytest.approx(finished_s, rel=0, abs=1e-9), (arm, where)
    assert any(arm.path and arm.path[0][0] for arm in arms) and any(arm.path == (((0, "png"),)) for arm in arms)


def test_a_label_along_a_path_that_nobody_declared_is_refused() -> None:
    scenario = scenario_of(takers(1))
    truth = simulated(scenario, "0").world.devices[0].view.truth
    with pytest.raises(InputError, match="was not executed along 3:int4"):
        truth.correct("toy", ((3, "int4"),), 2)


def test_a_cost_that_is_off_would_be_noticed() -> None:
    scenario = scenario_of(takers(13), "devices.camera.arrivals.rate_hz=0.2", "duration_s=40")
    assets = load_assets(scenario)
    wrong = replace(assets, decision_s={"user": [1e-6]}, _on={}, _places={})
    wrong_costs = {"toy": assets.costs["toy"].scaled(1 + 1e-6, 1.0, "off")}
    Taker.foretold.clear()
    simulated(scenario, "2", assets=replace(wrong, costs=wrong_costs))
    foretold = Taker.foretold["device"]
    finished_s = simulated(scenario, "2", assets=assets).column(lambda each: each.answers[0][0]).tolist()
    assert foretold != pytest.approx(finished_s, rel=0, abs=1e-9)
