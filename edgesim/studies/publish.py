"""What people read of a study: tables, pictures and a page, beside the ledger."""

from __future__ import annotations

from edgesim.results.report import NAME, write_report
from edgesim.studies.findings import Findings
from edgesim.studies.plots import draw_study
from edgesim.studies.study_report import study_page
from edgesim.studies.study_tables import write_tables


def publish(findings: Findings) -> None:
    """Write ``summaries.parquet``, ``contrasts.csv``, ``plots/`` and ``report.html``, each whole or not at all."""
    write_tables(findings)
    draw_study(findings)
    write_report(study_page(findings), findings.folder / NAME)
