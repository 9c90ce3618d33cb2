"""``edgesim.run`` and ``edgesim.study`` do what the commands do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_runs import BASE, small
from small_studies import STUDY, values, write_study

import edgesim
from edgesim.errors import InputError


@pytest.mark.usefixtures("no_plots")
def test_a_scenario_a_file_and_a_folder_give_the_same(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(json.dumps(BASE))
    of_file = edgesim.run(tmp_path / "small.yaml", ["duration_s=3"], policies=["local", "neuro"], out=tmp_path / "one")
    of_scenario = edgesim.run(small(), ["duration_s=3"], policies=["local", "neuro"], out=str(tmp_path / "two"))
    assert of_file.folder.name == of_scenario.folder.name and of_file.policies == ["local", "neuro"]
    assert of_file.requests.equals(of_scenario.requests) and of_file.points.equals(of_scenario.points)
    assert edgesim.load(of_file.folder).summary == of_file.summary  # type: ignore[union-attr]
    before = (of_file.folder / "summary.json").stat().st_mtime_ns
    edgesim.run(small(), ["duration_s=3"], policies=["local", "neuro"], out=tmp_path / "one")
    assert (of_file.folder / "summary.json").stat().st_mtime_ns == before
    edgesim.run(small(), ["duration_s=3"], policies=["local", "neuro"], out=tmp_path / "one", force=True)
    assert (of_file.folder / "summary.json").stat().st_mtime_ns > before


def test_an_unknown_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="policy remote: the scenario has local, neuro"):
        edgesim.run(small(), policies=["remote"], out=tmp_path)


def test_a_study_from_a_file_and_from_a_dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_study(tmp_path)
    monkeypatch.chdir(tmp_path)
    of_file = edgesim.study(path, replications=2, out=tmp_path / "studies")
    of_dictionary = edgesim.study(STUDY, replications=2, out=tmp_path / "others")
    assert of_file.folder.name == of_dictionary.folder.name
    assert values(of_file.folder).equals(values(of_dictionary.folder))
    assert set(of_file.replications(["on_time_accuracy"]).replication) == {0, 1}
    assert (of_file.folder / "summaries.parquet").is_file()
    assert edgesim.load(of_file.folder).contrasts().equals(of_file.contrasts())  # type: ignore[union-attr]


def test_a_study_that_is_wrong_names_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_study(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="study: axes.delay.values.0: links.access.delay: unknown key"):
        edgesim.study({**STUDY, "axes": {"delay": {"key": "links.access.delay", "values": [1]}}}, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
