"""The static best: tuned on another seed and on validation images, for each deadline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_runs import BASE, small

import edgesim.studies.static_best as room
from edgesim.engine.world import Cell
from edgesim.errors import InputError
from edgesim.outcomes.table import Outcomes
from edgesim.policies.arms import Arm, all_arms, arm_paths
from edgesim.policies.fixed_arm import ArmSpec
from edgesim.studies.cells import plan_cells
from edgesim.studies.load import load_assets
from edgesim.studies.static_best import find_static_best, resolve

BEST = {"best": BASE["policies"]["best"]}


class Forbidden(dict[str, Outcomes]):
    """Test outcomes that must not be looked at."""

    def __getitem__(self, key: str) -> Outcomes:
        raise AssertionError("test images were used to tune")

    get = items = values = __iter__ = __getitem__  # type: ignore[assignment]


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, Any, Any]]:
    """(seed, replication, outcomes, deadline) of each world that the search builds."""
    built: list[tuple[int, int, Any, Any]] = []
    real = room.World

    def noted(scenario: Any, assets: Any, cell: Cell, clock: Any, recorder: Any, outcomes: Any) -> Any:
        built.append((scenario.seed, cell.replication, outcomes, cell.axis_deadline_ms))
        return real(scenario, assets, cell, clock, recorder, outcomes)

    monkeypatch.setattr(room, "World", noted)
    return built


@pytest.mark.parametrize("after", ["continue", "abort"])
def test_it_sees_the_calibration_seed_and_validation_images_only(
    worlds: list[tuple[int, int, Any, Any]], after: str
) -> None:
    scenario = small(f"devices.camera.after_deadline={after}", policies=BEST)
    assets = load_assets(scenario)
    found = find_static_best(scenario, replace(assets, test=Forbidden(), _places={}), "best")
    assert set(found) == {5.0, 15.0, 30.0}
    assert {seed for seed, *_ in worlds} == {100} and {replication for _, replication, *_ in worlds} == {0}
    assert all(outcomes is assets.validation for _, _, outcomes, _ in worlds)
    arms = 3 + 3 + (3 + 2)  # local exits; every exit for the image; those at or behind cuts 1 and 2
    assert len(worlds) == arms * (3 if after == "abort" else 1)


def test_neither_the_seed_nor_test_images_move_it() -> None:
    scenario = small(policies=BEST)
    assets = load_assets(scenario)
    found = find_static_best(scenario, assets, "best")
    assert find_static_best(scenario.model_copy(update={"seed": 4}), assets, "best") == found
    assert find_static_best(scenario, replace(assets, test=assets.validation, _places={}), "best") == found


def lone(*overrides: str) -> Any:
    """Requests that never meet, costs that never vary: every arm's latency is known."""
    return small(
        "devices.camera.arrivals={process: periodic, rate_hz: 0.5}",
        "duration_s=100",
        "models.toy.blocks_ms=[2, 4, 5]",
        "links.access.up={process: constant, rate_mbps: 20}",
        "links.access.headers=none",
        "deadlines_ms=[1, 2.3, 6.5, 8, 11.5, 100]",
        *overrides,
        policies=BEST,
    )


@pytest.mark.parametrize("after", ["continue", "abort"])
def test_each_deadline_has_its_own_best_arm(after: str) -> None:
    """Against latencies in closed form: the most accurate arm in time, of equals the one that is listed first."""
    scenario = lone(f"devices.camera.after_deadline={after}")
    assets = load_assets(scenario)
    blocks_ms, state_bytes = (2, 4, 5), (4000, 3000, 1500)
    accuracy = assets.validation["toy"].table(()).correct.mean(axis=1)
    paths = {"toy": arm_paths(assets.shapes["toy"], ("png", "int8"), "toy", "toy")}
    arms = all_arms(assets.shapes, paths, "toy", "toy")

    def latency_ms(arm: Arm) -> float:
        depth = arm.exit + 1
        if not arm.path:
            return sum(blocks_ms[:depth]) + 0.2
        cut = arm.path[0][0]
        there = 0.25 * (sum(blocks_ms[cut:depth]) + 0.2)
        return sum(blocks_ms[:cut]) + 8 * state_bytes[cut] / 20e3 + 2 + there + 8 * 8 / 20e3

    found = find_static_best(scenario, assets, "best")
    for deadline_ms in scenario.deadlines_ms:
        in_time = [arm for arm in arms if latency_ms(arm) <= deadline_ms]
        best = max(in_time, key=lambda arm: accuracy[arm.exit], default=arms[0])
        chosen = found[deadline_ms]
        assert chosen.exit == best.exit and (chosen in in_time or not in_time), deadline_ms
    assert found[1.0] == Arm("toy", (), 0), "the first listed where none is in time"
    assert found[2.3] == Arm("toy", (), 0) and found[100.0].exit == 2
    assert len({(arm.path, arm.exit) for arm in found.values()}) >= 3


def test_without_an_axis_the_own_deadlines_count() -> None:
    for deadline_ms, exit in ((2.3, 0), (100.0, 2)):
        scenario = lone(f"devices.camera.deadline.ms={deadline_ms}", "deadlines_ms=[]")
        found = find_static_best(scenario, load_assets(scenario), "best")
        assert list(found) == [None] and found[None].exit == exit


def test_drawn_deadlines_are_scaled_to_the_axis() -> None:
    """Thresholding one run at several deadlines is running each: here against the world that reacts."""
    drawn = "devices.camera.deadline={distribution: exponential, mean_ms: 20}"
    once, anew = (
        find_static_best(scenario, load_assets(scenario), "best")
        for scenario in (lone(drawn), lone(drawn, "devices.camera.after_deadline=abort"))
    )
    assert once == anew


def test_the_cells_carry_what_was_found() -> None:
    scenario = small()
    arm = Arm("toy", ((0, "png"),), 2)
    found = {"best": {5.0: arm, 15.0: arm, 30.0: Arm("toy", (), 1)}}
    specs = [resolve(cell, found).spec for cell in plan_cells(scenario) if cell.policy == "best"]  # type: ignore[arg-type]
    assert specs == [ArmSpec(arm)] * 6 + [ArmSpec(Arm("toy", (), 1))] * 3
    untouched = [cell for cell in plan_cells(scenario) if cell.policy != "best"]
    assert [resolve(cell, found) for cell in untouched] == untouched  # type: ignore[arg-type]


def test_a_calibration_on_a_reported_seed_is_refused() -> None:
    with pytest.raises(InputError, match="calibration_seed: found 5, allowed: none of the reported seeds 3 to 5"):
        small(policies={"best": {"type": "static_best", "calibration_seed": 5}})


def test_validation_and_test_answers_differ() -> None:
    """Otherwise nothing above could tell them apart."""
    assets = load_assets(small(policies=BEST))
    tables = [outcomes["toy"].table(()).prediction for outcomes in (assets.test, assets.validation)]
    assert not np.array_equal(*tables)
