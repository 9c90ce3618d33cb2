"""The command line as a whole: help, entry points, what it imports, what it says where it is used wrongly."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgesim.cli import app, main
from edgesim.scenario.load import load_scenario

COMMANDS = (
    "run",
    "study",
    "report",
    "profile",
    "train",
    "devices",
    "models",
    "outcomes",
    "schema",
    "init",
    "validate",
    "trace",
)
HEAVY = {"torch", "timm", "pandas", "matplotlib", "scipy", "numpy", "pyarrow", "pydantic", "simpy", "ruamel.yaml"}

runner = CliRunner(env={"COLUMNS": "200"})


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True)


def test_help_names_every_command() -> None:
    said = runner.invoke(app, ["--help"])
    assert said.exit_code == 0 and all(f" {name} " in said.output for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run",), ("--policy", "--set", "--seed", "--replications", "--jobs", "--out", "--force", "SCENARIO")),
        (("profile",), ("--out", "--threads", "--script", "--import")),
        (("train",), ("CONFIG", "--export")),
        (("models", "cuts"), ("NAME", "--img-size")),
        (("models", "import"), ("CHECKPOINT", "--as", "--out")),
        (("outcomes", "import"), ("SOURCE", "FOLDER", "--split", "--path")),
        (("trace", "fit"), ("FILE", "--format", "--where", "--step-ms", "--states", "--seed", "--json")),
        (("init",), ("FILE",)),
        (("validate", "theory"), ("--requests", "--seed")),
        (
            ("trace", "show"),
            ("FILE", "--format", "--time-column", "--rate-column", "--unit", "--where", "--plot", "--json"),
        ),
    ],
)
def test_help_of_a_command(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    said = runner.invoke(app, [*arguments, "--help"])
    assert said.exit_code == 0 and all(word.lower() in said.output.lower() for word in words)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("run",),
        ("run", "a.yaml", "--seed", "one"),
        ("run", "a.yaml", "--jobs", "0"),
        ("run", "a.yaml", "--no-such-option"),
        ("models", "cuts"),
        ("models", "import", "a.pth"),
        ("outcomes", "import", "a.npz"),
        ("validate", "theory", "--requests", "5"),
    ],
)
def test_wrong_use_is_refused_in_words(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    err = capsys.readouterr().err
    assert ended.value.code == 2 and "Usage:" in err and "Traceback" not in err


def test_it_is_a_module(tmp_path: Path) -> None:
    said = python("-m", "edgesim", "--help", cwd=tmp_path)
    assert said.returncode == 0 and "Usage:" in said.stdout
    said = python("-m", "edgesim", "run", "gone.yaml", cwd=tmp_path)
    assert said.returncode == 2 and said.stderr.strip() == "error: gone.yaml: cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("arguments", "light"),
    [
        (["--help"], set()),
        (["run", "--help"], {"pydantic"}),
        (["profile", "--help"], {"pydantic"}),
        (["models", "cuts", "--help"], {"pydantic"}),
    ],
)
def test_help_imports_nothing_heavy(arguments: list[str], light: set[str], tmp_path: Path) -> None:
    """light: what typer itself imports to read arguments."""
    code = (
        f"import sys\nfrom edgesim.cli import main\ntry: main({arguments})\n"
        "finally: print('modules', *sys.modules, file=sys.stderr)"
    )
    said = python("-c", code, cwd=tmp_path)
    modules = said.stderr.split()
    assert "edgesim.cli" in modules and not (HEAVY - light) & set(modules)


@pytest.mark.parametrize(
    ("arguments", "keys"), [([], {"models", "devices", "policies"}), (["--study"], {"study", "axes", "contrasts"})]
)
def test_schema_is_json(arguments: list[str], keys: set[str]) -> None:
    said = runner.invoke(app, ["schema", *arguments])
    schema = json.loads(said.output)
    assert said.exit_code == 0 and keys <= set(schema["properties"])


@pytest.mark.parametrize(
    ("file", "name"),
    [("mine.yaml", "mine"), ("my first one.yaml", "my-first-one"), ("12.yaml", "12"), ("_.yaml", "starter")],
)
def test_init_writes_a_scenario_that_loads(file: str, name: str, tmp_path: Path) -> None:
    said = runner.invoke(app, ["init", str(tmp_path / file)])
    assert said.exit_code == 0 and "edgesim run" in said.output
    assert load_scenario(tmp_path / file).name == name


def test_init_keeps_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    for target, words in ((file, "is there already"), (tmp_path / "gone" / "mine.yaml", "No such file or directory")):
        with pytest.raises(SystemExit) as ended:
            main(["init", str(target)])
        err = capsys.readouterr().err
        assert ended.value.code == 2 and err.startswith(f"error: {target}") and words in err
    assert file.read_text() == "mine" and [*tmp_path.iterdir()] == [file]


def test_a_warning_is_one_plain_line() -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert warnings.formatwarning("a file is corrupt", UserWarning, "file.py", 1) == "warning: a file is corrupt\n"
