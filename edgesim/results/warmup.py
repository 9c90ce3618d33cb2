"""A note where the start of a run looks like warm-up that was not cut; it changes no number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edgesim.results.batch_means import BATCHES, batch_means
from edgesim.results.mser import mser5
from edgesim.results.recorded import RecordedRun
from edgesim.results.statistics import t_p
from edgesim.results.steady import is_steady

FEWEST = 400
"""Requests of a replication below which nothing is said."""
CHANCE = 0.001
"""A start that differs from the rest no more than this p says is left alone: MSER-5 alone cuts some of any run."""


def warmup_notes(run: RecordedRun) -> Iterator[str]:
    """A sentence for each run of a policy whose latencies settle later than the scenario's warm-up.

    For stationary scenarios only (``is_steady``).  The k-th requests of all replications are averaged (as in Welch's
    method), and MSER-5 says how many of these averages to cut.
    """
    if not is_steady(run.scenario):
        return
    for policy in run.policies:
        for deadline_ms, cells in run.cells.runs(policy).items():
            at = "" if deadline_ms is None else f" at {deadline_ms:g} ms"
            yield from (f"{policy}{at}: {sentence}" for sentence in _notes(run, cells))


def _notes(run: RecordedRun, cells: list[int]) -> Iterator[str]:
    warmup_s = run.window[0]
    arrival_s, latency_s = _averaged(run, cells)
    if len(latency_s) < FEWEST:
        return
    found = mser5(latency_s)
    late = np.searchsorted(arrival_s, warmup_s)
    if found.observations <= late or not _differ(latency_s[late : found.observations], latency_s[found.observations :]):
        return
    if found.too_short:
        yield (
            "latencies are still changing in the middle of the run (MSER-5): it looks too short for its warm-up to be "
            "told from the rest"
        )
    else:
        yield (
            f"the first {arrival_s[found.observations]:.3g} s look like warm-up (MSER-5 on latencies); warmup_s is "
            f"{warmup_s:g}, so that some of it is counted"
        )


def _averaged(run: RecordedRun, cells: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Arrival and latency of the k-th answered request, averaged over replications; as many as all of them have."""
    requests = run.tables.requests
    series = []
    for cell in cells:
        rows = np.flatnonzero(run.cells.of_requests == cell)
        rows = rows[~np.isnan(requests.column("latency_s")[rows])]
        rows = rows[np.argsort(requests.column("arrival_s")[rows], kind="stable")]
        series.append((requests.column("arrival_s")[rows], requests.column("latency_s")[rows]))
    length = min(len(arrival_s) for arrival_s, _ in series)
    arrival_s, latency_s = (np.mean([each[part][:length] for each in series], axis=0) for part in (0, 1))
    return arrival_s, latency_s


def _differ(start: np.ndarray, rest: np.ndarray) -> bool:
    """Whether two parts of a series have means further apart than chance has it, as the batches of the rest vary.

    A start shorter than a batch is taken to vary as though its requests were independent, which errs on the quiet side.
    """
    spread = float(batch_means(rest).std(ddof=1))
    error = spread * np.sqrt(len(rest) / BATCHES / len(start) + 1 / BATCHES)
    return t_p(float(start.mean() - rest.mean()), error, BATCHES) < CHANCE
