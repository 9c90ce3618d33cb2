"""A user's own policy, from a file beside the scenario or from a package."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from edgesim.cli import main
from edgesim.errors import InputError
from edgesim.policies.registry import user_class
from edgesim.scenario.load import load_scenario
from edgesim.scenario.scenario import Scenario
from edgesim.studies.cells import check_needs
from edgesim.studies.run import run_scenario

SCENARIO = """\
name: own
duration_s: 5
replications: 1
data: {source: none}
models:
  toy: {source: synthetic, blocks_ms: [1, 2], exits: [1, 2], state_bytes: [500, 300], accuracy: [0.7, 0.9]}
devices:
  camera:
    arrivals: {process: periodic, rate_hz: 2}
    deadline: {distribution: fixed, ms: 20, known: KNOWN}
    link: access
    server: edge
links:
  access:
    up: {process: constant, rate_mbps: 10}
    down: {process: constant, rate_mbps: 10}
    delay_ms: 1
    prior_mbps: 10
servers:
  edge: {}
policies:
  local: {type: device_only}
  mine: {type: "TYPE", options: OPTIONS}
"""
POLICY = """\
from edgesim.policies.base import Needs, Policy
from edgesim.policies.plans import to_exit

class Mine(Policy):
    def __init__(self, models, exit=0):
        super().__init__(models)
        self.exit = exit

    def next_steps(self, request, view):
        return to_exit(self.facts.models["toy"].shape, self.exit)

class Curious(Mine):
    needs = Needs(deadline="exact")

class Knowing(Mine):
    needs = Needs(deadline="distribution")

class Idle(Policy):
    pass

class NoPolicy:
    pass
"""


@pytest.fixture(autouse=True)
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesim.results.plots.draw_all", lambda folder, manifest: [])


def written(folder: Path, kind: str, options: str = "{}", policy: str = POLICY, known: str = "exact") -> Scenario:
    (folder / "mine.py").write_text(policy)
    text = SCENARIO.replace("TYPE", kind).replace("OPTIONS", options).replace("KNOWN", known)
    (folder / "own.yaml").write_text(text)
    return load_scenario(folder / "own.yaml")


def refused(scenario: Scenario, out: Path) -> str:
    """What the run is refused with; nothing has been written by then."""
    with pytest.raises(InputError) as caught:
        run_scenario(scenario, out)
    assert not out.exists()
    return str(caught.value)


@pytest.mark.parametrize("exit", [0, 1])
def test_a_file_beside_the_scenario(tmp_path: Path, exit: int) -> None:
    run = run_scenario(written(tmp_path, "mine.py:Mine", f"{{exit: {exit}}}"), tmp_path / "out")
    (each,) = run.summary["policies"]["mine"]["runs"]
    assert list(each["exits"].values()) == [1.0] and str(exit) in next(iter(each["exits"]))
    assert list(run.manifest["files"]) == ["mine.py"]


def test_a_module_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "my_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "policies.py").write_text(POLICY)
    monkeypatch.syspath_prepend(tmp_path / "site")
    scenario = written(tmp_path, "my_package.policies:Mine")
    assert user_class(scenario.policies["mine"]).__module__ == "my_package.policies"
    first = run_scenario(scenario, tmp_path / "out")
    assert list(first.manifest["files"]) == ["site/my_package/policies.py"]
    (package / "policies.py").write_text(POLICY + "# changed\n")
    assert run_scenario(scenario, tmp_path / "out").folder != first.folder, "what is in the file is part of the run"


def test_two_files_of_one_name_are_two_policies(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, other = written(tmp_path / "a", "mine.py:Mine"), written(tmp_path / "b", "mine.py:Mine", policy=POLICY + "\n")
    assert user_class(one.policies["mine"]) is not user_class(other.policies["mine"])
    assert user_class(one.policies["mine"]) is user_class(one.policies["mine"])


REFUSED = {
    "no such class": (
        "mine.py:Nobody",
        "{}",
        POLICY,
        "Nobody is not in mine.py",
    ),
    "no policy": ("mine.py:NoPolicy", "{}", POLICY, "NoPolicy is no subclass of edgesim.policies.base.Policy"),
    "nothing to do": ("mine.py:Idle", "{}", POLICY, "Idle does not say what to do: define next_steps"),
    "an option too many": ("mine.py:Mine", "{colour: red}", POLICY, "options .* do not fit: .*colour"),
    "no Python": ("mine.py:Mine", "{}", "def (:\n", "mine.py could not be loaded: SyntaxError: .*line 1"),
    "an import that fails": ("mine.py:Mine", "{}", "import no_such_thing\n", "ModuleNotFoundError: .*no_such_thing"),
    "an error on import": ("mine.py:Mine", "{}", "1 / 0\n", "could not be loaded: ZeroDivisionError"),
    "no such module": ("no_such_package.policies:Mine", "{}", POLICY, "ModuleNotFoundError: .*no_such_package"),
}


@pytest.mark.parametrize(("kind", "options", "policy", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_used_is_refused_at_its_line(
    tmp_path: Path, kind: str, options: str, policy: str, message: str
) -> None:
    said = refused(written(tmp_path, kind, options, policy), tmp_path / "out")
    line = SCENARIO.splitlines().index('  mine: {type: "TYPE", options: OPTIONS}') + 1
    assert said.startswith(f"{tmp_path / 'own.yaml'}:{line}:") and "policies.mine" in said and "\n" not in said
    assert re.search(message, said), said


def test_a_missing_file_is_refused_by_the_scenario(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="policies.mine: found 'yours.py'.*no such file"):
        written(tmp_path, "yours.py:Mine")


@pytest.mark.parametrize(
    ("kind", "known", "fits"),
    [
        ("Mine", "none", True),
        ("Knowing", "none", False),
        ("Knowing", "distribution", True),
        ("Knowing", "exact", True),
        ("Curious", "none", False),
        ("Curious", "distribution", False),
        ("Curious", "exact", True),
    ],
)
def test_needs_that_are_not_met_are_refused(tmp_path: Path, kind: str, known: str, fits: bool) -> None:
    scenario = written(tmp_path, f"mine.py:{kind}", known=known)
    if fits:
        check_needs(scenario)
        return
    said = refused(scenario, tmp_path / "out")
    assert said.startswith(f"{tmp_path / 'own.yaml'}:") and "policies.mine" in said
    assert f"found '{known}' at devices.camera.deadline.known" in said


def test_the_command_ends_with_one_message_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, "mine.py:Curious", known="none")
    monkeypatch.setattr(sys, "argv", ["edgesim", "run", str(tmp_path / "own.yaml"), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and said[0].startswith("error: ") and "own.yaml:23:" in said[0]
    assert not (tmp_path / "out").exists()
