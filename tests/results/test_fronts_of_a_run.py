"""What accuracy costs in a run, read back from its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_run import World, requests_of, scenario, write_run

from edgesim.results.plots import fronts
from edgesim.results.plots.pareto import COSTS
from edgesim.results.summary import point_at, reference_run, summarise

POLICIES = ["device_only", "neurosurgeon", "anytime", "link_oracle"]
LABELS = {"oracles": ["link_oracle"]}


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("run")
    return summarise(World(folder, POLICIES, replications=3, devices=2, rate_hz=1.0, seed=4).write(LABELS), LABELS)


def test_a_point_is_what_the_summary_says_of_a_policy(summary: dict[str, Any]) -> None:
    drawn = fronts.draw(summary)
    assert [axes.get_xlabel() for axes in drawn.axes] == [label for label, _ in COSTS.values()]
    for axes, (cost, (_, factor)) in zip(drawn.axes, COSTS.items(), strict=True):
        points = {each.get_label(): each for each in axes.collections if each.get_label() in axes_labels(axes)}
        assert points.keys() == {"device_only", "neurosurgeon", "anytime", "link_oracle (oracle)"}
        for name, policy in summary["policies"].items():
            shown = points.get(name) or points[f"{name} (oracle)"]
            spent = reference_run(policy, 100.0)["metrics"][cost]["mean"]
            value = point_at(policy, 100.0)["on_time_accuracy"]["mean"]
            assert np.asarray(shown.get_offsets()) == pytest.approx(np.array([[factor * spent, value]]))
            assert (len(shown.get_facecolors()) == 0) == (name == "link_oracle")


def axes_labels(axes: Any) -> list[str]:
    return axes.get_legend_handles_labels()[1]


def test_bars_are_the_intervals(summary: dict[str, Any]) -> None:
    axes = fronts.draw(summary).axes[0]
    bars = [each.get_segments()[0][:, 1].tolist() for each in axes.collections if hasattr(each, "get_segments")]
    values = [point_at(policy, 100.0)["on_time_accuracy"] for policy in summary["policies"].values()]
    assert bars == [pytest.approx([value["low"], value["high"]]) for value in values]


def test_costs_that_nobody_has_get_no_panel(tmp_path: Path) -> None:
    requests = requests_of(3, latency_s=0.01, end="on_time", correct=True, deadline_s=0.1, axis_deadline_ms=np.nan)
    run = write_run(tmp_path, scenario(deadlines_ms=None), requests=requests)
    (axes,) = fronts.draw(summarise(run, {})).axes
    assert axes.get_xlabel() == "mean latency of the answered (ms)"


def test_nobody_answers(tmp_path: Path) -> None:
    requests = requests_of(3, latency_s=np.nan, end="unfinished", deadline_s=0.1, axis_deadline_ms=np.nan)
    run = write_run(tmp_path, scenario(deadlines_ms=None), requests=requests)
    drawn = fronts.draw(summarise(run, {}))
    drawn.draw_without_rendering()
    assert len(drawn.axes) == 1
