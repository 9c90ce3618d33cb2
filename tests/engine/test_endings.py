"""Every request ends exactly once, as on time, late, dropped or unfinished (rule 5)."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from little_worlds import EXPONENTIAL, assets_of, device, link, linked, read, run, toy, world

from edgesim.engine.simulation import recorder_for, simulate
from edgesim.engine.world import Cell, replication_root
from edgesim.workload.arrivals import arrival_times

CROWDED: dict[str, Any] = {
    "models": {
        "toy": toy([3.0, EXPONENTIAL, 4.0], exits=[1, 2, 3], accuracy=[0.5, 0.7, 0.9], state_bytes=[2000, 1500, 500])
    },
    "links": {
        "l": link({"process": "steps", "steps": [[0, 2], [4, 0], [5, 0.3]], "ends": "loop"}, 1, delay_ms=5),
        "c": link(3, 3, delay_ms=5, sharing="cell"),
    },
    "servers": {
        "edge": {"after_deadline": "abort", "processor": {"factor": 2}},
        "far": {"workers": 2, "batch": {"max_size": 4, "max_wait_ms": 5}},
    },
    "duration_s": 12,
    "warmup_s": 1,
    "drain_s": 0.05,
}


def crowd() -> dict[str, Any]:
    uniform = {"distribution": "uniform", "low_ms": 10, "high_ms": 120}
    return {
        "a": linked(
            60,
            count=2,
            processor={"factor": 4},
            deadline=uniform,
            after_deadline="abort",
            queue={"order": "fifo", "bound": 2},
        ),
        "b": linked(60, link="c", server="far", deadline=uniform, queue={"order": "drop_oldest", "bound": 3}),
        "c": linked(40, link="c", server="edge", deadline=uniform, queue={"order": "newest", "bound": 2}),
    }


POLICIES = {
    "fixed": {"type": "fixed_cut", "cut": 1, "codec": "int8"},
    "image": {"type": "server_only", "codec": "png"},
    "local": {"type": "device_only"},
    "anytime": {"type": "anytime", "cut": 2},
    "random": {"type": "random"},
    "early": {"type": "thresholds", "threshold": 0.8, "cut": 1},
    "hedge": {"type": "little_policies:Hedge"},
    "cancel": {"type": "little_policies:HedgeThenCancel"},
    "neuro": {"type": "neurosurgeon"},
    "gives-up": {"type": "little_policies:GiveEveryOtherUp"},
}


@pytest.mark.parametrize("policy", POLICIES)
def test_none_is_lost_and_none_ends_twice(policy: str) -> None:
    scenario = world(devices=crowd(), policies=POLICIES, **CROWDED)
    tables = run(scenario, policy=policy)
    rows, root = tables.requests, replication_root(scenario.seed, 0)
    for name, spec in (("a-0", "a"), ("a-1", "a"), ("b-0", "b"), ("c-0", "c")):
        own = rows[rows.device == name].sort_values("number")
        times = list(takewhile(lambda time_s: time_s < 12, arrival_times(scenario.devices[spec].arrivals, root, name)))
        assert own.number.tolist() == list(range(len(times)))
        assert own.arrival_s.values == pytest.approx(np.array(times), rel=1e-12)
    assert set(rows.end) <= {"on_time", "late", "dropped", "unfinished"}
    answered = rows.answers > 0
    assert (answered == rows.end.isin(["on_time", "late"])).all()
    assert (rows.latency_s.notna() == answered).all()
    assert ((rows.latency_s <= rows.deadline_s + 1e-9) == (rows.end == "on_time")).all()
    assert ((rows.reason == "") == answered).all()
    assert set(rows.reason) <= {"", "queue full", "deadline", "cancelled", "end of run", "not wanted"}
    assert ((rows.end == "unfinished") == (rows.reason == "end of run")).all()
    assert (rows.counted == (rows.arrival_s >= 1)).all()
    assert (tables.answers.groupby(["device", "number"]).size().sort_values() > 0).all()
    assert len(tables.answers) == rows.answers.sum()


def test_each_way_to_end_occurs() -> None:
    rows = run(world(devices=crowd(), policies=POLICIES, **CROWDED), policy="fixed").requests
    assert set(rows.end) == {"on_time", "late", "dropped", "unfinished"}
    assert {"queue full", "deadline", "cancelled", "end of run"} <= set(rows.reason)


def test_nothing_happens_behind_the_cap() -> None:
    """A device that is overloaded twice: what does not come by T + drain is unfinished, and was not answered."""
    scenario = world(devices={"cam": device(200)}, policies={"p": {"type": "device_only"}}, duration_s=10, drain_s=2)
    rows = run(scenario).requests
    answered_s = rows.arrival_s + rows.latency_s
    assert answered_s.max() < 12
    assert answered_s.max() > 11.9
    assert 0.3 < (rows.end == "unfinished").mean() < 0.5
    assert rows.arrival_s.max() < 10


@pytest.mark.parametrize("policy", ["fixed", "hedge"])
def test_simulate_records_what_these_tests_see(tmp_path: Path, policy: str) -> None:
    """The engine's own way to run a cell, cap included, against the one that the tests of the engine take."""
    scenario = world(devices=crowd(), policies=POLICIES, **CROWDED)
    assets = assets_of(scenario)
    recorder = recorder_for(scenario, assets, tmp_path)
    simulate(scenario, assets, Cell(policy, scenario.policies[policy], None, 0), recorder, assets.test)
    recorder.close()
    tables = run(scenario, assets, policy)
    rows = read(tmp_path / "requests.parquet").sort_values(["arrival_s", "device"], ignore_index=True)
    pd.testing.assert_frame_equal(rows, tables.requests, check_exact=True)
    for stem in ("answers", "links", "nodes"):
        pd.testing.assert_frame_equal(read(tmp_path / f"{stem}.parquet"), getattr(tables, stem), check_exact=True)
