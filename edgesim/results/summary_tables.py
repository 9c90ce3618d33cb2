"""The tables of a summary: accuracy (or error) by the deadline, and what it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgesim.results.in_words import deadline_in_words, policy_in_words
from edgesim.results.measure import ERROR, Measure, measure_of
from edgesim.results.quantiles import PROBABILITIES, least_requests
from edgesim.results.statistics import LEAST_REPLICATIONS
from edgesim.results.summary import missed_error, point_at, reference_run
from edgesim.results.table import Table


def deadline_table(summary: Mapping[str, Any], most: int | None = None) -> Table:
    """A row a policy: the compared deadline first, then others of the axis, ``most`` of them evenly spread."""
    compared_ms, measure = summary["compared_at_ms"], measure_of(summary)
    others = [deadline for deadline in summary["deadlines_ms"] if deadline != compared_ms]
    shown = others if most is None else _spread(others, most)
    replications = summary["replications"]
    rows = []
    for name, policy in summary["policies"].items():
        compared = point_at(policy, compared_ms)
        images = _half(compared[measure.key], "pool_high", measure) if compared else ""
        values = [_value(point_at(policy, deadline_ms), measure) for deadline_ms in shown]
        rows.append((policy_in_words(name, policy), _value(compared, measure), images, *values))
    notes = []
    if replications > 1:
        notes.append(f"±: {summary['confidence']:.0%} over replications; images: with the image pool resampled too")
        if replications < LEAST_REPLICATIONS:
            notes.append(f"from {LEAST_REPLICATIONS} replications on intervals are to be trusted")
    elif summary.get("method") == "batch_means":
        notes.append(f"±: {summary['confidence']:.0%} by batch means of the one replication")
    if measure is ERROR:
        notes.append(
            f"no answer scores as the mean of the training data; no answers at all: {missed_error(summary):.3f}"
        )
    return Table(
        f"{summary['name']}: {measure.column} by deadline\n{summary['requests']:,} requests per policy, "
        f"{replications} replication{'s' if replications != 1 else ''}, seed {summary['seed']}",
        ("policy", deadline_in_words(compared_ms), "images", *map(deadline_in_words, shown)),
        rows,
        tuple(notes),
    )


def cost_table(summary: Mapping[str, Any]) -> Table:
    """A row a policy: misses, latencies, what was sent, energy, each per request."""
    compared_ms = summary["compared_at_ms"]
    rows, tails, answered = [], [], []
    for name, policy in summary["policies"].items():
        run, point = reference_run(policy, compared_ms), point_at(policy, compared_ms)
        if tail_j := _tail_j(run, summary["window_s"]):
            tails.append(f"{name} {1e3 * tail_j:.1f}")
        mean = {metric: interval["mean"] for metric, interval in run["metrics"].items()}
        answered.append(mean["arrivals_hz"] * summary["window_s"] * (mean["answered_ratio"] or 0.0))
        miss_ratio = point["miss_ratio"]["mean"] if point else None
        rows.append((policy_in_words(name, policy), *cost_cells({**mean, "miss_ratio": miss_ratio})))
    notes = [f"missed: deadline {deadline_in_words(compared_ms)}; sent: requests that sent anything up"]
    needed = least_requests(PROBABILITIES["latency_p95_s"])
    if min(answered) < needed:
        notes.append(f"p95 is rough: it needs {needed:,} answered requests a replication, here {min(answered):,.0f}")
    if tails:
        notes.append(f"beside, mJ of radio tails: {', '.join(tails)}")
    return Table("What it took, per request", ("policy", *COSTS), rows, tuple(notes))


COSTS = {
    "missed": ("miss_ratio", 100.0, "{:.1f} %"),
    "p50 ms": ("latency_p50_s", 1e3, "{:.1f}"),
    "p95 ms": ("latency_p95_s", 1e3, "{:.1f}"),
    "sent": ("offload_ratio", 100.0, "{:.1f} %"),
    "kB up": ("bytes_up", 1e-3, "{:.2f}"),
    "mJ device": ("energy_j", 1e3, "{:.1f}"),
}
"""Heading -> metric, and how it is written."""


def cost_cells(means: Mapping[str, float | None]) -> list[str]:
    """The metrics of ``COSTS`` as text, empty where there is nothing to say."""
    found = []
    for metric, factor, form in COSTS.values():
        value = means[metric]
        if metric == "energy_j":
            value = value or None  # nothing where the scenario names no power
        found.append("" if value is None else form.format(value * factor))
    return found


def _tail_j(run: Mapping[str, Any], window_s: float) -> float:
    """Energy of radio tails per counted request."""
    requests = run["metrics"]["arrivals_hz"]["mean"] * window_s
    return sum(node["energy_tail_j"] or 0.0 for node in run["nodes"].values()) / requests if requests else 0.0


def _value(point: Mapping[str, Any] | None, measure: Measure) -> str:
    if point is None or point[measure.key]["mean"] is None:
        return ""
    interval = point[measure.key]
    return measure.text(interval["mean"], measure.digits) + _half(interval, "high", measure)


def _half(interval: Mapping[str, float | None], high: str, measure: Measure) -> str:
    top, mean = interval[high], interval["mean"]
    return "" if top is None or mean is None else f"±{measure.text(top - mean, measure.digits)}"


def _spread(values: list[float], most: int) -> list[float]:
    """At most ``most`` of the values, first and last among them, evenly spread."""
    if len(values) <= most:
        return values
    return [values[round(place * (len(values) - 1) / (most - 1))] for place in range(most)]
