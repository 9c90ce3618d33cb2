"""Regression in the results: on-time errors by hand, their intervals, comparisons, tables and plots."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from synthetic_run import requests_of, scenario, write_run
from test_metrics_page import PAGE, defined, keys

from edgesim.results.plots import headline
from edgesim.results.recorded import RecordedRun
from edgesim.results.statistics import image_weights, pool_interval
from edgesim.results.summary import point_at, summarise
from edgesim.results.terminal import print_summary

MISSED = np.array([2.5, 1.5, 2.5, 9.0])
"""Errors of the mean predictor, of images 0, 1, 0 and 2; the last request does not count."""


@pytest.fixture
def by_hand(tmp_path: Path) -> Path:
    """Request 0: off by 1 at 20 ms, by 0.25 at 80 ms, and by 7 from a shallower exit at 90 ms; request 1: off by 2,
    which is worse than no answer, at 60 ms; request 2: never answered; request 3 does not count."""
    requests = requests_of(
        4,
        axis_deadline_ms=np.nan,
        sample=[0, 1, 0, 2],
        deadline_s=0.1,
        end=["on_time", "on_time", "dropped", "on_time"],
        error=[0.25, 2.0, 2.5, 0.0],
        missed_error=MISSED,
    )
    requests["counted"] = np.array([True, True, True, False])
    answers = {
        "axis_deadline_ms": np.nan,
        "number": [0, 0, 0, 1, 3],
        "counted": [True, True, True, True, False],
        "time_s": [0.02, 0.08, 0.09, 0.06, 0.01],
        "deadline_s": 0.1,
        "depth": [0, 2, 1, 2, 2],
        "error": [1.0, 0.25, 7.0, 2.0, 0.0],
    }
    axis = scenario(deadlines_ms=[10.0, 50.0, 70.0, 100.0])
    return write_run(tmp_path, axis, requests=requests, answers=answers)


def test_a_missed_answer_scores_as_the_mean_of_the_training_data(by_hand: Path) -> None:
    points = {point.deadline_ms: point.on_time_error[0] for point in RecordedRun(by_hand).points("a")}
    assert points == pytest.approx(
        {
            10.0: (2.5 + 1.5 + 2.5) / 3,
            50.0: (1.0 + 1.5 + 2.5) / 3,
            70.0: (1.0 + 2.0 + 2.5) / 3,
            100.0: (0.25 + 2.0 + 2.5) / 3,
            None: (0.25 + 2.0 + 2.5) / 3,
        }
    )


def test_errors_are_kept_by_image(by_hand: Path) -> None:
    point = next(point for point in RecordedRun(by_hand).points("a") if point.deadline_ms == 50.0)
    assert point.error.tolist() == [[1.0 + 2.5, 1.5]] and point.asked.tolist() == [[2, 1]]


def test_the_summary_has_errors_beside_accuracies(by_hand: Path) -> None:
    summary = summarise(by_hand, {})
    assert summary["measure"] == "on_time_error"
    metrics = summary["policies"]["a"]["runs"][0]["metrics"]
    assert metrics["on_time_error"]["mean"] == pytest.approx(4.75 / 3)
    assert metrics["missed_error"]["mean"] == pytest.approx(6.5 / 3)
    assert point_at(summary["policies"]["a"], 10.0)["on_time_error"]["mean"] == pytest.approx(6.5 / 3)


def test_classification_has_no_errors(tmp_path: Path) -> None:
    run = write_run(tmp_path, scenario(), requests=requests_of(3, axis_deadline_ms=np.nan, deadline_s=0.1))
    summary = summarise(run, {})
    assert summary["measure"] == "on_time_accuracy"
    assert "on_time_error" not in keys(summary) and "missed_error" not in keys(summary)


def three_policies(folder: Path, replications: int = 5, axis_ms: float = 100.0) -> tuple[dict[str, Any], np.ndarray]:
    """``fine`` is off by less than ``rough``, and that by less than ``worst``; the summary, and the errors (policies,
    replications, requests)."""
    random = np.random.default_rng(4)
    count, policies = 40, ("fine", "rough", "worst")
    sample = random.integers(8, size=(replications, count))
    base = random.random((replications, count)) + 0.1 * sample
    more = 0.3 + 0.05 * random.random((replications, count))
    errors = np.stack([base, base + more, base + 2 * more])
    rows = errors.size
    requests = {
        "policy": np.repeat(policies, replications * count),
        "axis_deadline_ms": axis_ms,
        "replication": np.tile(np.repeat(np.arange(replications), count), 3),
        "number": np.tile(np.arange(count), 3 * replications),
        "sample": np.tile(sample.ravel(), 3),
        "counted": np.ones(rows, bool),
        "end": "on_time",
        "error": errors.ravel(),
        "missed_error": 2.0,
    }
    axis = [] if np.isnan(axis_ms) else [axis_ms]
    world = scenario(deadlines_ms=axis, policies={name: {} for name in policies})
    return summarise(write_run(folder, world, requests=requests), {}), errors


def test_the_policy_with_the_lower_error_is_better(tmp_path: Path) -> None:
    summary, errors = three_policies(tmp_path)
    pairs = [(difference["better"], difference["worse"]) for difference in summary["differences"]]
    assert pairs == [("fine", "rough"), ("fine", "worst"), ("rough", "worst")]
    difference = summary["differences"][0]
    apart = (errors[1] - errors[0]).mean(axis=1)
    assert difference["difference"]["mean"] == pytest.approx(apart.mean()) and apart.mean() > 0
    assert difference["difference"]["low"] < apart.mean() < difference["difference"]["high"]
    assert difference["distinguishable"]


def test_both_intervals_are_around_the_mean_error(tmp_path: Path) -> None:
    summary, errors = three_policies(tmp_path)
    value = point_at(summary["policies"]["fine"], 100.0)["on_time_error"]
    by_replication = errors[0].mean(axis=1)
    assert value["mean"] == pytest.approx(by_replication.mean())
    half = 2.7764451 * by_replication.std(ddof=1) / np.sqrt(5)  # Student's t of 4 degrees of freedom
    assert value["high"] - value["mean"] == pytest.approx(half)
    assert value["pool_high"] - value["mean"] > half


def test_errors_that_only_images_make_widen_the_interval_over_images_alone() -> None:
    """Each image is off by its own constant and asked once in every replication."""
    random = np.random.default_rng(0)
    of_image = random.exponential(size=200)
    error, asked = np.tile(of_image, (50, 1)), np.ones((50, 200), int)
    found = pool_interval(error, asked, image_weights(200, random), random)
    assert found.mean == pytest.approx(of_image.mean())
    expected = of_image.std() / np.sqrt(200) * np.sqrt(50 / 49) * 2.0096  # t of 49 degrees of freedom
    assert found.high - found.mean == pytest.approx(expected, rel=0.1)


def test_the_terminal_shows_errors_and_who_is_less_off(tmp_path: Path) -> None:
    summary, errors = three_policies(tmp_path)
    console = Console(width=80, record=True, file=StringIO())
    print_summary(summary, console)
    text = " ".join(console.export_text().split())
    assert "no answers at all: 2.000" in text
    assert "on-time mean absolute error by deadline" in text and "accuracy" not in text and "%)" not in text
    assert f"{errors[0].mean():.3f}±" in text and f"{errors[1].mean():.3f}±" in text
    assert f"fine is better than rough by {(errors[1] - errors[0]).mean():.4f} ±" in text
    assert "points" not in text and "fine is better than worst" in text and "rough is better" not in text


def test_the_headline_is_the_error_with_a_guide_where_nothing_is_answered(tmp_path: Path, by_hand: Path) -> None:
    summary = summarise(by_hand, {})
    axes = headline.draw(summary).axes[0]
    curve, guide = axes.get_lines()
    assert "error" in axes.get_ylabel()
    assert curve.get_ydata() == pytest.approx([6.5 / 3, 5 / 3, 5.5 / 3, 4.75 / 3])
    assert guide.get_ydata() == pytest.approx([6.5 / 3, 6.5 / 3])
    assert axes.get_ylim()[0] == 0 and axes.get_ylim()[1] > 6.5 / 3


def test_without_an_axis_the_headline_shows_errors_at_own_deadlines(tmp_path: Path) -> None:
    summary, errors = three_policies(tmp_path, axis_ms=np.nan)
    axes = headline.draw(summary).axes[0]
    assert "own deadlines" in axes.get_xlabel() and "error" in axes.get_xlabel()
    assert axes.get_lines()[0].get_xdata() == pytest.approx([errors[0].mean()])


def test_every_key_is_defined_on_the_page(by_hand: Path) -> None:
    section = PAGE.split("## summary.json")[1].split("## Columns")[0]
    assert keys(summarise(by_hand, {"oracles": [], "costs": {}})) <= defined(section)
