"""``edgesim study``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from edgesim.commands.console import output
from edgesim.commands.progress import progress_bars
from edgesim.errors import InputError
from edgesim.results.measure import ACCURACY, ERROR
from edgesim.results.report import NAME
from edgesim.results.terminal import print_labels
from edgesim.scenario.problems import not_among
from edgesim.studies.answers import answer
from edgesim.studies.asked import deadline_asked, measure_asked
from edgesim.studies.best import best_policies
from edgesim.studies.conduct import Conducted, conduct, resume
from edgesim.studies.findings import Findings
from edgesim.studies.publish import publish
from edgesim.studies.read_study import read_study
from edgesim.studies.study_report import study_alerts

MOST_LINES = 10
"""Failures, or warnings, that the terminal lists."""


def run_command(path: Path, replications: int | None, jobs: int, scheduler: str | None, out: Path) -> None:
    study, base = read_study(path, [] if replications is None else [("replications", replications)])
    with _told_when_stopped(), progress_bars(Console(stderr=True)) as report:
        found = conduct(study, base, out, jobs, scheduler, report)
    _finish(found)


def resume_command(folder: Path, jobs: int, scheduler: str | None) -> None:
    with _told_when_stopped(), progress_bars(Console(stderr=True)) as report:
        found = resume(folder, jobs, scheduler, report)
    _finish(found)


def status_command(folder: Path) -> None:
    findings = Findings(folder)
    _print_state(findings)
    _print_warnings(findings)


def export_command(folder: Path, out: Path, quantities: Sequence[str], replications: bool) -> None:
    if out.suffix not in (".parquet", ".csv"):
        raise InputError(f"{out}: found {out.suffix or 'no ending'}, allowed: .parquet or .csv")
    findings = Findings(folder)
    wanted = quantities or None
    for name in quantities:
        if name not in findings.quantities:
            raise InputError(f"--quantity {not_among(name, findings.quantities, 'one that was measured')}")
    frame = findings.replications(wanted) if replications else findings.summaries(wanted)
    if frame.empty:
        raise InputError(f"{folder}: nothing is measured yet")
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        frame.to_csv(partial, index=False) if out.suffix == ".csv" else frame.to_parquet(partial, index=False)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    output().print(f"{len(frame):,} rows written to {out}", highlight=False, soft_wrap=True)


@contextmanager
def _told_when_stopped() -> Iterator[None]:
    """Ctrl-C says what is kept, and how to go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        for sentence in stop.args:
            Console(stderr=True).print(sentence, highlight=False, soft_wrap=True)
        raise


def _finish(found: Conducted) -> None:
    findings = Findings(found.folder)
    publish(findings)
    _print_state(findings)
    _print_answer(findings)
    print_labels(findings.manifest["labels"], output(), "the report")
    _print_warnings(findings)
    said = f"{'found in' if found.reused else 'written to'} {found.folder}; {NAME} there answers in words"
    output().print(said, highlight=False, soft_wrap=True)
    if found.failures:
        raise SystemExit(1)


def _print_answer(findings: Findings) -> None:
    console, summaries = output(), findings.summaries([ACCURACY.key, ERROR.key])
    measure = measure_asked(summaries)
    deadline_ms = deadline_asked(findings, summaries, measure)
    best = list(best_policies(findings, measure, deadline_ms))
    for asked, sentences in answer(findings, findings.contrasts(), best, measure, deadline_ms):
        console.print(asked, highlight=False, markup=False, style="bold")
        for sentence in sentences:
            console.print(f"  {sentence}", highlight=False, markup=False)


def _of(findings: Findings) -> str:
    """How many replications there are to be, where that is known."""
    study = findings.study
    return "" if study.until is not None else f" of {findings.counts.cells * study.replications:,}"


def _print_state(findings: Findings) -> None:
    console, counts = output(), findings.counts
    for alert in study_alerts(findings):
        console.print(alert, highlight=False, markup=False, style="yellow")
    console.print(f"{findings.study.study}: {findings.study.question}", highlight=False, markup=False)
    console.print(
        f"{counts.cells:,} cells, {counts.finished:,}{_of(findings)} replications finished in "
        f"{findings.seconds:,.0f} s of work, "
        f"{counts.failed:,} failed",
        highlight=False,
    )
    for cell, number, why in findings.failures[:MOST_LINES]:
        console.print(f"cell {cell}, replication {number} failed: {why}", highlight=False, markup=False, style="red")
    if len(findings.failures) > MOST_LINES:
        console.print(f"... and {len(findings.failures) - MOST_LINES} more")


def _print_warnings(findings: Findings) -> None:
    console, warnings = output(), findings.warnings
    for warning in warnings[:MOST_LINES]:
        console.print(f"Warning: {warning}", highlight=False, markup=False, style="yellow")
    if len(warnings) > MOST_LINES:
        console.print(f"... and {len(warnings) - MOST_LINES} more warnings: {NAME}", style="yellow")
