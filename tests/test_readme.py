"""What README and docs tell a newcomer to write works as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import copy, copytree
from typing import Any

import pandas as pd
import pytest
import typer
from distributed.cli import dask_scheduler, dask_worker
from pages import PAGES, ROOT, Snippet, snippet, snippets
from ruamel.yaml import YAML

import edgesim
from edgesim import cli
from edgesim.models.zoo import zoo_names
from edgesim.profiling.profile import SHIPPED
from edgesim.studies.read_study import read_study
from edgesim.studies.run import Run, run_scenario

TOY = (
    "{source: synthetic, blocks_ms: [0.4, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], branch_ms: 0.05, exits: [2, 3, 4, 5, 6, 7], "
    "state_bytes: [550, 4812, 4812, 4812, 4812, 4812, 4812], accuracy: [0.8, 0.83, 0.86, 0.88, 0.9, 0.91]}"
)
SMALL = [
    f"models.fashion={TOY}",
    "data={source: none}",
    "devices.camera.processor={factor: 6}",
    "servers.edge.processor={factor: 0.2}",
    "duration_s=6",
    "replications=2",
]
"""Overrides that make a shipped scenario run within seconds, whether or not the zoo has its model."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a newcomer who has everything that the pages name."""
    copytree(ROOT / "scenarios", tmp_path / "scenarios")
    copy(ROOT / "scenarios" / "my_policy.py", tmp_path)
    (tmp_path / "deeper_when_idle.py").write_text(snippet("own_policy.md", "python").text)
    for name in ("pi.json", "theirs.json", "my_vit.json"):
        copy(SHIPPED / "fashion_vit.json", tmp_path / name)
    (tmp_path / "deit_fashion.safetensors").touch()
    (tmp_path / "answers").mkdir()
    for name in ("rail.csv", "bus.csv"):
        (tmp_path / name).write_text(snippet("README.md", "csv", "rail.csv").text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def quickstart(folder: Path) -> Run:
    return run_scenario(edgesim.read_scenario("scenarios/quickstart.yaml", SMALL), Path("runs"))


def shown(value: object) -> str:
    return str(value) if isinstance(value, str | Snippet) else ""


# Scenarios


def scenarios() -> Iterator[tuple[Snippet, dict[str, Any]]]:
    """Every YAML snippet as a whole scenario: ``add`` goes on with the one before, ``part`` fits into any.

    The pages that bring something of one's own go on with the README's.  Some end with a scenario that others do not
    go on with: these come last.
    """
    whole: dict[str, Any] = {}
    found = [each for each in snippets("yaml") if each.mark not in ("study", "kubernetes")]
    for each in sorted(found, key=_place_in_the_story):
        given = YAML(typ="safe").load(each.text)
        whole = merged(whole, given) if each.mark else given
        yield each, whole


def _place_in_the_story(each: Snippet) -> int:
    if each.page in ("own_model.md", "tutorial.md"):
        return 3
    return 0 if each.page == "README.md" else 1 if each.page.startswith("own_") else 2


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Mappings of names are joined, what has a kind of its own is replaced."""
    joined = {
        key: merged(below[key], value)
        for key, value in above.items()
        if key in below and isinstance(value, dict) and not {"process", "distribution"} & value.keys()
    }
    return below | above | joined


@pytest.mark.parametrize(("where", "scenario"), list(scenarios()), ids=shown)
def test_scenarios_load(where: Snippet, scenario: dict[str, Any], folder: Path) -> None:
    with (folder / "scenario.yaml").open("w") as file:
        YAML().dump(scenario, file)
    edgesim.read_scenario("scenario.yaml")


@pytest.mark.parametrize("text", snippets("yaml", "study"), ids=str)
def test_studies_load(text: Snippet, folder: Path) -> None:
    write_scenarios(folder)
    (folder / "study.yaml").write_text(text.text)
    read_study(folder / "study.yaml")


def write_scenarios(folder: Path) -> None:
    """Every scenario that the pages build, as NAME.yaml, with all that is added to it."""
    for where, scenario in scenarios():
        if where.mark in ("", "add"):
            with (folder / f"{scenario['name']}.yaml").open("w") as file:
                YAML().dump(scenario, file)


def test_the_study_of_the_tutorial_runs(folder: Path) -> None:
    """On a made-up network, and for a short time."""
    write_scenarios(folder)
    asked = YAML(typ="safe").load(snippet("tutorial.md", "yaml", "study").text)
    small = {key: YAML(typ="safe").load(value) for key, value in (change.split("=", 1) for change in SMALL[:-1])}
    found = edgesim.study({**asked, "set": small}, replications=2)
    assert len(found.cells) == 9 and not found.failures
    assert found.contrasts().policy.tolist() == ["device_only", "server_only", "exit_then_image"]


@pytest.mark.parametrize("file", sorted((ROOT / "scenarios" / "studies").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_studies_load(file: Path) -> None:
    if file.stem == "cameras":
        assert edgesim.read_scenario(file).name == "cameras"
    else:
        assert read_study(file)[0].study == file.stem


@pytest.mark.parametrize("file", sorted((ROOT / "scenarios").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_scenarios_load(file: Path) -> None:
    assert edgesim.read_scenario(file).name == file.stem


def test_the_smallest_policy_runs(folder: Path) -> None:
    (folder / "smallest.py").write_text(snippet("policies.md", "python").text)
    changes = ["policies={mine: {type: 'smallest.py:SendWhenFast', options: {least_mbps: 2.9}}}"]
    run = run_scenario(edgesim.read_scenario("scenarios/quickstart.yaml", [*SMALL, *changes]), folder / "runs")
    sent = pd.read_parquet(run.folder / "requests.parquet").bytes_up > 0
    assert 0 < sent.mean() < 1


def test_the_policy_of_the_how_to_runs(folder: Path) -> None:
    """Often enough others wait."""
    copy("deeper_when_idle.py", "scenarios")
    found = YAML(typ="safe").load(snippet("own_policy.md", "yaml", "part").text)["policies"]["deeper_when_idle"]
    changes = [f"policies={{mine: {{type: '{found['type']}'}}}}", "devices.camera.arrivals.rate_hz=30"]
    run = run_scenario(edgesim.read_scenario("scenarios/quickstart.yaml", [*SMALL, *changes]), folder / "runs")
    requests = pd.read_parquet(run.folder / "requests.parquet")
    assert set(requests.exit[requests.answers == 1]) == {0} and set(requests.exit[requests.answers == 2]) == {5}


# Python


@pytest.mark.parametrize("code", snippets("python"), ids=str)
def test_python_compiles(code: Snippet) -> None:
    compile(code.text, str(code), "exec")


@pytest.mark.parametrize("code", snippets("python", ""), ids=str)
def test_python_runs(code: Snippet, folder: Path) -> None:
    execute(code)


def test_results_are_read_with_pandas(quickstart: Run) -> None:
    names = execute(snippet("README.md", "python", "results"))
    assert names["folder"] == quickstart.folder
    assert set(names["at_50"].policy.unique()) == set(quickstart.summary["policies"])
    assert not names["points"].duplicated(["policy", "deadline_ms"]).any()


def test_a_run_from_python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = edgesim.run
    monkeypatch.setattr(edgesim, "run", lambda path, changes, **options: run(path, [*changes, *SMALL[:-1]], **options))
    names = execute(snippet("README.md", "python", "run"))
    assert names["run"].summary["replications"] == 3
    assert names["run"].policies == ["anytime"]


@pytest.mark.parametrize("code", snippets("python", "small"), ids=str)
def test_small_runs_and_studies_from_python(code: Snippet, quickstart: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what makes the quickstart small, and the folder that it has left."""
    run, study, load = edgesim.run, edgesim.study, edgesim.load
    small = {key: YAML(typ="safe").load(value) for key, value in (change.split("=", 1) for change in SMALL[:-1])}
    monkeypatch.setattr(edgesim, "run", lambda path, changes=(), **options: run(path, [*SMALL, *changes], **options))
    monkeypatch.setattr(edgesim, "study", lambda asked, **options: study({**asked, "set": small}, **options))
    monkeypatch.setattr(edgesim, "load", lambda path: load(quickstart.folder))
    execute(code)


def test_weights_of_ones_own_fit_the_scenario(folder: Path) -> None:
    from edgesim.models.build import create_model
    from edgesim.scenario.models import TimmModel

    made = execute(snippet("README.md", "python", "model"))["model"]
    spec = next(found["models"]["deit"] for _, found in scenarios() if "deit" in found["models"])
    model = create_model(TimmModel.model_validate(spec), num_classes=10)
    assert model.exits == made.exits == (5, 9, 13)


def execute(code: Snippet) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(code.text, str(code), "exec"), names)
    return names


# Commands


def commands() -> list[list[str]]:
    """The words of every command of edgesim on the pages."""
    lines = [line for each in snippets("bash") for line in each.text.splitlines()]
    found = [shlex.split(part, comments=True) for line in lines for part in line.split("&&")]
    return [words[1:] for words in found if words[:1] == ["edgesim"]]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_parse(words: list[str]) -> None:
    command = typer.main.get_command(cli.app)
    context = command.make_context("edgesim", list(words))
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)


def dask_commands() -> list[list[str]]:
    """The words of every command of Dask on the pages, in shells and in containers."""
    lines = [shlex.split(line, comments=True) for each in snippets("bash") for line in each.text.splitlines()]
    found = [words[words.index("dask") :] for words in lines if "dask" in words]
    for each in snippets("yaml", "kubernetes"):
        for part in YAML(typ="safe").load_all(each.text):
            containers = part["spec"].get("template", {}).get("spec", {}).get("containers", [])
            found += [container["args"] for container in containers if container["args"][0] == "dask"]
    return [[word for word in words if word != "&"] for words in found]


@pytest.mark.parametrize("words", dask_commands(), ids=" ".join)
def test_dask_commands_parse(words: list[str]) -> None:
    """An option that Dask does not know would be left over for its preload scripts."""
    command = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}[words[1]]
    assert not command.make_context(words[1], words[2:]).params["preload_argv"]


@pytest.mark.parametrize("script", snippets("bash", "slurm"), ids=str)
def test_batch_scripts_are_shell(script: Snippet) -> None:
    subprocess.run(["bash", "-n"], input=script.text, text=True, check=True)


def test_jobs_run_edgesim() -> None:
    for each in snippets("yaml", "kubernetes"):
        (job,) = [part for part in YAML(typ="safe").load_all(each.text) if part["kind"] == "Job"]
        name, *words = job["spec"]["template"]["spec"]["containers"][0]["args"]
        assert name == "edgesim"
        test_commands_parse(words)


def test_the_table_of_commands_is_whole() -> None:
    table = snippet_free_section("## Commands")
    rows = dict(re.findall(r"^\| `edgesim ([a-z ]+?)(?: [A-Z-].*?)?` \| (.*) \|$", table, flags=re.MULTILINE))
    known = {" ".join(names): options for names, options in leaves(typer.main.get_command(cli.app))}
    assert rows.keys() == known.keys()
    for name, said in rows.items():
        assert set(re.findall(r"--[a-z-]+", said)) == known[name] - {"--out"} | (
            {"--out"} if name in ("run", "study") else set()
        )


def leaves(command: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from leaves(inner, (*names, name))
    elif names == ("validate", "theory"):
        yield names, set()
    else:
        shown = names[:1] if names == ("study", "run") else names
        yield shown, {option for param in command.params for option in param.opts if option.startswith("--")}


def snippet_free_section(heading: str) -> str:
    return PAGES[0].read_text(encoding="utf-8").split(heading)[1].split("\n## ")[0]


def test_answers_are_imported_as_the_page_says(folder: Path) -> None:
    execute(next(each for each in snippets("python", "") if "logits" in each.text))
    lines = snippet("outcomes.md", "bash").text.splitlines()
    for line in lines:
        with pytest.raises(SystemExit, match="^0$"):
            cli.main(shlex.split(line)[1:])
    files = {path.relative_to("answers").as_posix() for path in Path("answers").rglob("*.npz")}
    assert files == {f"{split}/{path}.npz" for split in ("validation", "test") for path in ("local", "2-int8")}


def test_installing_takes_two_commands() -> None:
    told = [each.text.strip() for each in snippets("bash", "install")]
    assert told == ["pip install . && edgesim run scenarios/quickstart.yaml", "pip install -e '.[test]' && pytest"]


# Links


def links() -> Iterator[tuple[str, Path]]:
    """Those to docs/reference/ lead somewhere in the built site only, which tests/test_site.py looks at."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("reference/"):
                yield f"{page.name}: {target}", page.parent / target


@pytest.mark.parametrize(("said", "target"), list(links()), ids=shown)
def test_links_lead_somewhere(said: str, target: Path) -> None:
    if target.suffix == ".png" and not zoo_names():
        pytest.skip("the picture is drawn with the shipped model, and the zoo is empty")
    assert target.exists()
