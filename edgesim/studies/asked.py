"""What a study is about: by which measure and at which deadline its policies are compared, and how far it has come."""

from __future__ import annotations

from edgesim.results.axis import DeadlineAxis
from edgesim.results.measure import ACCURACY, ERROR, Measure
from edgesim.studies.findings import Findings


def measure_asked(findings: Findings) -> Measure:
    """On-time accuracy; the on-time error where models estimate numbers."""
    return ACCURACY if findings.summaries([ERROR.key]).empty else ERROR


def deadline_asked(findings: Findings, measure: Measure) -> float | None:
    """That of the first contrast in the measure; else the requests' own (None), where all policies were run at these,
    and the deadline of the axis next to them where not."""
    for contrast in findings.study.contrasts.values():
        if contrast.metric == measure.key:
            return contrast.deadline_ms
    frame = findings.summaries([measure.key])
    own = set(frame.policy[frame.deadline_ms.isna()])
    return None if own.issuperset(findings.policies) else DeadlineAxis.of(findings.manifest["scenario"]).nearest_ms()


def at_deadline(deadline_ms: float | None) -> str:
    """``at 50 ms``."""
    return "at the requests' own deadlines" if deadline_ms is None else f"at {deadline_ms:g} ms"
