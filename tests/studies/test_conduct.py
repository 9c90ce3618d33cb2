"""A study finds the same whatever becomes of the processes that run it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_studies import STUDY, small_study, values, write_study

from edgesim.cli import main
from edgesim.errors import InputError
from edgesim.studies.answers import contrast_sentences
from edgesim.studies.conduct import LEDGER, conduct, resume
from edgesim.studies.findings import Findings
from edgesim.studies.run import run_scenario

LONG: dict[str, Any] = {"set": {"duration_s": 40, "devices.camera.arrivals.rate_hz": 30}, "replications": 5}
"""So long that something can be killed meanwhile."""


def folder_of(out: Path) -> Path:
    (found,) = out.glob("small-*")
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("undisturbed")
    return values(conduct(*small_study(folder, LONG), folder / "out", jobs=2).folder)


def test_every_cell_finds_what_a_plain_run_finds(tmp_path: Path, no_plots: None):
    study, base = small_study(tmp_path)
    found = conduct(study, base, tmp_path / "out", jobs=1)
    assert (found.counts.finished, found.counts.failed, found.reused) == (12, 0, False)
    findings = Findings(found.folder)
    summaries = findings.summaries()
    for cell, point in findings.cells.iterrows():
        changes = {"links.access.delay_ms": int(point["delay"]), "devices.camera.count": int(point["count"])}
        plain = run_scenario(base.changed(changes, "here"), tmp_path / "runs").summary
        for policy, told in plain["policies"].items():
            for point_of_curve in told["points"]:
                row = summaries[
                    (summaries.cell == cell)
                    & (summaries.policy == policy)
                    & (summaries.quantity == "on_time_accuracy")
                    & (summaries.deadline_ms.fillna(-1) == (point_of_curve["deadline_ms"] or -1))
                ]
                wanted = point_of_curve["on_time_accuracy"]
                assert row[["mean", "low", "high"]].iloc[0].tolist() == pytest.approx(
                    [wanted["mean"], wanted["low"], wanted["high"]], abs=1e-12
                )
            p95 = summaries[
                (summaries.cell == cell) & (summaries.policy == policy) & (summaries.quantity == "latency_p95_s")
            ]
            assert p95["mean"].tolist() == pytest.approx(
                [run["metrics"]["latency_p95_s"]["mean"] for run in told["runs"]]
            )
    again = conduct(study, base, tmp_path / "out", jobs=1)
    assert again.reused and again.folder == found.folder


def test_contrasts_are_paired_by_replication(tmp_path: Path):
    found = conduct(*small_study(tmp_path), tmp_path / "out", jobs=1)
    findings = Findings(found.folder)
    contrasts = findings.contrasts()
    assert contrasts["policy"].tolist() == ["local", "neuro", "anytime"]
    rows = findings.replications(["on_time_accuracy"])
    rows = rows[(rows.deadline_ms == 15) & (rows["count"] == 1)]
    table = rows.pivot_table(index=["policy", "replication"], columns="delay", values="value", observed=True)
    differences = (table[5] - table[1]).groupby("policy", observed=True).mean()
    assert contrasts.set_index("policy")["difference"].to_dict() == pytest.approx(differences.to_dict())
    local = contrasts.set_index("policy").loc["local"]
    assert local["difference"] == 0 and not local["distinguishable"]


def test_static_policies_are_found_once_for_each_cell(tmp_path: Path, no_plots: None):
    study, base = small_study(tmp_path, {"policies": ["best"], "axes": {"delay": {"key": "links.access.delay_ms",
                              "values": [1, 40]}}, "contrasts": None})  # fmt: skip
    found = Findings(conduct(study, base, tmp_path / "out", jobs=2).folder).summaries(["on_time_accuracy"])
    for delay_ms in (1, 40):
        plain = run_scenario(base.changed({"links.access.delay_ms": delay_ms}, "here"), tmp_path / "runs").summary
        wanted = [point["on_time_accuracy"]["mean"] for point in plain["policies"]["best"]["points"]]
        assert found[found.delay == delay_ms]["mean"].tolist() == pytest.approx(wanted)


def test_a_cell_whose_values_do_not_go_together_fails_while_the_others_go_on(tmp_path: Path):
    axes = {
        "warmup": {"key": "warmup_s", "values": [1, 4]},
        "length": {"key": "duration_s", "values": [6, 3]},
    }
    study, base = small_study(tmp_path, {"set": {}, "axes": axes, "contrasts": None})
    found = conduct(study, base, tmp_path / "out", jobs=2)
    assert (found.counts.finished, found.counts.cells) == (9, 4)
    assert {cell for cell, _, _ in found.failures} == {3}
    assert "cell 3 (warmup 4, length 3): warmup_s: found 4, allowed: less than duration_s (3)" in (found.failures[0][2])
    again = resume(found.folder, jobs=1)
    assert again.counts.finished == 9 and {cell for cell, _, _ in again.failures} == {3}


@contextmanager
def conducted(folder: Path, jobs: int = 2) -> Iterator[subprocess.Popen[str]]:
    """``edgesim study`` in a process group of its own, which is gone afterwards."""
    path = write_study(folder, LONG)
    command = [
        sys.executable,
        "-m",
        "edgesim",
        "study",
        str(path),
        "--out",
        str(folder / "out"),
        "--jobs",
        str(jobs),
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=folder
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for_replications(out: Path, count: int, process: subprocess.Popen[str]) -> list[str]:
    """Wait until so many are committed; the workers that ran them."""
    for _ in range(1200):
        for path in out.glob(f"small-*/{LEDGER}"):
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
                workers = [worker for (worker,) in base.execute("SELECT worker FROM replication")]
            if len(workers) >= count:
                return workers
        if process.poll() is not None:
            raise AssertionError(process.communicate())
        time.sleep(0.05)
    raise AssertionError("nothing was committed")


@pytest.mark.parametrize("count", [1, 7])
def test_killing_the_main_process_loses_nothing_that_was_finished(
    tmp_path: Path, count: int, undisturbed: pd.DataFrame
):
    with conducted(tmp_path) as process:
        wait_for_replications(tmp_path / "out", count, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    folder = folder_of(tmp_path / "out")
    before = Findings(folder).counts.finished
    assert count <= before < 20, "the test would show nothing"
    assert resume(folder, jobs=2).counts.finished == 20
    pd.testing.assert_frame_equal(values(folder), undisturbed)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_worker_is_replaced_and_its_work_done_again(tmp_path: Path, jobs: int, undisturbed: pd.DataFrame):
    with conducted(tmp_path, jobs) as process:
        workers = wait_for_replications(tmp_path / "out", 2, process)
        os.kill(int(workers[-1].partition("/")[2]), signal.SIGKILL)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    pd.testing.assert_frame_equal(values(folder_of(tmp_path / "out")), undisturbed)


def test_ctrl_c_stops_at_once_and_says_how_to_go_on(tmp_path: Path, undisturbed: pd.DataFrame):
    with conducted(tmp_path) as process:
        wait_for_replications(tmp_path / "out", 1, process)
        os.killpg(process.pid, signal.SIGINT)  # a terminal tells the whole group
        output, errors = process.communicate(timeout=30)
    assert process.returncode not in (0, 2)
    assert "edgesim study resume" in errors and "Traceback" not in errors
    folder = folder_of(tmp_path / "out")
    assert 0 < Findings(folder).counts.finished < 20
    resume(folder, jobs=2)
    pd.testing.assert_frame_equal(values(folder), undisturbed)


@contextmanager
def cluster(folder: Path, workers: int, worker_command: list[str] | None = None) -> Iterator[str]:
    """A Dask scheduler and workers of its own processes, talking over TCP."""
    processes = []
    note = folder / "scheduler.json"
    environment = {**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
               "--no-dashboard", "--no-show", "--scheduler-file", str(note)]  # fmt: skip
    worker = worker_command or [sys.executable, "-m", "distributed.cli.dask_worker"]
    worker = [*worker, "--scheduler-file", str(note), "--nthreads", "1", "--no-dashboard", "--no-nanny"]
    try:
        processes.append(subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL))
        for _ in range(600):
            if note.exists() and note.stat().st_size:
                break
            time.sleep(0.05)
        for _ in range(workers):
            processes.append(subprocess.Popen(worker, cwd=folder, env=environment, stderr=subprocess.DEVNULL))
        address = json.loads(note.read_text())["address"]
        if workers:
            wait_for_workers(address, workers)
        yield address
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait_for_workers(address: str, workers: int) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=60)


def test_two_workers_over_tcp_find_what_local_ones_find(tmp_path: Path, undisturbed: pd.DataFrame):
    with cluster(tmp_path, 2) as address:
        assert address.startswith("tcp://")
        found = conduct(*small_study(tmp_path, LONG), tmp_path / "out", scheduler=address)
    pd.testing.assert_frame_equal(values(found.folder), undisturbed)


def test_an_unreachable_scheduler_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = write_study(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["study", str(path), "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:9"])
    assert stop.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: --scheduler tcp://127.0.0.1:9: no Dask scheduler answers there")


def test_a_scheduler_without_workers_is_one_clear_error(tmp_path: Path):
    with (
        cluster(tmp_path, 0) as address,
        pytest.raises(InputError, match=rf"--scheduler {address}: it has no workers"),
    ):
        conduct(*small_study(tmp_path), tmp_path / "out", scheduler=address)


def test_a_worker_without_the_package_is_one_clear_error(tmp_path: Path):
    packages = Path(pd.__file__).parents[1]
    start = f"import sys; sys.path.append({str(packages)!r}); from distributed.cli.dask_worker import main; main()"
    bare = [sys.executable, "-I", "-S", "-c", start]  # packages, but nothing that is installed in place
    with cluster(tmp_path, 1, bare) as address, pytest.raises(InputError, match="has no edgesim: No module named"):
        conduct(*small_study(tmp_path), tmp_path / "out", scheduler=address)


def mount(folder: Path, *options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    return shutil.which("mount") is not None and subprocess.run(command, capture_output=True).returncode == 0


def test_a_full_disk_is_one_clear_error_and_loses_nothing(tmp_path: Path, undisturbed: pd.DataFrame):
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mount(disk, "size=180k"):
        pytest.skip("no small disk can be mounted here")
    try:
        with pytest.raises(InputError, match="ledger cannot be used: .*full"):
            conduct(*small_study(tmp_path, LONG), disk, jobs=2)
        kept = Findings(folder_of(disk)).counts.finished
        assert 0 < kept < 20
        assert mount(disk, "remount", "size=32m")
        assert resume(folder_of(disk), jobs=2).counts.finished == 20
        pd.testing.assert_frame_equal(values(folder_of(disk)), undisturbed)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_study_whose_inputs_have_changed_is_not_gone_on_with(tmp_path: Path):
    (tmp_path / "rates.csv").write_text("time_s,rate_mbps\n0,5\n1,6\n")
    changes = {"set": {"links.access.up": {"process": "trace", "file": "rates.csv"}, "duration_s": 3}}
    found = conduct(*small_study(tmp_path, changes), tmp_path / "out", jobs=1)
    (tmp_path / "rates.csv").write_text("time_s,rate_mbps\n0,5\n1,7\n")
    with pytest.raises(InputError, match="a file has changed since"):
        resume(found.folder)


def test_labels_are_those_of_all_cells(tmp_path: Path):
    rates = [{"process": "constant", "rate_mbps": 5}, {"process": "ar1", "preset": "lte-rail"}]
    axes = {"up": {"key": "links.access.up", "values": rates, "names": ["steady", "varying"]}}
    changes = {"axes": axes, "contrasts": None, "replications": 1}
    found = Findings(conduct(*small_study(tmp_path, changes), tmp_path / "out").folder).manifest
    alone = {
        name: run_scenario(small_study(tmp_path, changes)[1].changed({"links.access.up": rate}, name), tmp_path / name)
        for name, rate in zip(("steady", "varying"), rates, strict=True)
    }
    labels = [run.manifest["labels"]["links"]["access up"] for run in alone.values()]
    assert labels[0] != labels[1] and found["labels"]["links"]["access up"] == " or ".join(labels)
    notes = [set(run.manifest["warnings"]) for run in alone.values()]
    assert notes[1] - notes[0] and notes[0] | notes[1] <= set(found["warnings"])


def test_a_study_with_failed_cells_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    axes = {"warmup": {"key": "warmup_s", "values": [1, 4]}, "length": {"key": "duration_s", "values": [6, 3]}}
    path = write_study(tmp_path, {"set": {}, "axes": axes, "contrasts": None, "replications": 1})
    with pytest.raises(SystemExit) as stop:
        main(["study", str(path), "--out", str(tmp_path / "out"), "--jobs", "1"])
    assert stop.value.code == 1
    assert "1 of 4 cells failed" in capsys.readouterr().out


def test_where_cells_have_other_numbers_of_replications_the_answer_says_so(tmp_path: Path):
    until = {"metric": "latency_mean_s", "half_width": 0.002, "at_most": 40}
    study, base = small_study(tmp_path, {"replications": None, "until": until})
    findings = Findings(conduct(study, base, tmp_path / "out").folder)
    row = findings.contrasts().iloc[0]
    assert row.n == min(row.n_first, row.n_second) < max(row.n_first, row.n_second), "the test would show nothing"
    ((heading, _),) = contrast_sentences(findings, findings.contrasts())
    assert heading.endswith(f"; over the {row.n} replications that both have")


def test_a_contrast_may_be_of_some_policies(tmp_path: Path):
    contrast = {"first": {"delay": 5}, "second": {"delay": 1}, "policies": ["neuro"]}
    found = Findings(conduct(*small_study(tmp_path, {"contrasts": {"c": contrast}}), tmp_path / "out").folder)
    assert found.contrasts().policy.tolist() == ["neuro"]


def test_other_contrasts_are_answered_from_what_is_there(tmp_path: Path):
    first = conduct(*small_study(tmp_path, {"contrasts": None}), tmp_path / "out")
    assert Findings(first.folder).contrasts().empty and not Findings(first.folder).asked_later
    again = conduct(*small_study(tmp_path), tmp_path / "out")
    assert again.reused and again.folder == first.folder
    assert Findings(first.folder).contrasts().contrast.tolist() == ["delay"] * 3
    assert Findings(first.folder).asked_later == first.counts.finished
    axes = {**STUDY["axes"], "count": {"key": "devices.camera.count", "values": [1, 3], "label": "cameras"}}
    named = conduct(*small_study(tmp_path, {"question": "Why?", "axes": axes}), tmp_path / "out")
    assert named.reused and Findings(first.folder).study.question == "Why?"
    axes["count"] = {"key": "devices.camera.count", "values": [1, 2]}
    assert conduct(*small_study(tmp_path, {"axes": axes}), tmp_path / "out").folder != first.folder


def test_a_metric_of_a_policy_that_was_run_once_stands_at_every_deadline(tmp_path: Path):
    asked = {"first": {"delay": 5}, "second": {"delay": 1}, "metric": "latency_mean_s"}
    contrasts = {"at": {**asked, "deadline_ms": 15}, "own": asked}
    found = Findings(conduct(*small_study(tmp_path, {"contrasts": contrasts}), tmp_path / "out").folder).contrasts()
    rows = found.set_index(["contrast", "policy"])
    assert rows.loc[("at", "local"), "n"] == 3
    assert rows.loc[("at", "anytime"), "difference"] == rows.loc[("own", "anytime"), "difference"]


def test_one_process_at_a_time_conducts_a_study(tmp_path: Path):
    with conducted(tmp_path) as process:
        wait_for_replications(tmp_path / "out", 1, process)
        with pytest.raises(InputError, match="another process conducts this study"):
            resume(folder_of(tmp_path / "out"))


def test_a_script_need_not_guard_its_main(tmp_path: Path):
    write_study(tmp_path)
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from edgesim.studies.conduct import conduct\n"
        "from edgesim.studies.read_study import read_study\n"
        "print('here', conduct(*read_study(Path('study.yaml')), Path('out'), jobs=2).counts.finished)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "here 12\n", done.stderr
