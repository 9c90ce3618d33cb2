"""Regret: by hand, against sums over single requests, and as it is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_run import World, requests_of, scenario, write_run

from edgesim.results.plots import regret as plot
from edgesim.results.recorded import RecordedRun
from edgesim.results.regret import losses, regret
from edgesim.results.statistics import t_interval
from edgesim.results.summary import summarise

POLICIES = ["device_only", "neurosurgeon", "anytime", "link_oracle"]
LABELS = {"oracles": ["link_oracle"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    folder = tmp_path_factory.mktemp("run")
    return RecordedRun(World(folder, POLICIES, replications=3, devices=2, rate_hz=1.0, seed=4).write(LABELS))


@pytest.fixture(scope="module")
def summary(run: RecordedRun) -> dict[str, Any]:
    return summarise(run.folder, LABELS)


def test_by_hand() -> None:
    lost = {
        "always": {0: np.array([1.0, 1.0, 1.0]), 1: np.array([0.0, 0.0])},
        "never": {0: np.array([0.0, 1.0, 0.0]), 1: np.array([1.0, 1.0])},
        "seer": {0: np.array([0.0, 0.0, 0.0]), 1: np.array([0.0, 0.0])},
    }
    found = regret(lost, ["always", "never"])
    assert found.references == {0: "never", 1: "always"}
    assert found.curves["always"].tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert found.curves["never"].tolist() == [[0.0, 0.0], [1.0, 2.0]]
    assert found.curves["seer"].tolist() == [[0.0, -1.0], [0.0, 0.0]]


def test_losses_come_in_order_of_arrival(tmp_path: Path) -> None:
    """The requests stand in another order in the table; one of them does not count."""
    requests = requests_of(
        4, number=[2, 0, 1, 3], arrival_s=[30.0, 10.0, 20.0, 2.0], correct=[True, False, True, True],
        deadline_s=0.1, axis_deadline_ms=np.nan,
    )  # fmt: skip
    requests["counted"] = np.array([True, True, True, False])
    run = RecordedRun(write_run(tmp_path, scenario(deadlines_ms=None), requests=requests))
    assert losses(run, "a", None)[0].tolist() == [1.0, 0.0, 0.0]


def test_in_regression_the_error_is_lost(tmp_path: Path) -> None:
    requests = requests_of(2, arrival_s=[10.0, 20.0], error=[0.25, 2.0], missed_error=2.0, axis_deadline_ms=np.nan)
    run = RecordedRun(write_run(tmp_path, scenario(deadlines_ms=None), requests=requests))
    assert losses(run, "a", None)[0].tolist() == [0.25, 2.0]


@pytest.mark.parametrize(("deadline_ms", "lost"), [(50.0, [2.0, 3.0]), (100.0, [0.5, 3.0]), (300.0, [0.25, 1.0])])
def test_at_another_deadline_what_the_slot_held_is_lost(tmp_path: Path, deadline_ms: float, lost: list[float]) -> None:
    requests = requests_of(
        2, arrival_s=[10.0, 20.0], deadline_s=0.1, error=[0.5, 3.0], missed_error=[2.0, 3.0], axis_deadline_ms=np.nan
    )
    answers = {
        "number": [0, 0, 1], "counted": True, "time_s": [0.08, 0.2, 0.25], "deadline_s": 0.1, "depth": [0, 1, 0],
        "error": [0.5, 0.25, 1.0], "axis_deadline_ms": np.nan,
    }  # fmt: skip
    run = RecordedRun(write_run(tmp_path, scenario(), requests=requests, answers=answers))
    assert losses(run, "a", deadline_ms)[0] == pytest.approx(lost)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("deadline_ms", [20.0, 100.0, 400.0])
def test_what_is_lost_is_what_the_headline_lacks(run: RecordedRun, policy: str, deadline_ms: float) -> None:
    """However a policy was run: its mean loss in a replication is 1 - on-time accuracy."""
    point = next(point for point in run.points(policy) if point.deadline_ms == deadline_ms)
    lost = losses(run, policy, deadline_ms)
    assert list(lost) == list(point.replications)
    assert [1 - each.mean() for each in lost.values()] == pytest.approx(point.on_time_accuracy.tolist())


def test_every_policy_loses_the_same_requests(run: RecordedRun) -> None:
    counts = {tuple(len(each) for each in losses(run, name, 100.0).values()) for name in POLICIES}
    assert len(counts) == 1 and min(counts.pop()) > 50


def test_the_best_in_hindsight_has_no_regret_and_nobody_less(run: RecordedRun) -> None:
    lost = {name: losses(run, name, 100.0) for name in POLICIES}
    found = regret(lost, POLICIES)
    requests = {number: len(each) for number, each in lost["anytime"].items()}
    shortest = min(requests, key=lambda number: requests[number])
    assert found.curves[found.references[shortest]][shortest].tolist() == [0.0] * requests[shortest]
    assert min(curves[shortest, -1] for curves in found.curves.values()) == 0


def test_the_picture_shows_means_against_both_references(run: RecordedRun, summary: dict[str, Any]) -> None:
    drawn = plot.draw(run, summary)
    lost = {name: losses(run, name, 100.0) for name in POLICIES}
    references = (POLICIES[:3], ["link_oracle"])
    assert len(drawn.axes) == 2 and all(axes.get_xscale() == "log" for axes in drawn.axes)
    for axes, among in zip(drawn.axes, references, strict=True):
        expected = regret(lost, among)
        lines = {line.get_label(): line for line in axes.get_lines()}
        assert lines["link_oracle (oracle)"].get_linestyle() == "--"
        for policy in POLICIES:
            line = lines.get(policy) or lines[f"{policy} (oracle)"]
            steps = np.asarray(line.get_xdata())
            assert steps[0] == 1 and steps[-1] == expected.curves[policy].shape[1]
            means = [t_interval(expected.curves[policy][:, step - 1]).mean for step in steps]
            assert line.get_ydata() == pytest.approx(means)
    assert drawn.axes[1].get_title(loc="left") == "against the best oracle in hindsight: link_oracle"


def test_guides_grow_as_they_say(run: RecordedRun, summary: dict[str, Any]) -> None:
    axes = plot.draw(run, summary).axes[0]
    highest = max(line.get_ydata()[-1] for line in axes.get_lines() if not line.get_label().startswith("_"))
    shapes = {text.get_text(): text for text in axes.texts}
    assert shapes.keys() == {"√t", "log t"}
    guides = [line for line in axes.get_lines() if line.get_label().startswith("_") and len(line.get_xdata()) > 2]
    for guide, shape in zip(guides, (np.sqrt, np.log), strict=True):
        steps = np.asarray(guide.get_xdata())
        assert np.asarray(guide.get_ydata()) == pytest.approx(highest * shape(steps) / shape(steps[-1]))


def test_one_replication_and_one_policy_are_drawn(tmp_path: Path) -> None:
    requests = requests_of(5, arrival_s=np.arange(10.0, 15.0), correct=[True, False] * 2 + [True], deadline_s=0.1)
    run = write_run(tmp_path, scenario(deadlines_ms=None), requests={**requests, "axis_deadline_ms": np.nan})
    drawn = plot.draw(RecordedRun(run), summarise(run, {}))
    (axes,) = drawn.axes
    assert axes.get_lines()[0].get_ydata().tolist() == [0.0] * 5
    assert "one replication: no bands" in drawn.get_supxlabel().replace("\n", " ")
