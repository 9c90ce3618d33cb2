"""``edgesim run``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from edgesim.commands.console import output
from edgesim.commands.progress import progress_bars
from edgesim.results.terminal import print_summary
from edgesim.scenario.load import load_scenario
from edgesim.studies.run import run_scenario


def run_command(
    path: Path,
    policies: Sequence[str],
    overrides: Sequence[str],
    seed: int | None,
    replications: int | None,
    jobs: int,
    out: Path,
    force: bool,
) -> None:
    console = output()
    given = {"seed": seed, "replications": replications}
    options = {key: value for key, value in given.items() if value is not None}
    scenario = load_scenario(path, overrides, options).only(policies)
    with progress_bars(Console(stderr=True)) as report:
        run = run_scenario(scenario, out, jobs, force, report)
    print_summary(run.summary, console)
    for warning in run.manifest["warnings"]:
        console.print(f"[yellow]note:[/yellow] {warning}", highlight=False)
    if run.manifest["live_agreement"]:
        console.print(f"live beside tabled answers: {json.dumps(run.manifest['live_agreement'])}", highlight=False)
    console.print(f"{'found in' if run.reused else 'written to'} {run.folder}", highlight=False, soft_wrap=True)
