"""MSER-5 on a run's latencies: it says so where a warm-up is counted, and is silent otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_run import scenario, write_run

from edgesim.results.recorded import RecordedRun
from edgesim.results.summary import summarise
from edgesim.results.warmup import warmup_notes

REPLICATIONS, REQUESTS, DURATION_S = 5, 2000, 65.0
STEADY: dict[str, Any] = {"camera": {"arrivals": {"process": "poisson"}}}


def written(folder: Path, excess: float, fades_s: float = 3.0, warmup_s: float = 5.0, **changes: Any) -> Path:
    """Latencies, correlated over 10 requests, that begin ``excess`` too long and settle exponentially."""
    random = np.random.default_rng(2)
    arrival_s = np.tile(np.linspace(0, DURATION_S, REQUESTS), REPLICATIONS)
    noise = np.convolve(random.normal(size=REPLICATIONS * REQUESTS + 9), np.ones(10) / 10, "valid")
    rows = {
        "replication": np.repeat(np.arange(REPLICATIONS), REQUESTS),
        "number": np.tile(np.arange(REQUESTS), REPLICATIONS),
        "axis_deadline_ms": np.nan,
        "arrival_s": arrival_s,
        "counted": arrival_s >= warmup_s,
        "latency_s": 1.0 + 0.1 * noise + excess * np.exp(-arrival_s / fades_s),
        "deadline_s": 2.0,
        "end": "on_time",
    }
    world = scenario(**{"devices": STEADY, "replications": REPLICATIONS, "warmup_s": warmup_s, **changes})
    return write_run(folder, world, requests=rows)


def notes(folder: Path) -> list[str]:
    return list(warmup_notes(RecordedRun(folder)))


def test_a_warm_up_that_is_counted_is_noted_and_changes_no_number(tmp_path: Path) -> None:
    (note,) = notes(written(tmp_path / "late", excess=1.0, warmup_s=2.0))
    assert note.startswith("a: the first ") and "MSER-5" in note and "warmup_s is 2" in note
    assert 6.0 < float(note.split("first ")[1].split(" s ")[0]) < 20.0
    summary = summarise(tmp_path / "late", {})
    latency_s = RecordedRun(tmp_path / "late").counted.column("latency_s")
    assert note in summary["warnings"]
    assert summary["policies"]["a"]["runs"][0]["metrics"]["latency_mean_s"]["mean"] == pytest.approx(latency_s.mean())


def test_nothing_is_said_where_the_warm_up_was_cut_or_there_is_none(tmp_path: Path) -> None:
    assert notes(written(tmp_path / "cut", excess=1.0, warmup_s=20.0)) == []
    assert notes(written(tmp_path / "none", excess=0.0, warmup_s=0.0)) == []


def test_a_run_that_does_not_settle_is_too_short(tmp_path: Path) -> None:
    (note,) = notes(written(tmp_path, excess=1.0, fades_s=60.0))
    assert "too short" in note


def test_nothing_is_said_of_a_world_that_changes(tmp_path: Path) -> None:
    devices = {"camera": {"arrivals": {"process": "trace"}}}
    assert notes(written(tmp_path, excess=1.0, warmup_s=2.0, devices=devices)) == []


def test_steady_noise_raises_few_alarms() -> None:
    """Of 300 runs without a warm-up, in latencies that remember 50 requests, at most 3 % are said to have one."""
    from edgesim.results.mser import mser5
    from edgesim.results.warmup import _differ

    random, alarms, cuts = np.random.default_rng(3), 0, 0
    for _ in range(300):
        values = np.convolve(random.normal(size=2049), np.ones(50) / 50, "valid")
        cut = mser5(values).observations
        cuts += cut > 100
        alarms += cut > 100 and _differ(values[:cut], values[cut:])
    assert alarms <= 9
    assert cuts > 30, "MSER-5 alone would raise that many"


def test_the_first_few_requests_are_no_warm_up_because_they_are_few() -> None:
    """Seven requests vary more than a batch of 160 does."""
    from edgesim.results.warmup import _differ

    random = np.random.default_rng(4)
    alarms = [_differ(random.exponential(size=7), random.exponential(size=3200)) for _ in range(300)]
    assert np.mean(alarms) < 0.03
