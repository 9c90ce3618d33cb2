"""The report of a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgesim.results.in_words import best_policy, best_sentence, comparisons
from edgesim.results.provenance import as_yaml, provenance
from edgesim.results.recorded import read_json
from edgesim.results.report import Group, Page, Section
from edgesim.results.report_pictures import picture_section
from edgesim.results.summary import read_summary
from edgesim.results.summary_tables import cost_table, deadline_table
from edgesim.results.trust import marks, trust_section

CAPTIONS = {
    "on_time_accuracy": "On-time accuracy against the deadline: the share of all requests answered, and right, by then",
    "on_time_error": "On-time mean absolute error against the deadline, of all requests",
    "decomposition": "Where the time goes, waits apart from work",
    "fronts": "What accuracy costs: latency, energy, bytes",
    "shares": "Which exits answered, and which cuts were sent",
    "latency_cdf": "The distribution of latencies",
    "regret": "Regret over the requests, against the best in hindsight",
    "time_series": "One device over time: its uplink, what was decided, and how long it took",
    "reliability": "How far the exits' confidence can be trusted",
}
"""Pictures in the order of the page."""


def run_page(folder: Path) -> Page:
    """What a finished run has found.  Raises InputError where a file of it is missing or broken."""
    manifest, summary = read_json(folder / "manifest.json"), read_summary(folder)
    name, labels = summary["name"], summary["labels"]
    return Page(
        kind="run",
        name=name,
        lead=_lead(summary),
        alerts=[],
        marks=marks(labels),
        sections=[
            _answer(summary),
            picture_section(folder, CAPTIONS),
            Section("Tables", "tables", tables=[deadline_table(summary), cost_table(summary)]),
            warning_section([*summary["warnings"], *manifest["warnings"]]),
            trust_section(labels, summary["replications"], summary["replications"], summary["method"]),
            Section("Scenario", "scenario", listings={f"{name}.yaml, as run": as_yaml(manifest["scenario"])}),
            Section("Where the numbers come from", "provenance", facts=list(_facts(folder, manifest))),
        ],
    )


def warning_section(sentences: Sequence[str]) -> Section:
    """What a reader must beware of."""
    return Section("Warnings and notes", "warnings", groups=[Group("", sentences)] if sentences else [])


def _lead(summary: Mapping[str, Any]) -> str:
    count, replications = len(summary["policies"]), summary["replications"]
    return (
        f"{count} {'policies' if count > 1 else 'policy'}, {summary['requests']:,} requests each in {replications} "
        f"replication{'s' if replications > 1 else ''}: who is right by the deadline?"
    )


def _answer(summary: Mapping[str, Any]) -> Section:
    what, how, *sentences = list(comparisons(summary)) or ("", "")
    if not sentences:
        return Section("Answer", "answer", [best_sentence(summary)])
    groups = [Group(f"{best_policy(summary)} against the others", sentences)]
    return Section("Answer", "answer", [best_sentence(summary), f"{what} {how}"], groups=groups)


def _facts(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = manifest["name"]
    yield "results", folder.resolve().name
    yield "run on", manifest["created"]
    yield from provenance(manifest)
    yield "again", f"edgesim run {name}.yaml, with the scenario above saved as {name}.yaml"
