from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic_run import World, requests_of, scenario, write_run

from edgesim.errors import InputError
from edgesim.results.recorded import RecordedRun
from edgesim.results.summary import point_at, read_summary, reference_run, summarise, write_summary

LABELS = {"oracles": ["link_oracle"], "costs": {"fashion on camera": "scaled: pi5-fp32", "fashion on edge": "measured"}}
POLICIES = ["device_only", "neurosurgeon", "anytime", "link_oracle"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return World(tmp_path_factory.mktemp("run"), POLICIES, replications=4, devices=3, rate_hz=1.0, seed=3).write(LABELS)


@pytest.fixture(scope="module")
def summary(folder: Path) -> dict:
    return summarise(folder, LABELS)


def test_it_is_plain_json_and_written_whole(folder: Path, summary: dict) -> None:
    write_summary(folder, summary)
    assert read_summary(folder) == json.loads(json.dumps(summary)) == summary
    assert not list(folder.glob("*.partial"))


def test_the_same_records_give_the_same_summary(folder: Path, summary: dict) -> None:
    assert summarise(folder, LABELS) == summary


def test_points_agree_with_the_records_at_the_deadline_they_ran_with(folder: Path, summary: dict) -> None:
    run = RecordedRun(folder)
    for policy in POLICIES:
        for deadline_ms, cells in run.cells.runs(policy).items():
            rows = np.concatenate([run.counted.rows(cell) for cell in cells])
            per_cell = [run.counted.column("correct")[run.counted.rows(cell)].mean() for cell in cells]
            point = point_at(summary["policies"][policy], deadline_ms)
            assert point is not None and len(rows)
            assert point["on_time_accuracy"]["mean"] == pytest.approx(np.mean(per_cell))


def test_own_deadlines_and_the_same_deadline_on_the_axis_agree(summary: dict) -> None:
    """The world's own deadline is fixed at 100 ms: the records' ``correct`` equals thresholding the answers."""
    policy = summary["policies"]["neurosurgeon"]
    own, axis = point_at(policy, None), point_at(policy, 100.0)
    assert own is not None and axis is not None
    assert own["on_time_accuracy"] == axis["on_time_accuracy"]
    assert own["miss_ratio"] == axis["miss_ratio"]


def test_policies_are_compared_where_all_of_them_can_be(summary: dict) -> None:
    assert summary["compared_at_ms"] == 100.0
    assert point_at(summary["policies"]["anytime"], None) is None
    assert reference_run(summary["policies"]["anytime"], 100.0)["deadline_ms"] == 100.0
    assert reference_run(summary["policies"]["device_only"], 100.0)["deadline_ms"] is None
    assert len(summary["differences"]) == 6
    for difference in summary["differences"]:
        better, worse = (summary["policies"][difference[side]] for side in ("better", "worse"))
        means = [point_at(policy, 100.0)["on_time_accuracy"]["mean"] for policy in (better, worse)]  # type: ignore[index]
        assert difference["difference"]["mean"] == pytest.approx(means[0] - means[1])
        assert difference["difference"]["mean"] >= 0


def test_without_an_axis_policies_are_compared_at_own_deadlines(tmp_path: Path) -> None:
    requests = requests_of(40, replication=np.repeat([0, 1], 20), axis_deadline_ms=np.nan, deadline_s=0.1, end="late")
    run = write_run(tmp_path, scenario(deadlines_ms=None), requests=requests)
    found = summarise(run, {})
    assert found["compared_at_ms"] is None
    assert [point["deadline_ms"] for point in found["policies"]["a"]["points"]] == [None]


def test_identities(summary: dict) -> None:
    for policy in summary["policies"].values():
        for run in policy["runs"]:
            mean = {name: interval["mean"] for name, interval in run["metrics"].items()}
            assert sum(run["ends"].values()) == pytest.approx(1.0)
            assert sum(run["exits"].values()) == pytest.approx(1.0)
            assert sum(run["cuts"].values()) == pytest.approx(1.0)
            assert mean["miss_ratio"] == pytest.approx(1.0 - run["ends"]["on_time"])
            assert mean["offload_ratio"] == pytest.approx(1.0 - run["cuts"].get("none", 0.0))
            assert sum(run["stages"].values()) == pytest.approx(mean["latency_mean_s"])
            assert mean["goodput_hz"] <= mean["on_time_hz"] <= mean["arrivals_hz"]
            assert mean["latency_p50_s"] <= mean["latency_p95_s"] <= mean["latency_p99_s"]


def test_warnings_name_policy_and_deadline(tmp_path: Path) -> None:
    requests = requests_of(50, axis_deadline_ms=20.0, end=["unfinished"] + ["on_time"] * 49)
    nodes = {"axis_deadline_ms": 20.0, "node": "edge", "busy_s": [60.0], "workers": 1, "window_s": 60.0}
    run = write_run(tmp_path, scenario(deadlines_ms=[20.0]), requests=requests, nodes=nodes)
    busy, unfinished = summarise(run, {})["warnings"]
    assert busy.startswith("a at 20 ms: edge was busy 100.0%")
    assert unfinished.startswith("a at 20 ms: 2.00% of the requests were unfinished")


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"manifest\.json"):
        summarise(tmp_path, {})


def test_summarising_imports_neither_torch_nor_matplotlib_nor_pandas(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from edgesim.results import summary, terminal, plots\n"
        "assert 'scipy' not in sys.modules and 'pyarrow' not in sys.modules\n"
        f"summary.summarise(Path({str(folder)!r}), {{}})\n"
        "print([name for name in ('torch', 'timm', 'matplotlib', 'pandas', 'scipy.stats') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
