"""On-time accuracy against the deadline, of policies that ignore it (the issue's third condition)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from little_worlds import EXPONENTIAL, assets_of, link, linked, run, toy, world

from edgesim.studies.run import run_scenario

MODEL = toy([3.0, EXPONENTIAL, 4.0], exits=[1, 2, 3], accuracy=[0.5, 0.7, 0.9], state_bytes=[2000, 1500, 500])
DEADLINES_MS = [1, 5, 10, 20, 30, 50, 80, 120, 200, 500, 100_000]
POLICIES: dict[str, Any] = {
    "local": {"type": "device_only"},
    "first": {"type": "device_only", "exit": 0},
    "split": {"type": "fixed_cut", "cut": 1, "codec": "int8"},
    "image": {"type": "server_only"},
}


def test_a_one_answer_policy_that_ignores_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its curve does not fall, and ends at the accuracy of the samples that were drawn."""
    monkeypatch.setattr("edgesim.results.plots.draw_all", lambda *_: None)
    scenario = world(
        models={"toy": MODEL},
        devices={"cam": linked(30, count=2)},
        links={"l": link(4, 4, delay_ms=5)},
        policies=POLICIES,
        deadlines_ms=DEADLINES_MS,
        replications=3,
        duration_s=10,
        warmup_s=1,
    )
    table = assets_of(scenario).test["toy"].table(())
    finished = run_scenario(scenario, tmp_path)
    rows = pq.read_table(finished.folder / "requests.parquet").to_pandas()
    assert rows.axis_deadline_ms.isna().all()
    for name, spec in POLICIES.items():
        own = rows[(rows.policy == name) & rows.counted]
        drawn = [table.correct[spec.get("exit", 2), part["sample"]].mean() for _, part in own.groupby("replication")]
        curve = [
            [(part.correct & (part.latency_s <= ms / 1e3 + 1e-9)).mean() for _, part in own.groupby("replication")]
            for ms in DEADLINES_MS
        ]
        assert (np.diff(curve, axis=0) >= 0).all()
        assert curve[-1] == pytest.approx(drawn, abs=1e-12)
        assert np.mean(curve[0]) == 0 or name == "first"
        shown = [point["on_time_accuracy"]["mean"] for point in points_of(finished.summary, name)]
        assert shown == pytest.approx(np.mean(curve, axis=1).tolist(), abs=1e-12)


def points_of(summary: dict[str, Any], policy: str) -> list[dict[str, Any]]:
    points = [point for point in summary["policies"][policy]["points"] if point["deadline_ms"] is not None]
    return sorted(points, key=lambda point: point["deadline_ms"])


def test_a_run_at_a_deadline_equals_the_one_thresholded_afterwards() -> None:
    """In a world that does not react, whichever way the axis is gone along."""
    scenario = world(
        models={"toy": MODEL}, links={"l": link(4, 4, delay_ms=5)}, policies=POLICIES, devices={"cam": linked(30)}
    )
    whole = run(scenario, policy="split").requests
    for ms in (10, 30, 60):
        anew = run(scenario, policy="split", deadline_ms=ms).requests
        in_time = whole.latency_s <= ms / 1e3 + 1e-9
        assert ((anew.end == "on_time") == in_time).all()
        assert (anew.correct == (whole.correct & in_time)).all()
        assert anew.latency_s.equals(whole.latency_s)
