"""``edgesim run`` from a file to a folder of results."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pandas as pd
import pyarrow.parquet as pq
import pytest

from edgesim.results.columns import TABLES

PLOTS = ["on_time_accuracy", "decomposition", "shares", "latency_cdf", "fronts", "regret", "time_series", "reliability"]


def results(out: Path) -> Path:
    (folder,) = out.iterdir()
    return folder


def same_tables(one: Path, other: Path) -> bool:
    return all(
        pd.read_parquet(one / f"{stem}.parquet").equals(pd.read_parquet(other / f"{stem}.parquet")) for stem in TABLES
    )


@pytest.fixture(scope="module")
def finished() -> dict[str, Path]:
    """Where the results of the scenario as it stands are, once a test has made them."""
    return {}


@pytest.fixture
def folder(bench, finished: dict[str, Path]) -> Path:
    """The results of the scenario as it stands."""
    if not finished:
        said = bench.run()
        assert said.code == 0, said
        assert "on-time accuracy (%) by deadline" in said.out and f"written to {bench.out}" in said.out
        finished["runs"] = bench.folder / "kept"
        copytree(bench.out, finished["runs"])
    else:
        copytree(finished["runs"], bench.out)
    return results(bench.out)


def test_everything_is_in_the_folder(folder: Path) -> None:
    expected = {"manifest.json", "summary.json", "reliability.json", *(f"{stem}.parquet" for stem in TABLES)}
    expected |= {f"plots/{name}.{form}" for name in PLOTS for form in ("png", "svg", "pdf")}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == expected
    assert folder.name.startswith("toy-")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["seed"] == 3 and manifest["scenario"]["links"]["access"]["up"]["file"] == "rates.csv"
    assert manifest["labels"]["outcomes"] == {"toy": "synthetic"} and set(manifest["files"]) == {"rates.csv"}
    for stem, columns in TABLES.items():
        assert pq.read_schema(folder / f"{stem}.parquet").names == [column.name for column in columns]
    requests = pd.read_parquet(folder / "requests.parquet")
    assert set(requests.policy) == {"local", "remote", "split"} and set(requests.replication) == {0, 1}
    assert set(requests.device) == {"camera-0", "camera-1"} and (requests.end == "on_time").mean() > 0.9


def test_an_existing_run_is_reused(bench, folder: Path) -> None:
    written = (folder / "requests.parquet").stat().st_mtime_ns
    said = bench.run()
    assert said.code == 0 and f"found in {folder}" in said.out and "on-time accuracy" in said.out
    assert (folder / "requests.parquet").stat().st_mtime_ns == written


def test_force_runs_again_and_finds_the_same(bench, folder: Path) -> None:
    before = copytree(folder, bench.folder / "before")
    written = (folder / "requests.parquet").stat().st_mtime_ns
    assert bench.run("--force").code == 0
    assert [*bench.out.iterdir()] == [folder]
    assert (folder / "requests.parquet").stat().st_mtime_ns > written
    assert same_tables(folder, before)


def test_two_processes_find_the_same(bench, folder: Path) -> None:
    twin = bench.folder / "twin"
    assert bench.run("--jobs", 2, "--out", twin).code == 0
    assert results(twin).name == folder.name and same_tables(results(twin), folder)


def test_options_change_the_scenario(bench, folder: Path) -> None:
    options = ("--set", "devices.camera.count=1", "--seed", 5, "--replications", 1)
    assert bench.run(*options, "--policy", "split", "--policy", "local").code == 0
    (other,) = set(bench.out.iterdir()) - {folder}
    requests = pd.read_parquet(other / "requests.parquet")
    assert set(requests.device) == {"camera-0"} and set(requests.replication) == {0}
    assert list(dict.fromkeys(requests.policy)) == ["split", "local"]
    manifest = json.loads((other / "manifest.json").read_text())
    assert manifest["seed"] == 5 and manifest["scenario"]["devices"]["camera"]["count"] == 1


def test_what_is_in_a_trace_is_part_of_the_run(bench, folder: Path) -> None:
    bench.rates.write_text(bench.rates.read_text().replace("2,8", "2,3"))
    assert bench.run().code == 0
    assert len([*bench.out.iterdir()]) == 2


def test_a_file_typed_on_the_command_line_may_lie_anywhere(bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "rates.csv"
    elsewhere.write_text("time_s,rate_mbps\n0,7\n1,7\n")
    assert bench.run("--set", f"links.access.up.file={elsewhere}").code == 0


def test_an_unstable_queue_is_warned_of(bench) -> None:
    bench.edit("rate_hz: 10", "rate_hz: 300")
    bench.edit("count: 2", "count: 2\n    queue: {bound: null}")
    said = bench.run("--policy", "local")
    assert said.code == 0 and "Warning: " in said.out


def test_a_policy_of_the_users_own(bench) -> None:
    (bench.folder / "mine.py").write_text(
        "from edgesim.policies.base import Policy\n"
        "from edgesim.policies.steps import Answer, Exit, Run\n"
        "class First(Policy):\n"
        "    def __init__(self, models, exit):\n"
        "        super().__init__(models)\n"
        "        self.exit = exit\n"
        "    def next_steps(self, request, view):\n"
        "        return Run(self.exit + 1), Exit(self.exit), Answer(self.exit)\n"
    )
    bench.edit("{type: device_only}", "{type: 'mine.py:First', options: {exit: 1}}")
    assert bench.run("--policy", "local").code == 0
    requests = pd.read_parquet(results(bench.out) / "requests.parquet")
    assert set(requests.exit) == {1}
    (bench.folder / "mine.py").write_text((bench.folder / "mine.py").read_text() + "# changed\n")
    assert bench.run("--policy", "local").code == 0
    assert len([*bench.out.iterdir()]) == 2
