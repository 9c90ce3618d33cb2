"""``edgesim study``: from a file to tables, and back again."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.append(str(Path(__file__).parents[1] / "studies"))

from small_studies import write_study  # noqa: E402

from edgesim.cli import main  # noqa: E402
from edgesim.studies.findings import Findings  # noqa: E402


def edgesim(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(map(str, arguments)))
    return int(stop.value.code or 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("study")
    assert edgesim("study", write_study(at), "--out", at / "out", "--jobs", 1) == 0
    (found,) = (at / "out").iterdir()
    return found


def test_tables_lie_beside_the_ledger(folder: Path):
    findings = Findings(folder)
    written = pd.read_parquet(folder / "summaries.parquet")
    assert len(written) == len(findings.summaries()) > 100
    assert pd.read_csv(folder / "contrasts.csv")["policy"].tolist() == ["local", "neuro", "anytime"]


def test_the_status_says_how_far_it_is(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert edgesim("study", "status", folder) == 0
    told = capsys.readouterr().out
    assert "small: What does delay cost?" in told
    assert "4 cells, 12 of 12 replications finished" in told and "0 failed" in told


def test_a_second_call_finds_what_is_there(folder: Path, capsys: pytest.CaptureFixture[str]):
    ledger = (folder / "ledger.sqlite").read_bytes()
    assert edgesim("study", folder.parents[1] / "study.yaml", "--out", folder.parent, "--jobs", 1) == 0
    assert f"found in {folder}" in capsys.readouterr().out
    assert (folder / "ledger.sqlite").read_bytes() == ledger
    assert edgesim("study", "resume", folder) == 0


def test_more_replications_are_another_study(folder: Path, tmp_path: Path):
    path = folder.parents[1] / "study.yaml"
    assert edgesim("study", path, "--out", tmp_path, "--jobs", 1, "--replications", 1) == 0
    (other,) = tmp_path.iterdir()
    assert other.name != folder.name and Findings(other).counts.finished == 4
    mine = Findings(folder).replications(["on_time_accuracy"]).query("replication == 0")
    pd.testing.assert_series_equal(
        mine["value"].reset_index(drop=True), Findings(other).replications(["on_time_accuracy"])["value"]
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_means_and_replications_are_exported(folder: Path, tmp_path: Path, ending: str):
    read = pd.read_csv if ending == "csv" else pd.read_parquet
    means, rows = tmp_path / f"means.{ending}", tmp_path / f"rows.{ending}"
    asked = ["--quantity", "latency_p95_s", "--quantity", "miss_ratio"]
    assert edgesim("study", "export", folder, means, *asked) == 0
    assert edgesim("study", "export", folder, rows, *asked, "--replications") == 0
    keys = ["cell", "policy", "deadline_ms", "quantity"]
    found = read(means).fillna({"deadline_ms": -1}).set_index(keys)["mean"]
    values = read(rows).fillna({"deadline_ms": -1}).groupby(keys, observed=True)["value"].mean()
    assert set(found.index.get_level_values("quantity")) == {"latency_p95_s", "miss_ratio"}
    pd.testing.assert_series_equal(found.sort_index(), values.sort_index(), check_names=False, check_categorical=False)


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        ("table.xlsx", [], "found .xlsx, allowed: .parquet or .csv"),
        ("table.csv", ["--quantity", "speed"], "--quantity found 'speed', allowed: one that was measured"),
    ],
)
def test_what_cannot_be_exported(
    folder: Path, tmp_path: Path, name: str, asked: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    assert edgesim("study", "export", folder, tmp_path / name, *asked) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
