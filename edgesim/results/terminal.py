"""The summary in the terminal: accuracy (or error) by the deadline, what it cost, and who is distinguishably better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from edgesim.results.measure import ERROR, Measure, measure_of
from edgesim.results.summary import missed_error, point_at, reference_run

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHOWN_DEADLINES = 3


def print_summary(summary: Mapping[str, Any], console: Console) -> None:
    """Print the tables, the warnings and the paired differences of a summary."""
    console.print(_deadline_table(summary))
    console.print(_cost_table(summary))
    for sentence in comparisons(summary):
        console.print(f"  {sentence}", highlight=False, markup=False)
    for warning in summary["warnings"]:
        console.print(f"Warning: {warning}", style="yellow", highlight=False, markup=False)


def comparisons(summary: Mapping[str, Any]) -> Iterator[str]:
    """The best policy that is no oracle against each other one, in words; better ones first."""
    policies = summary["policies"]
    deadline_ms, measure = summary["compared_at_ms"], measure_of(summary)
    ranked = [name for name in policies if not policies[name]["oracle"] and point_at(policies[name], deadline_ms)]
    if len(policies) < 2 or not ranked:
        return
    best = max(ranked, key=lambda name: _merit(policies[name], deadline_ms, measure))
    at = "at own deadlines" if deadline_ms is None else f"at {deadline_ms:g} ms"
    yield f"Differences in {measure.name} {at}, paired by replication. ±: the pair's own interval;"
    yield f"p: adjusted by Holm's method for all {len(summary['differences'])} pairs of policies."
    for difference in summary["differences"]:
        if best in (difference["better"], difference["worse"]):
            yield _sentence(difference, policies, measure)


def _sentence(difference: Mapping[str, Any], policies: Mapping[str, Any], measure: Measure) -> str:
    better, worse = (_name(name, policies[name]) for name in (difference["better"], difference["worse"]))
    interval = difference["difference"]
    amount = measure.text(interval["mean"], measure.digits + 1)
    if difference["p_holm"] is None:
        amount += measure.unit
        return f"{better} is ahead of {worse} by {amount} (one replication: nothing can be said about chance)"
    amount += f" ± {measure.text(interval['high'] - interval['mean'], measure.digits + 1)}{measure.unit}"
    p = f"p {_p(difference['p_holm'])}"
    if difference["distinguishable"]:
        return f"{better} is better than {worse} by {amount} (distinguishable, {p})"
    return f"{better} is not distinguishable from {worse}: {amount} ({p})"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _deadline_table(summary: Mapping[str, Any]) -> Table:
    compared_ms, measure = summary["compared_at_ms"], measure_of(summary)
    shown = _spread([deadline for deadline in summary["deadlines_ms"] if deadline != compared_ms], SHOWN_DEADLINES)
    replications = summary["replications"]
    table = _table(
        f"{summary['name']}: {measure.column} by deadline\n{summary['requests']:,} requests per policy, "
        f"{replications} replication{'s' if replications != 1 else ''}, seed {summary['seed']}"
    )
    table.add_column("policy", no_wrap=True)
    table.add_column(_deadline(compared_ms), justify="right", style="bold", no_wrap=True)
    table.add_column("images", justify="right", no_wrap=True)
    for deadline_ms in shown:
        table.add_column(_deadline(deadline_ms), justify="right", no_wrap=True)
    for name, policy in summary["policies"].items():
        compared = point_at(policy, compared_ms)
        images = _half(compared[measure.key], "pool_high", measure) if compared else ""
        values = [_value(point_at(policy, deadline_ms), measure) for deadline_ms in shown]
        table.add_row(_name(name, policy), _value(compared, measure), images, *values)
    notes = []
    if replications > 1:
        notes.append(f"±: {summary['confidence']:.0%} over replications; images: with the image pool resampled too")
    if measure is ERROR:
        notes.append(
            f"no answer scores as the mean of the training data; no answers at all: {missed_error(summary):.3f}"
        )
    table.caption = "\n".join(notes)
    return table


def _cost_table(summary: Mapping[str, Any]) -> Table:
    compared_ms = summary["compared_at_ms"]
    table = _table("What it took, per request")
    table.add_column("policy", no_wrap=True)
    for heading in ("missed", "p50 ms", "p95 ms", "sent", "kB up", "mJ device"):
        table.add_column(heading, justify="right")
    tails = []
    for name, policy in summary["policies"].items():
        run, point = reference_run(policy, compared_ms), point_at(policy, compared_ms)
        if tail_j := _tail_j(run, summary["window_s"]):
            tails.append(f"{name} {1e3 * tail_j:.1f}")
        mean = {metric: interval["mean"] for metric, interval in run["metrics"].items()}
        table.add_row(
            _name(name, policy),
            _number(point["miss_ratio"]["mean"] if point else None, 100, "{:.1f} %"),
            _number(mean["latency_p50_s"], 1e3, "{:.1f}"),
            _number(mean["latency_p95_s"], 1e3, "{:.1f}"),
            _number(mean["offload_ratio"], 100, "{:.1f} %"),
            _number(mean["bytes_up"], 1e-3, "{:.2f}"),
            _number(mean["energy_j"] or None, 1e3, "{:.1f}"),  # nothing where the scenario names no power
        )
    table.caption = f"missed: deadline {_deadline(compared_ms)}; sent: requests that sent anything up"
    if tails:
        table.caption += f"\nbeside, mJ of radio tails: {', '.join(tails)}"
    return table


def _tail_j(run: Mapping[str, Any], window_s: float) -> float:
    """Energy of radio tails per counted request."""
    requests = run["metrics"]["arrivals_hz"]["mean"] * window_s
    return sum(node["energy_tail_j"] or 0.0 for node in run["nodes"].values()) / requests if requests else 0.0


def _table(title: str) -> Table:
    from rich import box
    from rich.table import Table

    return Table(title=title, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)


def _name(name: str, policy: Mapping[str, Any]) -> str:
    return f"{name} (oracle)" if policy["oracle"] else name


def _deadline(deadline_ms: float | None) -> str:
    return "own" if deadline_ms is None else f"{deadline_ms:g} ms"


def _merit(policy: Mapping[str, Any], deadline_ms: float | None, measure: Measure) -> float:
    point = point_at(policy, deadline_ms)
    mean = point[measure.key]["mean"] if point else None
    return -inf if mean is None else float(measure.sign * mean)


def _value(point: Mapping[str, Any] | None, measure: Measure) -> str:
    if point is None or point[measure.key]["mean"] is None:
        return ""
    interval = point[measure.key]
    return measure.text(interval["mean"], measure.digits) + _half(interval, "high", measure)


def _half(interval: Mapping[str, float | None], high: str, measure: Measure) -> str:
    top, mean = interval[high], interval["mean"]
    return "" if top is None or mean is None else f"±{measure.text(top - mean, measure.digits)}"


def _number(value: float | None, factor: float, form: str) -> str:
    return "" if value is None else form.format(value * factor)


def _spread(values: list[float], most: int) -> list[float]:
    """At most ``most`` of the values, first and last among them, evenly spread."""
    if len(values) <= most:
        return values
    return [values[round(place * (len(values) - 1) / (most - 1))] for place in range(most)]
