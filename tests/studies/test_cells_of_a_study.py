"""Which simulations a scenario asks for: once and thresholded, or anew for every deadline."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any, ClassVar

import numpy as np
import pytest
from small_runs import read, small

from edgesim.errors import InputError
from edgesim.policies.base import Needs, Policy, RequestView, View
from edgesim.policies.plans import to_exit
from edgesim.policies.steps import Step
from edgesim.scenario.scenario import Scenario
from edgesim.scenario.server_queues import ServerQueue
from edgesim.studies.cells import check_needs, needs_of, plan_cells, reacts_to_deadlines
from edgesim.studies.run import run_scenario

ANEW = {"best", "clairvoyant"}
DEADLINES = (5.0, 15.0, 30.0)


class Mean(Policy):
    """Goes by the mean deadline: deep where there is time."""

    needs: ClassVar[Needs] = Needs(deadline="distribution")

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        mean_s = self.facts.deadline_mean_s
        assert mean_s is not None
        return to_exit(self.facts.models["toy"].shape, 0 if mean_s < 0.01 else 2)


def deadlines_of(scenario: Scenario) -> dict[str, list[float | None]]:
    """The deadlines with which each policy is run, of one replication."""
    found: dict[str, list[float | None]] = {}
    for cell in plan_cells(scenario):
        if cell.replication == 0:
            found.setdefault(cell.policy, []).append(cell.axis_deadline_ms)
    return found


def test_who_uses_the_deadline_runs_anew() -> None:
    scenario = small()
    assert not reacts_to_deadlines(scenario)
    for name, deadlines in deadlines_of(scenario).items():
        assert deadlines == (list(DEADLINES) if name in ANEW else [None]), name
    cells = plan_cells(scenario)
    named = {(cell.policy, cell.axis_deadline_ms, cell.replication) for cell in cells}
    assert len(cells) == len(named) == 3 * (3 + 2 * 3)
    assert all(isnan(cell.key[1]) == (cell.axis_deadline_ms is None) for cell in cells)


@pytest.mark.parametrize("node", ["devices.camera", "servers.edge"])
def test_in_a_world_that_reacts_everybody_runs_anew(node: str) -> None:
    scenario = small(f"{node}.after_deadline=abort")
    assert reacts_to_deadlines(scenario)
    assert all(deadlines == list(DEADLINES) for deadlines in deadlines_of(scenario).values())


def test_a_server_that_acts_on_deadlines_is_such_a_world() -> None:
    scenario = small()
    edge = scenario.servers["edge"].model_copy(update={"queue": ServerQueue(order="edf")})
    assert reacts_to_deadlines(scenario.model_copy(update={"servers": {"edge": edge}}))


def test_without_an_axis_there_is_one_run_each() -> None:
    for after in ("abort", "continue"):
        scenario = small(f"devices.camera.after_deadline={after}", deadlines_ms=[])
        assert all(deadlines == [None] for deadlines in deadlines_of(scenario).values())


def test_needs_of_the_built_in_policies() -> None:
    scenario = small()
    needs = {name: needs_of(spec) for name, spec in scenario.policies.items()}
    assert needs["local"] == needs["neuro"] == needs["anytime"] == Needs()
    assert needs["best"] == Needs("distribution", statistics=True)
    assert needs["clairvoyant"].truth and needs["clairvoyant"].deadline == "exact"


@pytest.mark.parametrize(("known", "refused"), [("none", "best"), ("distribution", "clairvoyant"), ("exact", None)])
def test_unmet_needs_name_the_policy(known: str, refused: str | None) -> None:
    scenario = small(f"devices.camera.deadline.known={known}")
    if refused is None:
        check_needs(scenario)
        return
    with pytest.raises(InputError, match=f"policies.{refused}: .*found '{known}' at devices.camera.deadline.known"):
        check_needs(scenario)


def test_a_device_without_deadlines_gives_no_oracle_what_it_needs() -> None:
    with pytest.raises(InputError, match="needs a deadline whose knowledge is 'distribution', found 'none'"):
        check_needs(small("devices.camera.deadline=null", deadlines_ms=[]))


def test_thresholding_once_is_running_anew(no_plots: None, tmp_path: Any) -> None:
    """For a policy that ignores the deadline, in a world that does as well, both ways give the same curve."""
    policies = {"local": {"type": "device_only"}, "anytime": {"type": "anytime", "cut": 1, "codec": "int8"}}
    once = run_scenario(small(policies=policies), tmp_path)
    for deadline_ms in DEADLINES:
        anew = run_scenario(small(f"devices.camera.deadline.ms={deadline_ms}", policies=policies), tmp_path)
        for name in policies:
            curve = {point["deadline_ms"]: point for point in once.summary["policies"][name]["points"]}
            own = {point["deadline_ms"]: point for point in anew.summary["policies"][name]["points"]}[None]
            accuracy = curve[deadline_ms]["on_time_accuracy"]["mean"]
            assert accuracy == pytest.approx(own["on_time_accuracy"]["mean"], abs=1e-12)
            counted = read(anew.folder, "requests").query("policy == @name and counted")
            by_replication = counted.groupby("replication").correct.mean()
            assert accuracy == pytest.approx(by_replication.mean(), abs=1e-12)


def test_the_deadline_of_the_axis_reaches_the_policy(no_plots: None, tmp_path: Any) -> None:
    policies = {"mean": {"type": f"{__name__}:Mean"}}
    requests = read(run_scenario(small(policies=policies), tmp_path).folder, "requests")
    exits = requests.groupby("axis_deadline_ms").exit.unique()
    assert {deadline_ms: set(found) for deadline_ms, found in exits.items()} == {5: {0}, 15: {2}, 30: {2}}
    np.testing.assert_allclose(requests.deadline_s, requests.axis_deadline_ms / 1e3)
