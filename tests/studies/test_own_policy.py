"""The example of a user's own policy does what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import BASE, read

from edgesim.errors import InputError
from edgesim.network.headers import wire_bytes
from edgesim.policies.registry import user_class
from edgesim.results.summary import point_at
from edgesim.scenario.load import build_scenario, load_scenario
from edgesim.studies.cells import check_needs, needs_of
from edgesim.studies.run import run_scenario

FOLDER = Path(__file__).parents[2] / "scenarios"


def test_the_example_loads() -> None:
    scenario = load_scenario(FOLDER / "own_policy.yaml")
    check_needs(scenario)
    spec: Any = scenario.policies["second_opinion"]
    assert user_class(spec).__name__ == "SecondOpinion" and needs_of(spec).deadline == "exact"


def test_the_example_runs_as_it_stands(no_plots: None, tmp_path: Path) -> None:
    scenario = load_scenario(FOLDER / "own_policy.yaml", ["replications=2"])
    run = run_scenario(scenario, tmp_path)
    points = {name: point_at(policy, 50.0) for name, policy in run.summary["policies"].items()}
    accuracy = {name: point["on_time_accuracy"]["mean"] for name, point in points.items()}
    assert accuracy["second_opinion"] > accuracy["first_exit"] + 0.15
    assert accuracy["second_opinion"] > accuracy["always_ask"] - 0.05
    sent = {name: policy["runs"][0]["metrics"]["bytes_up"]["mean"] for name, policy in run.summary["policies"].items()}
    assert sent["second_opinion"] < 0.7 * sent["always_ask"]
    assert run.manifest["labels"]["oracles"] == []


@pytest.mark.parametrize("deadline_ms", [4.0, 12.0, 200.0])
def test_it_asks_where_time_allows(no_plots: None, tmp_path: Path, deadline_ms: float) -> None:
    """On a synthetic model, where times are plain: request by request what the policy's words say."""
    world = {**BASE, "links": {"access": {**BASE["links"]["access"], "up": {"process": "constant", "rate_mbps": 8}}}}
    policy = {"type": "my_policy.py:SecondOpinion", "options": {"sure": 0.9, "margin": 1.0}}
    world |= {"policies": {"mine": policy}, "deadlines_ms": [], "replications": 1}
    overrides = (
        "models.toy.blocks_ms=[2, 4, 5]",
        f"devices.camera.deadline.ms={deadline_ms}",
        "devices.camera.arrivals={process: periodic, rate_hz: 2}",
    )
    requests = read(run_scenario(build_scenario(world, FOLDER, overrides), tmp_path).folder, "requests")
    expected_s = 8 * wire_bytes(4000, "tcp") / 8e6 + 2 * 0.001 + 0.25 * 0.0112
    asks = expected_s <= deadline_ms / 1e3 - 0.0022
    unsure = requests.answers > 1
    assert 0.3 < unsure.mean() < 1, "some are sure"
    assert set(requests[unsure].cut) == ({0} if asks else {3})
    assert set(requests[~unsure].cut) == {3} and (requests[~unsure].bytes_up == 0).all()
    np.testing.assert_allclose(requests.latency_s, 0.0022, atol=1e-9)


BUGGY = """\
from edgesim.policies.base import Policy

class Buggy(Policy):
    def next_steps(self, request, view):
        return self.helper(view)

    def helper(self, view):
        return view.queue_len
"""


def test_a_mistake_in_a_policy_is_told_by_its_line(no_plots: None, tmp_path: Path) -> None:
    (tmp_path / "buggy.py").write_text(BUGGY)
    scenario = build_scenario({**BASE, "policies": {"mine": {"type": "buggy.py:Buggy"}}}, tmp_path)
    with pytest.raises(InputError, match=r"policies.mine: .*buggy.py:8: in helper: AttributeError: .*queue_len"):
        run_scenario(scenario, tmp_path / "runs")
