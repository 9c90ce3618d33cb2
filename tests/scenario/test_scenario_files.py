"""Paths in a scenario: inside its folder, and there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgesim.errors import InputError
from edgesim.scenario.load import build_scenario

UP = "{process: steps, steps: [[0, 5], [10, 0]], ends: loop}"
LOCAL = "  local: {type: device_only, exit: 0}"


def trace(path: str) -> str:
    return f"{{process: trace, file: {path}}}"


def test_a_path_counts_from_the_scenario(bench, monkeypatch, tmp_path_factory):
    (bench.folder / "traces").mkdir()
    rail = bench.folder / "traces" / "rail.csv"
    rail.write_text("time_s,rate_mbps\n0,1\n")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    scenario = bench.changed(UP, trace("traces/rail.csv"))
    up = scenario.links["access"].up
    assert up.file == rail.resolve() and (up.ends, up.scale, up.offset) == ("loop", 1.0, "random")
    assert scenario.resolved()["links"]["access"]["up"]["file"] == "traces/rail.csv"
    assert build_scenario(scenario.resolved(), bench.folder).links == scenario.links


@pytest.mark.parametrize("kind", ["dots", "absolute", "link", "link in a folder"])
def test_it_may_not_leave_the_folder(bench, tmp_path_factory, kind):
    outside = tmp_path_factory.mktemp("outside") / "rail.csv"
    outside.write_text("time_s,rate_mbps\n0,1\n")
    path = str(outside)
    if kind == "dots":
        path = os.path.relpath(outside, bench.folder)
    elif kind == "link":
        (bench.folder / "rail.csv").symlink_to(outside)
        path = "rail.csv"
    elif kind == "link in a folder":
        (bench.folder / "traces").symlink_to(outside.parent)
        path = "traces/rail.csv"
    message = bench.refused(UP, trace(path))
    assert message.startswith(bench.where("process: trace")) and ": links.access.up.file: " in message
    assert "leaves the scenario's folder" in message


def test_absolute_is_refused_even_where_it_leads_inside(bench):
    (bench.folder / "rail.csv").write_text("x")
    assert "leaves the scenario's folder" in bench.refused(UP, trace(str(bench.folder / "rail.csv")))


def test_dots_that_stay_inside_are_fine(bench):
    (bench.folder / "a").mkdir()
    (bench.folder / "rail.csv").write_text("x")
    assert bench.changed(UP, trace("a/../rail.csv")).links["access"].up.file.name == "rail.csv"


@pytest.mark.parametrize(
    ("path", "words"),
    [("none.csv", "there is no such file"), ("''", "the path of a file"), ("3", "as text"), (".", "is no file")],
)
def test_missing_or_no_file(bench, path, words):
    message = bench.refused(UP, trace(path))
    assert message.startswith(bench.where("process: trace")) and ": links.access.up.file: " in message
    assert words in message


def test_a_path_from_the_command_line_may_lie_anywhere(bench, monkeypatch, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "rail.csv"
    outside.write_text("x")
    change = f"links.access.up={trace(str(outside))}"
    assert bench.load(overrides=(change,)).links["access"].up.file == outside.resolve()
    monkeypatch.chdir(outside.parent)
    scenario = bench.load(overrides=("links.access.up={process: trace, file: rail.csv}",))
    assert scenario.links["access"].up.file == outside.resolve()
    assert scenario.resolved()["links"]["access"]["up"]["file"] == str(outside.resolve())
    with pytest.raises(InputError, match="--set links.access.up: links.access.up.file: .*no such file"):
        bench.load(overrides=("links.access.up={process: trace, file: bus.csv}",))


def test_profiles_weights_and_folders(bench):
    for name in ("profile.json", "w.safetensors"):
        (bench.folder / name).write_text("x")
    (bench.folder / "tables").mkdir()
    models = (
        "  a: {source: zoo, name: fashion_vit}\n"
        "  b: {source: timm, name: deit, profile: profile.json, weights: w.safetensors, exits: [4, 8]}\n"
        "  c: {source: outcomes, folder: tables, profile: profile.json}\n"
    )
    text = bench.text[: bench.text.index("  toy:")] + models + bench.text[bench.text.index("devices:") :]
    scenario = bench.load(text.replace("models:", "data: {source: fashion-mnist, folder: tables}\nmodels:", 1))
    assert scenario.models["a"].profile == "shipped"
    assert scenario.models["b"].profile == (bench.folder / "profile.json").resolve()
    assert scenario.models["b"].weights == (bench.folder / "w.safetensors").resolve()
    assert scenario.models["c"].folder == scenario.data.folder == (bench.folder / "tables").resolve()
    assert scenario.resolved()["models"]["b"]["profile"] == "profile.json"
    with pytest.raises(InputError, match=r"models.c.folder: found 'profile.json', which is no folder"):
        bench.load(text.replace("folder: tables", "folder: profile.json"))
    with pytest.raises(InputError, match=r"models.b.profile: found 'p.json', but there is no such file"):
        bench.load(text.replace("deit, profile: profile.json", "deit, profile: p.json"))


def test_a_policy_of_the_users_own(bench):
    (bench.folder / "mine.py").write_text("class Mine: ...\n")
    policy = bench.changed(LOCAL, "  local: {type: 'mine.py:Mine', options: {k: 3}}").policies["local"]
    assert policy.file == (bench.folder / "mine.py").resolve()
    assert (policy.module, policy.class_name, policy.options) == ("mine.py", "Mine", {"k": 3})
    policy = bench.changed(LOCAL, "  local: {type: 'package.module:Mine'}").policies["local"]
    assert policy.file is None and (policy.module, policy.class_name) == ("package.module", "Mine")
    for path in ("none.py", "../mine.py"):
        message = bench.refused(LOCAL, f"  local: {{type: '{path}:Mine'}}")
        assert message.startswith(bench.where("  local:")) and path in message


def test_a_policy_file_from_the_command_line(bench, tmp_path_factory):
    mine = tmp_path_factory.mktemp("outside") / "mine.py"
    mine.write_text("class Mine: ...\n")
    policy = bench.load(overrides=(f"policies.local={{type: '{mine}:Mine'}}",)).policies["local"]
    assert policy.file == Path(mine).resolve()
