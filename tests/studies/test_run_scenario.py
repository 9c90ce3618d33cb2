"""Whole runs: the folder that appears whole or not at all, and rows that only the scenario decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_runs import BASE, read, same_rows, small

from edgesim.errors import InputError
from edgesim.results.columns import TABLES
from edgesim.scenario.load import build_scenario
from edgesim.scenario.scenario import Scenario
from edgesim.studies.cells import plan_cells
from edgesim.studies.run import appearing, grouped, run_scenario

FILES = {"manifest.json", "summary.json", "reliability.json", *(f"{name}.parquet" for name in TABLES)}
PLOTS = ["on_time_accuracy", "decomposition", "shares", "latency_cdf", "fronts", "regret", "time_series", "reliability"]
BAD_POLICY = """\
from edgesim.policies.base import Policy
from edgesim.policies.plans import to_exit
from edgesim.policies.steps import Run

class Tires(Policy):
    asked = 0

    def next_steps(self, request, view):
        Tires.asked += 1
        return [Run(99)] if Tires.asked > 60 else to_exit(self.facts.models["toy"].shape, 0)
"""


def test_a_run_leaves_one_whole_folder(tmp_path: Path) -> None:
    said: list[tuple[str, int, int]] = []
    run = run_scenario(small(), tmp_path / "out", progress=lambda *each: said.append(each))
    assert [path.name for path in (tmp_path / "out").iterdir()] == [run.folder.name]
    assert run.folder.name.startswith("small-") and not run.reused
    assert {path.name for path in run.folder.iterdir()} == {*FILES, "plots"}
    for plot in PLOTS:
        for kind in ("png", "svg", "pdf"):
            assert (run.folder / "plots" / f"{plot}.{kind}").stat().st_size > 1000
    assert json.loads((run.folder / "manifest.json").read_text()) == json.loads(json.dumps(run.manifest))
    assert json.loads((run.folder / "summary.json").read_text()) == run.summary
    stages = list(dict.fromkeys(stage for stage, _, _ in said))
    assert stages == ["calibrating best", "simulating", "summarising", "drawing"]
    assert all(done <= of for _, done, of in said) and ("simulating", 27, 27) in said


def test_the_rows_are_those_of_the_cells(no_plots: None, tmp_path: Path) -> None:
    run = run_scenario(small(), tmp_path)
    requests = read(run.folder, "requests")
    cells = {(cell.policy, cell.axis_deadline_ms, cell.replication) for cell in plan_cells(small())}
    found = {
        (policy, None if deadline_ms != deadline_ms else deadline_ms, replication)
        for policy, deadline_ms, replication in zip(
            requests.policy, requests.axis_deadline_ms, requests.replication, strict=True
        )
    }
    assert found == cells
    per_cell = requests.groupby(["policy", "axis_deadline_ms", "replication"], dropna=False, observed=True)
    keys = {
        cell: list(zip(rows.device, rows.number, rows["sample"], rows.arrival_s, strict=True))
        for cell, rows in per_cell
    }
    for (_, _, replication), rows in keys.items():
        reference = next(other for cell, other in keys.items() if cell[2] == replication)
        assert sorted(rows) == sorted(reference), "every policy meets the same requests"
    assert set(requests.end) <= {"on_time", "late", "dropped", "unfinished"}
    assert (requests.counted == (requests.arrival_s >= 1)).all()


def test_the_same_rows_on_any_number_of_workers(no_plots: None, tmp_path: Path) -> None:
    one = run_scenario(small(), tmp_path / "one", jobs=1)
    two = run_scenario(small(), tmp_path / "two", jobs=2)
    assert one.folder.name == two.folder.name and same_rows(one.folder, two.folder)
    other = run_scenario(small("seed=4"), tmp_path / "one")
    assert other.folder.name != one.folder.name and not same_rows(one.folder, other.folder)
    del one.manifest["created"], two.manifest["created"]
    assert one.manifest == two.manifest and one.summary == two.summary


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_cells_are_shared_out_in_the_order_of_their_rows(jobs: int) -> None:
    cells = plan_cells(small())
    groups = grouped(cells, jobs)
    flat = [cell for group in groups for cell in group]
    assert flat == sorted(cells, key=lambda cell: cell.replication) and all(groups)
    assert len(groups) >= min(len(cells), jobs)


def test_a_run_that_is_there_is_read_again(no_plots: None, tmp_path: Path) -> None:
    first = run_scenario(small(), tmp_path)
    stamps = {path.name: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    again = run_scenario(small(), tmp_path)
    assert again.reused and again.folder == first.folder
    assert again.summary == first.summary and again.manifest == json.loads(json.dumps(first.manifest))
    assert {path.name: path.stat().st_mtime_ns for path in first.folder.iterdir()} == stamps
    (first.folder / "leftover").touch()
    forced = run_scenario(small(), tmp_path, force=True)
    assert not forced.reused and forced.folder == first.folder and not (first.folder / "leftover").exists()
    assert forced.summary == first.summary
    assert [path.name for path in tmp_path.iterdir()] == [first.folder.name]


def test_a_damaged_run_says_so(no_plots: None, tmp_path: Path) -> None:
    scenario = small(policies={"local": BASE["policies"]["local"]}, replications=1)
    run = run_scenario(scenario, tmp_path)
    (run.folder / "summary.json").write_text("{")
    with pytest.raises(InputError, match="summary.json: the results found are damaged .*--force"):
        run_scenario(scenario, tmp_path)
    assert not run_scenario(scenario, tmp_path, force=True).reused


def tiring(folder: Path) -> Scenario:
    (folder / "tires.py").write_text(BAD_POLICY)
    return small(folder=folder, policies={"tires": {"type": "tires.py:Tires"}}, deadlines_ms=[])


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failure_in_the_middle_leaves_nothing(no_plots: None, tmp_path: Path, jobs: int) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"policies.tires: camera-\d: Run\(99\), but 0 of 3 blocks"):
        run_scenario(tiring(tmp_path).model_copy(update={"replications": 20}), out, jobs=jobs)
    assert not out.exists()


@pytest.mark.parametrize(
    "step", ["edgesim.studies.run.merge_tables", "edgesim.studies.run.summarise", "edgesim.results.plots.draw_all"]
)
@pytest.mark.parametrize("error", [InputError("no"), OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_later_failure_leaves_what_was_there(
    no_plots: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    scenario = small(policies={"local": BASE["policies"]["local"]}, replications=1)
    before = run_scenario(scenario, tmp_path)
    contents = {path.name: path.read_bytes() for path in before.folder.iterdir()}

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(step, fail)
    with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else InputError) as caught:
        run_scenario(scenario, tmp_path, force=True)
    if isinstance(error, OSError):
        assert "cannot write results" in str(caught.value) and "No space left" in str(caught.value)
    assert {path.name: path.read_bytes() for path in before.folder.iterdir()} == contents
    assert [path.name for path in tmp_path.iterdir()] == [before.folder.name]
    with pytest.raises((InputError, KeyboardInterrupt)):
        run_scenario(scenario, tmp_path / "new" / "deeper")
    assert not (tmp_path / "new").exists()


def test_where_nothing_can_be_written_one_error_says_so(no_plots: None, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write results to"):
        run_scenario(small(), tmp_path / "file")


def test_a_folder_that_came_meanwhile_is_replaced(tmp_path: Path) -> None:
    with appearing(tmp_path / "it") as partial:
        (partial / "new").touch()
        (tmp_path / "it").mkdir()
        (tmp_path / "it" / "old").touch()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["new"]


def test_what_the_rows_depend_on_names_the_folder(no_plots: None, tmp_path: Path) -> None:
    """Another trace, policy or arrivals file of the same name is another run; a comment in the YAML is not."""
    trace, arrivals, policy = tmp_path / "rail.csv", tmp_path / "times.csv", tmp_path / "mine.py"

    def folder_name() -> str:
        scenario = small(
            f"links.access.up={{process: trace, file: '{trace}'}}",
            f"devices.camera.arrivals={{process: trace, file: '{arrivals}'}}",
            folder=tmp_path,
            policies={"mine": {"type": "mine.py:Mine"}},
            replications=1,
        )
        return run_scenario(scenario, tmp_path / "out").folder.name

    trace.write_text("time_s,rate_mbps\n0,5\n1,6\n")
    arrivals.write_text("time_s\n1\n2\n")
    text = BAD_POLICY.replace("Tires", "Mine").replace("60", "10**9")
    policy.write_text(text)
    names = [folder_name()]
    trace.write_text("time_s,rate_mbps\n0,5\n1,7\n")
    names.append(folder_name())
    arrivals.write_text("time_s\n1\n3\n")
    names.append(folder_name())
    policy.write_text(text + "# changed\n")
    names.append(folder_name())
    assert len(set(names)) == 4 and folder_name() == names[-1]


def test_two_files_of_one_name_both_count(no_plots: None, tmp_path: Path) -> None:
    for name, rate in (("a", 5), ("b", 50)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rate.csv").write_text(f"time_s,rate_mbps\n0,{rate}\n1,{rate}\n")
    links = {"access": {**BASE["links"]["access"], "up": {"process": "trace", "file": "a/rate.csv"}}}
    links["access"]["down"] = {"process": "trace", "file": "b/rate.csv"}
    scenario = small(folder=tmp_path, links=links, replications=1, policies={"s": {"type": "server_only"}})
    first = run_scenario(scenario, tmp_path / "out")
    assert set(first.manifest["files"]) == {"a/rate.csv", "b/rate.csv"}
    (tmp_path / "a" / "rate.csv").write_text("time_s,rate_mbps\n0,6\n1,6\n")
    assert run_scenario(scenario, tmp_path / "out").folder != first.folder


def test_the_manifest_makes_the_same_run(no_plots: None, tmp_path: Path) -> None:
    first = run_scenario(small(), tmp_path)
    assert run_scenario(build_scenario(first.manifest["scenario"]), tmp_path).reused
    assert first.manifest["seed"] == 3 and set(first.manifest["versions"]) >= {"edgesim", "numpy", "simpy"}
    arms = first.manifest["static_best"]["best"]
    assert set(arms) == {"5.0", "15.0", "30.0"} and all(set(arm) == {"model", "path", "exit"} for arm in arms.values())


def test_nothing_in_a_manifest_is_no_number(no_plots: None, tmp_path: Path) -> None:
    scenario = small("links.access.up={process: ar1, preset: lte-rail}", replications=1)
    text = (run_scenario(scenario, tmp_path).folder / "manifest.json").read_text()
    assert "NaN" not in text and "Infinity" not in text


def test_every_request_ends_once(no_plots: None, tmp_path: Path) -> None:
    """Also those that the end of the run finds at work; numbers without a gap say that none is lost."""
    scenario = small(
        "drain_s=0",
        "devices.camera.arrivals.rate_hz=90",
        "devices.camera.queue.bound=3",
        replications=1,
    )
    requests = read(run_scenario(scenario, tmp_path).folder, "requests")
    ends = requests.end.value_counts()
    assert {"on_time", "late", "dropped", "unfinished"} == set(ends[ends > 0].index)
    for _, rows in requests.groupby(["policy", "axis_deadline_ms", "device"], dropna=False, observed=True):
        assert sorted(rows.number) == list(range(len(rows))) and len(rows) > 300
    assert (requests[requests.end == "dropped"].reason != "").all()
    assert (requests[requests.end == "unfinished"].reason == "end of run").all()


def test_a_run_in_which_nothing_counts_says_so(tmp_path: Path) -> None:
    run = run_scenario(small(duration_s=1.001, warmup_s=1.0, replications=2), tmp_path)
    assert run.summary["requests"] == 0
    assert run.summary["warnings"] == ["no request arrived in the measured window: there is nothing to measure"]


def test_replications_without_a_request_are_told(no_plots: None, tmp_path: Path) -> None:
    run = run_scenario(
        small("devices.camera.arrivals.rate_hz=0.2", duration_s=1.0, warmup_s=0.0, replications=6), tmp_path
    )
    met = read(run.folder, "requests").replication.nunique()
    assert 0 < met < 6
    assert f"{6 - met} of 6 replications had no request and are left out of all means" in run.summary["warnings"]


def test_where_no_request_ever_arrives_one_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no request arrives within duration_s \(1\) in any replication"):
        run_scenario(
            small("devices.camera.arrivals.rate_hz=1e-6", duration_s=1.0, warmup_s=0.0, replications=2), tmp_path
        )
    assert not list(tmp_path.glob("small-*"))
