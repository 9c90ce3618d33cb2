"""``edgesim report``."""

from __future__ import annotations

from pathlib import Path

from edgesim.commands.console import output
from edgesim.errors import InputError
from edgesim.results.report import NAME, Page, write_report


def report_command(folder: Path, out: Path | None) -> None:
    path = folder / NAME if out is None else out
    write_report(page_of(folder), path)
    output().print(f"written to {path}", highlight=False, soft_wrap=True)


def page_of(folder: Path) -> Page:
    """The report of a results folder.  Raises InputError where there are no results."""
    if (folder / "manifest.json").exists():
        from edgesim.results.run_report import run_page

        return run_page(folder)
    from edgesim.studies.conduct import LEDGER

    if (folder / LEDGER).exists():
        from edgesim.studies.findings import Findings
        from edgesim.studies.plots import captions_of, draw_study
        from edgesim.studies.study_report import study_page

        findings = Findings(folder)
        if not captions_of(folder):  # it was stopped before anything was drawn
            draw_study(findings)
        return study_page(findings)
    raise InputError(f"{folder}: holds neither the results of a run (manifest.json) nor those of a study ({LEDGER})")
