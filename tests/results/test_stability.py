from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic_run import requests_of, scenario, write_run

from edgesim.results.recorded import RecordedRun
from edgesim.results.stability import cut_off, full_nodes, growing_waits, trend


def queue_run(folder: Path, load: float, replications: int = 6) -> RecordedRun:
    """Waits of an M/M/1 queue with a mean service of 10 ms, by Lindley's recursion."""
    columns: dict[str, list] = {"replication": [], "arrival_s": [], "server_wait_s": [], "number": []}
    for replication in range(replications):
        random = np.random.default_rng([17, replication])
        gaps = random.exponential(0.01 / load, 6000)
        service = random.exponential(0.01, 6000)
        wait, waits = 0.0, []
        for gap, work in zip(gaps, service, strict=True):
            waits.append(wait)
            wait = max(0.0, wait + work - gap)
        columns["replication"] += [replication] * 6000
        columns["number"] += range(6000)
        columns["arrival_s"] += np.cumsum(gaps).tolist()
        columns["server_wait_s"] += waits
    requests = {**requests_of(len(columns["number"])), **columns, "axis_deadline_ms": np.nan}
    return RecordedRun(write_run(folder, scenario(), requests=requests))


@pytest.mark.parametrize("load", [0.5, 0.8, 0.9])
def test_a_stable_queue_is_not_warned_about(tmp_path: Path, load: float) -> None:
    run = queue_run(tmp_path, load)
    assert growing_waits(run.counted, list(range(6))) == []


@pytest.mark.parametrize("load", [1.1, 1.5])
def test_an_overloaded_queue_is_warned_about(tmp_path: Path, load: float) -> None:
    (warning,) = growing_waits(queue_run(tmp_path, load).counted, list(range(6)))
    assert "the servers" in warning and "without bound" in warning


def test_a_trend_by_hand() -> None:
    arrival_s = np.linspace(0.0, 9.0, 10)
    slope, before, after = trend(arrival_s, 0.5 * arrival_s)
    assert (slope, before, after) == pytest.approx((0.5, 0.5, 3.75))


def test_full_nodes_and_cut_off_requests_are_named() -> None:
    assert full_nodes({"edge": 1.0, "camera": 0.4}) == [
        "edge was busy 100.0% of the time: it is asked for as much as it can serve, or more"
    ]
    assert cut_off(0.0) == []
    assert "1.50%" in cut_off(0.015)[0]
