"""By which measure, and at which deadline, the policies of a study are compared."""

from __future__ import annotations

import pandas as pd

from edgesim.results.axis import DeadlineAxis
from edgesim.results.measure import ACCURACY, ERROR, Measure
from edgesim.studies.findings import Findings


def measure_asked(summaries: pd.DataFrame) -> Measure:
    """On-time accuracy; the on-time error where models estimate numbers.  summaries: of both."""
    return ERROR if (summaries["quantity"] == ERROR.key).any() else ACCURACY


def deadline_asked(findings: Findings, summaries: pd.DataFrame, measure: Measure) -> float | None:
    """That of the first contrast in the measure; else the requests' own (None), where all policies were run at these,
    and the deadline of the axis next to them where not."""
    for contrast in findings.study.contrasts.values():
        if contrast.metric == measure.key:
            return contrast.deadline_ms
    own = set(summaries["policy"][summaries["deadline_ms"].isna() & (summaries["quantity"] == measure.key)])
    return None if own.issuperset(findings.policies) else DeadlineAxis.of(findings.manifest["scenario"]).nearest_ms()


def at_deadline(deadline_ms: float | None) -> str:
    """``at 50 ms``."""
    return "at the requests' own deadlines" if deadline_ms is None else f"at {deadline_ms:g} ms"
