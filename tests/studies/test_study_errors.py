"""Bad study files: one clear error each, before anything is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_studies import write_study

from edgesim.cli import main
from edgesim.errors import InputError
from edgesim.scenario.load import load_scenario
from edgesim.studies.read_study import read_study

AXIS: dict[str, Any] = {"key": "links.access.delay_ms", "values": [1, 5]}


def axis(**changes: Any) -> dict[str, Any]:
    """The study with one axis, changed; None removes a key."""
    made = {key: value for key, value in {**AXIS, **changes}.items() if value is not None}
    return {"axes": {"delay": made}, "contrasts": None}


def contrast(first: Any, second: Any, **more: Any) -> dict[str, Any]:
    return {"contrasts": {"c": {"first": first, "second": second, **more}}}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"replicatons": 3}, "replicatons: unknown key; allowed: .*did you mean 'replications'"),
    "no axes": ({"axes": {}}, "axes: found an empty mapping, allowed: a mapping of names, not empty"),
    "no scenario": ({"scenario": None}, "scenario: missing key; allowed: text"),
    "scenario that is not there": ({"scenario": "gone.yaml"}, "scenario: found 'gone.yaml', but there is no such file"),
    "scenario that leads out": (
        {"scenario": "../../../etc/passwd"},
        "scenario: found .*, allowed: a file in the study's folder or in the one above it",
    ),
    "set of an unknown key": ({"set": {"links.access.latency": 3}}, "links.access.latency: unknown key"),
    "set of an unknown link": ({"set": {"links.radio.delay_ms": 3}}, "found 'radio', allowed: a name in links"),
    "unknown policy": ({"policies": ["neura"]}, "policies: found 'neura', allowed: .*did you mean 'neuro'"),
    "unknown design": ({"design": "star"}, "design: found 'star' .*allowed: grid, one_at_a_time or latin_hypercube"),
    "samples without a hypercube": ({"samples": 5}, "samples: goes with design latin_hypercube"),
    "hypercube without samples": (
        {"design": "latin_hypercube", "contrasts": None},
        "samples: goes with design latin_hypercube",
    ),
    "replications and until": (
        {"until": {"metric": "on_time_accuracy", "half_width": 0.01}},
        "found replications beside until",
    ),
    "too few for a half width": (
        {"replications": None, "until": {"metric": "on_time_accuracy", "half_width": 0.01, "at_least": 5}},
        "until.at_least: found 5 .*allowed: a whole number at least 10",
    ),
    "no values": (axis(values=None), "axes.delay: found none, allowed: exactly one of values, range, log_range"),
    "two kinds of values": (
        axis(range={"low": 1, "high": 2, "count": 3}),
        "axes.delay: found values and range, allowed: exactly one of values, range, log_range",
    ),
    "empty values": (axis(values=[]), "axes.delay.values: found an empty list"),
    "a value twice": (axis(values=[1, 1]), "axes.delay: found a value twice"),
    "a value of the wrong kind": (axis(values=[1, "slow"]), "axes.delay.values.1: .*found 'slow' .*allowed: a number"),
    "a value out of range": (axis(values=[1, -2]), "axes.delay.values.1: .*found -2 .*allowed: a number at least 0"),
    "a key that is not there": (axis(key="links.access.lag"), "axes.delay.*links.access.lag: unknown key"),
    "range upside down": (
        axis(values=None, range={"low": 3, "high": 1, "count": 3}),
        "axes.delay.range.high: found 1, allowed: more than low",
    ),
    "logarithm of nothing": (
        axis(values=None, log_range={"low": 0, "high": 1, "count": 3}),
        "axes.delay.log_range: found low 0, allowed: above 0",
    ),
    "pairs of the wrong length": (
        axis(key=None, keys=["links.access.delay_ms", "devices.camera.count"], values=[[1, 2], [3]]),
        r"axes.delay: found \[3\] in values, allowed: lists of 2",
    ),
    "a base that is no value": (axis(base=3), "axes.delay.base: found 3, allowed: 1, 5"),
    "too few names": (axis(names=["one"]), "axes.delay: names: allowed: one for each of the values"),
    "one key on two axes": (
        {"axes": {"a": AXIS, "b": AXIS}, "contrasts": None},
        "axes.b: found links.access.delay_ms, which axes.a varies already",
    ),
    "an unknown policy on the axis": (
        {"axes": {"policy": {"key": "policy", "values": ["local", "nobody"]}}, "contrasts": None},
        "axes.policy.values.1: .*found 'nobody', allowed: a name in policies",
    ),
    "contrast of an unknown axis": (contrast({"lag": 1}, {"lag": 5}), "contrasts.c.first.lag: found 'lag', allowed"),
    "contrast at no value": (contrast({"delay": 2}, {"delay": 5}), "contrasts.c.first.delay: found 2, allowed: 1, 5"),
    "contrast of nothing": (contrast({"delay": 1}, {"delay": 1}), "contrasts.c: found the same on both sides"),
    "contrast with half a policy": (
        contrast({"policy": "local", "delay": 1}, {"delay": 5}),
        "contrasts.c: found policy on one side",
    ),
    "contrast of nobody": (
        contrast({"policy": "nobody"}, {"policy": "local"}),
        "contrasts.c.first.policy: found 'nobody', allowed: a policy that runs",
    ),
    "contrast of an unknown metric": (
        contrast({"delay": 1}, {"delay": 5}, metric="on_time_acuracy"),
        "contrasts.c.metric: found 'on_time_acuracy', allowed: .*did you mean 'on_time_accuracy'",
    ),
    "contrast of errors of classes": (
        contrast({"delay": 1}, {"delay": 5}, metric="on_time_error"),
        "contrasts.c.metric: found 'on_time_error', allowed",
    ),
    "contrast off the axis of deadlines": (
        contrast({"delay": 1}, {"delay": 5}, deadline_ms=16),
        r"contrasts.c.deadline_ms: found 16, allowed: a deadline of the scenario's deadlines_ms \(5, 15, 30\)",
    ),
    "half width of an unknown metric": (
        {"replications": None, "until": {"metric": "accuracy", "half_width": 0.01}},
        "until.metric: found 'accuracy', allowed",
    ),
    "half width off the axis of deadlines": (
        {"replications": None, "until": {"metric": "miss_ratio", "half_width": 0.01, "deadline_ms": 6}},
        "until.deadline_ms: found 6, allowed",
    ),
    "a half width that no share exceeds": (
        {"replications": None, "until": {"metric": "miss_ratio", "half_width": 1.5}},
        "until.half_width: found 1.5, allowed: below 1, as miss_ratio is a share",
    ),
    "an axis with the name of a column": (
        {"axes": {"n": AXIS}, "contrasts": None},
        "axes.n: found a name that the tables have for a column",
    ),
    "set of what an axis varies": (
        {"set": {"links.access.delay_ms": 3}},
        "set.links.access.delay_ms: found links.access.delay_ms, which axes.delay varies",
    ),
    "contrast of an unknown policy": (
        contrast({"delay": 1}, {"delay": 5}, policies=["neura"]),
        "contrasts.c.policies: found 'neura', allowed: .*did you mean 'neuro'",
    ),
    "contrast of policies beside a policy": (
        contrast({"policy": "local"}, {"policy": "neuro"}, policies=["neuro"]),
        "contrasts.c: found policies beside a side that names its policy",
    ),
    "a study of a study": ({"scenario": "study.yaml"}, "scenario: found 'study.yaml', which is a study, allowed"),
    "contrast off the star": (
        {"design": "one_at_a_time", **contrast({"delay": 5, "count": 3}, {"delay": 1})},
        "contrasts.c: found delay and count away from their base together",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_the_error_says_what_to_mend(tmp_path: Path, name: str):
    changes, message = BAD[name]
    path = write_study(tmp_path, changes)
    with pytest.raises(InputError, match=message) as error:
        read_study(path)
    assert str(path) in str(error.value), "the file is named"
    assert len(str(error.value).splitlines()) <= 2


def test_the_line_of_a_bad_value_is_named(tmp_path: Path):
    path = write_study(tmp_path, axis(values=[1, -2]))
    line = path.read_text().splitlines().index("    -2") + 1
    with pytest.raises(InputError, match=rf"study.yaml:{line}:"):
        read_study(path)


def test_the_command_ends_with_2_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = write_study(tmp_path, axis(values=[-1]))
    with pytest.raises(SystemExit) as stop:
        main(["study", str(path), "--out", str(tmp_path / "out")])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {path}:")
    assert not (tmp_path / "out").exists()


def test_a_scenario_is_no_study_and_the_other_way_round(tmp_path: Path):
    path = write_study(tmp_path)
    with pytest.raises(InputError, match="small.yaml: found a scenario, allowed: a study; edgesim run"):
        read_study(path.with_name("small.yaml"))
    with pytest.raises(InputError, match="study.yaml: found a study, allowed: a scenario; edgesim study"):
        load_scenario(path)


@pytest.mark.parametrize("command", ["status", "resume", "export"])
def test_a_folder_without_a_study_is_refused(tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]):
    more = [str(tmp_path / "table.csv")] if command == "export" else []
    with pytest.raises(SystemExit) as stop:
        main(["study", command, str(tmp_path), *more])
    assert stop.value.code == 2
    assert "allowed: the results folder of a study" in capsys.readouterr().err


def test_replications_in_place_of_until_are_refused_by_their_option(tmp_path: Path):
    until = {"metric": "miss_ratio", "half_width": 0.1}
    path = write_study(tmp_path, {"replications": None, "until": until})
    with pytest.raises(InputError, match="^--replications: the study says until, allowed: until.at_least and at_most"):
        read_study(path, [("replications", 3)])
