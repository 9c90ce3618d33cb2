"""Regret: what following a policy has cost, request by request, against the best one in hindsight.

The loss of a request is 1 - right at its deadline, or in regression its error at the deadline.  Counted requests stand
in order of arrival, t = 1, 2, ...  A policy's regret at t is its loss summed over the first t, minus that of the
reference over the same requests:

    regret(t) = sum over i <= t of (loss_policy(i) - loss_reference(i)).

The reference is the one with the least total loss over the replication, found anew in each.  Both losses are of runs in
which one policy ruled from the beginning, as what it did before decides what queues a request meets: this is policy
regret (Arora, Dekel, Tewari 2012, "Online bandit learning against an adaptive adversary: from regret to policy
regret", ICML), with the policies of the run as competitors.  A fixed policy that is worse by a margin has a regret that
grows like t; one that learns has one that grows like sqrt(t) or log(t).  Below zero, it was ahead of the reference
until then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from edgesim.results.recorded import RecordedRun

Losses = Mapping[int, np.ndarray]
"""Replication -> losses of its counted requests in order of arrival."""


class Regret(NamedTuple):
    """references: the best in hindsight, by replication.  curves: by policy, (replications, requests): regret after
    each request, as many as the shortest replication has."""

    references: dict[int, str]
    curves: dict[str, np.ndarray]


def regret(losses: Mapping[str, Losses], among: Collection[str]) -> Regret:
    """The regret of every policy against the best of ``among`` in hindsight."""
    replications = sorted(next(iter(losses.values())))
    references = {number: min(among, key=lambda name: losses[name][number].sum()) for number in replications}
    requests = min(len(of_policy[number]) for of_policy in losses.values() for number in replications)
    lost = {
        policy: np.stack([of_policy[number][:requests] for number in replications])
        for policy, of_policy in losses.items()
    }
    reference = np.stack([lost[references[number]][row] for row, number in enumerate(replications)])
    return Regret(references, {policy: np.cumsum(of_policy - reference, axis=1) for policy, of_policy in lost.items()})


def losses(run: RecordedRun, policy: str, deadline_ms: float | None) -> Losses:
    """What each request lost under a policy at a deadline of the axis (None: the requests' own)."""
    runs = run.cells.runs(policy)
    anew = deadline_ms in runs
    cells = runs[deadline_ms] if anew else runs[None]
    lost = _as_run(run) if anew else _thresholded(run, deadline_ms)  # type: ignore[arg-type]
    counted = run.counted
    lost, arrival_s, number = counted.part(lost), counted.column("arrival_s"), counted.column("number")
    device = counted.names("device").codes
    found = {}
    for cell in cells:
        rows = counted.rows(cell)
        order = np.lexsort((number[rows], device[rows], arrival_s[rows]))
        found[run.cells.cells[cell].replication] = lost[rows[order]]
    return found


def _as_run(run: RecordedRun) -> np.ndarray:
    """By row of the requests, at the deadlines that they had."""
    requests = run.tables.requests
    return requests.column("error") if run.regression else 1.0 - requests.column("correct")


def _thresholded(run: RecordedRun, deadline_ms: float) -> np.ndarray:
    """By row of the requests, at another deadline than they had: from what their slots held then."""
    requests, history = run.tables.requests, run.history
    held = history.held(deadline_ms / 1e3)
    rows = history.request[held]
    lost = requests.column("missed_error").copy() if run.regression else np.ones(len(requests))
    lost[rows] -= history.gain[held] if run.regression else history.correct[held]
    return lost
