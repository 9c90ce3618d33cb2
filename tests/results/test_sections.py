"""One long replication: intervals by batch means in place of none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_run import requests_of, scenario, write_run

from edgesim.results.batch_means import batch_interval
from edgesim.results.measures import measures_of
from edgesim.results.recorded import RecordedRun
from edgesim.results.sections import Sections
from edgesim.results.summary import summarise

REQUESTS, EARLY = 6000, 500
DEVICES: dict[str, Any] = {
    "camera": {"deadline": {"distribution": "fixed", "ms": 100.0}, "arrivals": {"process": "poisson", "rate_hz": 50.0}}
}


def correlated(random: np.random.Generator, requests: int) -> np.ndarray:
    return np.convolve(random.normal(size=requests + 9), np.ones(10) / np.sqrt(10), "valid")


def written(folder: Path, requests: int = REQUESTS, **changes: Any) -> Path:
    """A policy that was run once, rows in no order of time, the first of them not counted; all answered at once."""
    random = np.random.default_rng(1)
    latency_s = 0.1 * np.exp(0.3 * correlated(random, requests))
    order = random.permutation(requests)
    rows = {
        "number": np.arange(requests),
        "counted": np.arange(requests) >= EARLY,
        "arrival_s": np.linspace(0.0, 65.0, requests),
        "axis_deadline_ms": np.full(requests, np.nan),
        "sample": np.arange(requests) % 50,
        "deadline_s": np.full(requests, 0.1),
        "latency_s": latency_s,
        "end": np.where(latency_s <= 0.1, "on_time", "late"),
        "correct": latency_s <= 0.1,
        "answers": np.ones(requests, int),
    }
    rows = {name: values[order] for name, values in rows.items()}
    answers = {name: rows[name] for name in ("number", "counted", "axis_deadline_ms", "deadline_s")}
    answers |= {"time_s": rows["latency_s"], "correct": np.ones(requests, bool)}
    shuffled = random.permutation(requests)
    answers = {name: values[shuffled] for name, values in answers.items()}
    world = scenario(**{"devices": DEVICES, "replications": 1, "deadlines_ms": [80.0, 100.0], **changes})
    return write_run(folder, world, requests=rows, answers=answers)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def summary(folder: Path) -> dict:
    return summarise(folder, {})


def in_order(folder: Path) -> np.ndarray:
    counted = RecordedRun(folder).counted
    return counted.column("latency_s")[np.argsort(counted.column("arrival_s"))]


def test_means_have_the_interval_of_batches_in_order_of_arrival(folder: Path, summary: dict) -> None:
    metrics = summary["policies"]["a"]["runs"][0]["metrics"]
    assert summary["method"] == "batch_means"
    for name, values in (("latency_mean_s", in_order(folder)), ("miss_ratio", in_order(folder) > 0.1)):
        found = metrics[name]
        assert (found["mean"], found["low"], found["high"]) == pytest.approx(batch_interval(values.astype(float)))


def test_points_of_the_axis_have_theirs_from_the_answers(folder: Path, summary: dict) -> None:
    for place, deadline_s in ((0, 0.1), (1, 0.08), (2, 0.1)):
        point = summary["policies"]["a"]["points"][place]
        expected = batch_interval((in_order(folder) <= deadline_s).astype(float))
        for name in ("low", "high"):
            assert point["on_time_accuracy"][name] == pytest.approx(getattr(expected, name))
        assert point["on_time_accuracy"]["pool_low"] is None
    assert len(summary["policies"]["a"]["points"]) == 3


def test_rates_and_quantiles_of_too_short_sections_have_none(summary: dict) -> None:
    """5,500 requests: 275 in a batch, enough for a median and no more."""
    metrics = summary["policies"]["a"]["runs"][0]["metrics"]
    assert metrics["throughput_hz"]["low"] is metrics["latency_p95_s"]["low"] is metrics["latency_p99_s"]["low"] is None
    median = metrics["latency_p50_s"]
    assert median["low"] < median["mean"] < median["high"]


@pytest.mark.parametrize(
    "changes",
    [
        {"requests": EARLY + 1999},
        {"devices": {"camera": {**DEVICES["camera"], "arrivals": {"process": "diurnal"}}}},
        {"devices": {"camera": {**DEVICES["camera"], "battery": {"capacity_j": 1.0}}}},
        {"devices": {"camera": {**DEVICES["camera"], "processor": {"load": {"process": "trace"}}}}},
        {"links": {"access": {"up": {"process": "trace"}, "down": {"process": "constant"}}}},
        {"events": {"fault": {"at_s": 3.0}}},
    ],
    ids=["short", "day", "battery", "load", "trace", "event"],
)
def test_a_short_or_changing_world_has_no_intervals(tmp_path: Path, changes: dict[str, Any]) -> None:
    summary = summarise(written(tmp_path, **changes), {})
    assert summary["method"] == "replications"
    assert summary["policies"]["a"]["points"][0]["on_time_accuracy"]["low"] is None


def test_a_world_that_stays_the_same_may_have_faults_again_and_again(tmp_path: Path) -> None:
    steady = {"up": {"process": "ar1"}, "down": {"process": "constant"}}
    folder = written(tmp_path, links={"access": steady}, events={"faults": {"at_s": None}})
    assert Sections.fit(RecordedRun(folder))


def test_a_run_that_varies_too_slowly_has_no_interval(tmp_path: Path) -> None:
    latency_s = 1 + np.sin(np.linspace(0, 12, REQUESTS))
    requests = requests_of(REQUESTS, axis_deadline_ms=np.nan, latency_s=latency_s, arrival_s=np.arange(REQUESTS) / 92)
    summary = summarise(write_run(tmp_path, scenario(devices=DEVICES, replications=1), requests=requests), {})
    assert summary["method"] == "batch_means"
    assert summary["policies"]["a"]["runs"][0]["metrics"]["latency_mean_s"]["low"] is None


def test_sections_measure_what_runs_measure(folder: Path) -> None:
    sections, whole = Sections(RecordedRun(folder)), measures_of(RecordedRun(folder)).metrics
    for name, values in whole.items():
        assert sections.of_metric("a", None, name, float(values[0])).mean == values[0] or np.isnan(values[0])
    assert {name for name in whole if not name.endswith("_hz")} == set(sections._coarse.metrics)
