"""What ``edgesim.run``, ``edgesim.study`` and ``edgesim.load`` do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgesim.errors import InputError
from edgesim.results.results import Results
from edgesim.scenario.load import build_scenario, load_scenario
from edgesim.scenario.scenario import Scenario
from edgesim.studies.conduct import LEDGER, conduct
from edgesim.studies.findings import Findings
from edgesim.studies.publish import publish
from edgesim.studies.read_study import build_study, read_study
from edgesim.studies.run import run_scenario


def run_from_python(
    scenario: Scenario | str | Path,
    overrides: Sequence[str],
    policies: Sequence[str],
    out: Path,
    jobs: int,
    force: bool,
) -> Results:
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(Path(scenario), overrides)
    elif overrides:
        scenario = build_scenario(scenario.resolved(), scenario.folder, overrides)
    return Results(run_scenario(scenario.only(policies), out, jobs, force).folder)


def study_from_python(
    given: str | Path | Mapping[str, Any], replications: int | None, out: Path, jobs: int, scheduler: str | None
) -> Findings:
    changes = [] if replications is None else [("replications", replications)]
    if isinstance(given, Mapping):
        study, base = build_study(given, Path(), changes)
    else:
        study, base = read_study(Path(given), changes)
    findings = Findings(conduct(study, base, out, jobs, scheduler).folder)
    publish(findings)
    return findings


def load_from_python(folder: Path) -> Results | Findings:
    if (folder / LEDGER).is_file():
        return Findings(folder)
    if (folder / "manifest.json").is_file():
        return Results(folder)
    raise InputError(f"{folder}: found neither manifest.json nor {LEDGER} there; allowed: the results folder of a run "
                     "or of a study")  # fmt: skip
