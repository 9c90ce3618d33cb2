"""The report of a study's folder, finished or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from edgesim.results.measure import ACCURACY, ERROR, Measure
from edgesim.results.provenance import as_yaml, provenance
from edgesim.results.quantity import quantity_in_words
from edgesim.results.report import Group, Page, Section, shortened
from edgesim.results.report_pictures import picture_section
from edgesim.results.run_report import warning_section
from edgesim.results.table import Table
from edgesim.results.trust import marks, trust_section
from edgesim.studies.answers import answer, point_in_words, value_in_words
from edgesim.studies.asked import deadline_asked, measure_asked
from edgesim.studies.best import Best, best_policies
from edgesim.studies.design import points_of
from edgesim.studies.findings import Findings
from edgesim.studies.plots import captions_of
from edgesim.studies.read_study import base_of
from edgesim.studies.report_tables import (
    COST_METRICS,
    Means,
    best_table,
    contrast_table,
    cost_table,
    deadline_table,
    measure_table,
)
from edgesim.studies.study import Study, Until

ARRIVALS = "arrivals_hz"
"""What every replication measures."""
MOST_SENTENCES = 50
"""Failures and notes that the page lists."""


def study_page(findings: Findings) -> Page:
    """What a study has found so far."""
    study, labels = findings.study, findings.manifest["labels"]
    summaries = findings.summaries(_quantities(study))
    measure = measure_asked(summaries)
    deadline_ms = deadline_asked(findings, summaries, measure)
    means = Means(findings, summaries)
    best = list(best_policies(findings, measure, deadline_ms))
    contrasts = findings.contrasts()
    replications = _replications(findings, summaries)
    return Page(
        kind="study",
        name=study.study,
        lead=study.question,
        alerts=list(_alerts(findings, summaries, replications)),
        marks=marks(labels),
        sections=[
            Section(
                "Answer",
                "answer",
                groups=[Group(*told) for told in answer(findings, contrasts, best, measure, deadline_ms)],
            ),
            Section("What was varied", "axes", [_size(findings, replications)], facts=list(_axes(findings))),
            picture_section(findings.folder, captions_of(findings.folder)),
            _tables(findings, means, contrasts, best, measure, deadline_ms),
            Section("Failed cells", "failures", groups=_group(list(_failures(findings)))),
            warning_section(_short(findings.warnings)),
            trust_section(labels, *_span(replications)),
            _scenario(findings),
            Section("Where the numbers come from", "provenance", facts=list(_facts(findings))),
        ],
    )


def _tables(
    findings: Findings,
    means: Means,
    contrasts: pd.DataFrame,
    best: list[Best],
    measure: Measure,
    deadline_ms: float | None,
) -> Section:
    if not findings.policies:
        return Section("Tables", "tables")
    shown: list[Table] = [contrast_table(contrasts)] if len(contrasts) else []
    shown += [measure_table(findings, means, measure, deadline_ms), best_table(findings, best, measure, deadline_ms)]
    folded = [deadline_table(findings, means, measure), cost_table(findings, means, deadline_ms)]
    where = "summaries.parquet"
    return Section(
        "Tables",
        "tables",
        tables=[shortened(table, where) for table in shown],
        folded=[shortened(table, where) for table in folded],
    )


def _quantities(study: Study) -> list[str]:
    """All that the page reads of means, so that the ledger is read once for them."""
    until = [] if study.until is None else [study.until.metric]
    return [ACCURACY.key, ERROR.key, ARRIVALS, *COST_METRICS, *until]


def _replications(findings: Findings, summaries: pd.DataFrame) -> pd.Series:
    """How many replications of each cell are finished."""
    arrivals = summaries[summaries["quantity"] == ARRIVALS]
    return arrivals.groupby("cell")["n"].max().reindex(findings.cells.index, fill_value=0).astype(int)


def _alerts(findings: Findings, summaries: pd.DataFrame, replications: pd.Series) -> Iterator[str]:
    study = findings.study
    least = study.replications if study.until is None else study.until.at_least
    if missing := int((replications < least).sum()):
        yield (
            f"Not finished: {missing:,} of {len(replications):,} cells have fewer than {least} replications. "
            "edgesim study resume goes on."
        )
    if findings.asked_later:
        yield (
            f"Its contrasts were changed after {findings.asked_later:,} replications: they were not all named before "
            "anything was seen."
        )
    if findings.failures:
        cells = len({cell for cell, *_ in findings.failures})
        yield f"{cells:,} of {len(replications):,} cells failed; they are listed below and missing from the tables."
    if study.until is not None and (wide := _too_wide(study.until, summaries)):
        yield (
            f"At {wide:,} cells the interval of {quantity_in_words(study.until.metric)} is still wider than asked for "
            f"(half width {study.until.half_width:g})."
        )


def _too_wide(until: Until, summaries: pd.DataFrame) -> int:
    """Cells whose widest interval of the metric is wider than asked for."""
    frame = summaries[summaries["quantity"] == until.metric]
    if until.deadline_ms is not None:
        frame = frame[frame["deadline_ms"] == until.deadline_ms]
    return int(((frame["high"] - frame["mean"]).groupby(frame["cell"]).max() > until.half_width).sum())


def study_alerts(findings: Findings) -> list[str]:
    """What is missing of a study, or was asked late."""
    summaries = findings.summaries(_quantities(findings.study))
    return list(_alerts(findings, summaries, _replications(findings, summaries)))


def _span(replications: pd.Series) -> tuple[int, int]:
    """Fewest and most replications of the cells of which any is finished."""
    finished = replications[replications > 0]
    return (0, 0) if finished.empty else (int(finished.min()), int(finished.max()))


def _size(findings: Findings, replications: pd.Series) -> str:
    low, high = replications.min(), replications.max()
    each = f"{high}" if low == high else f"{low} to {high}"
    return (
        f"{findings.counts.cells:,} cells ({findings.study.design.replace('_', ' ')}), {each} replications each; the "
        "same arrivals, images and links in replication r of every cell, as far as its changes allow."
    )


def _axes(findings: Findings) -> Iterator[tuple[str, str]]:
    for name, axis in findings.study.axes.items():
        values = ", ".join(map(value_in_words, points_of(axis)))
        left_out = any(
            name not in side for each in findings.study.contrasts.values() for side in (each.first, each.second)
        )
        named = findings.study.design == "one_at_a_time" or axis.base is not None or left_out
        base = f" (base: {value_in_words(base_of(axis))})" if named else ""
        meaning = f"{axis.label}, " if axis.label else ""
        yield name, f"{meaning}{' and '.join(axis.keys or (str(axis.key),))}: {values}{base}"


def _failures(findings: Findings) -> Iterator[str]:
    points = list(findings.cells.itertuples(index=False, name=None))
    for cell, number, why in findings.failures[:MOST_SENTENCES]:
        yield f"Cell {cell} ({point_in_words(points[cell], findings.axes)}), replication {number}: {why}"
    if (more := len(findings.failures) - MOST_SENTENCES) > 0:
        yield f"... and {more:,} more: edgesim study status"


def _short(sentences: list[str]) -> list[str]:
    more = len(sentences) - MOST_SENTENCES
    return sentences if more <= 0 else [*sentences[:MOST_SENTENCES], f"... and {more:,} more"]


def _group(sentences: list[str]) -> list[Group]:
    return [Group("", sentences)] if sentences else []


def _scenario(findings: Findings) -> Section:
    study = findings.study.model_dump(mode="json", exclude_defaults=True)
    scenario = Path(study["scenario"]).name
    return Section(
        "Study and scenario",
        "scenario",
        listings={
            f"{findings.study.study}.yaml: the study, as asked": as_yaml({**study, "scenario": scenario}),
            f"{scenario}: the scenario at its own values": as_yaml(findings.manifest["scenario"]),
        },
    )


def _facts(findings: Findings) -> Iterator[tuple[str, str]]:
    name = findings.study.study
    yield "results", findings.folder.resolve().name
    yield "begun", findings.begun
    yield "work", f"{findings.counts.finished:,} replications in {findings.seconds:,.0f} s of computing"
    yield from provenance(findings.manifest)
    yield "again", f"edgesim study {name}.yaml, with the study and the scenario above saved beside each other"
