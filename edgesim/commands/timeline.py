"""``edgesim timeline``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from edgesim.commands.console import output
from edgesim.commands.progress import progress_bars
from edgesim.errors import InputError
from edgesim.results.timeline import write_timeline
from edgesim.studies.timeline import run_of, timeline_of


def timeline_command(
    run: Path,
    requests: str,
    policy: str | None,
    replication: int,
    deadline_ms: float | None,
    scenario_folder: Path | None,
    out: Path | None,
) -> None:
    chosen = _range(requests)
    folder, beside = (run_of(run), run.parent) if run.is_file() else (run, Path())
    where = beside if scenario_folder is None else scenario_folder
    with progress_bars(Console(stderr=True)) as report:
        found = timeline_of(folder, chosen, policy, replication, deadline_ms, where, report)
    path = folder / _name(found.about) if out is None else out
    write_timeline(found, path)
    output().print(f"written to {path}: open it in https://ui.perfetto.dev", highlight=False, soft_wrap=True)


def _name(about: Mapping[str, Any]) -> str:
    """Of the file for one cell."""
    deadline_ms = about["deadline_ms"]
    at = "" if deadline_ms is None else f"-{deadline_ms:g}ms"
    return f"timeline-{about['policy']}-{about['replication']}{at}.json"


def _range(text: str) -> range:
    """From ``a..b``, both included."""
    found = re.fullmatch(r"(\d+)\.\.(\d+)", text)
    if found is None or int(found[1]) > int(found[2]):
        raise InputError(f"--requests {text}: allowed: a..b, numbers by arrival from 0, a <= b, such as 0..199")
    return range(int(found[1]), int(found[2]) + 1)
