"""What a summary says, in sentences: which policy is best, and who is distinguishably better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from edgesim.results.measure import Measure, measure_of
from edgesim.results.quantity import quantity
from edgesim.results.summary import point_at


def best_policy(summary: Mapping[str, Any]) -> str | None:
    """The policy that is no oracle with the best mean at the compared deadline; None where none has a point there."""
    return _best_at(summary, summary["compared_at_ms"])


def _best_at(summary: Mapping[str, Any], deadline_ms: float | None) -> str | None:
    policies, measure = summary["policies"], measure_of(summary)
    ranked = [name for name in policies if not policies[name]["oracle"] and point_at(policies[name], deadline_ms)]
    return max(ranked, key=lambda name: _merit(policies[name], deadline_ms, measure), default=None)


def best_sentence(summary: Mapping[str, Any]) -> str:
    """Which policy is best at the compared deadline, and how good it is."""
    best, measure, deadline_ms = best_policy(summary), measure_of(summary), summary["compared_at_ms"]
    at = "At the requests' own deadlines" if deadline_ms is None else f"At {deadline_ms:g} ms"
    if best is None:
        return f"{at} no policy but oracles was measured."
    found = point_at(summary["policies"][best], deadline_ms)[measure.key]  # type: ignore[index]
    value = measure.text(found["mean"], measure.digits)
    if found["high"] is not None:
        value += f" ± {measure.text(found['high'] - found['mean'], measure.digits)}"
    sentence = f"{at}, {best} has an {measure.name} of {value} {quantity(measure.key).unit}".rstrip()
    others = [name for name, policy in summary["policies"].items() if not policy["oracle"] and name != best]
    if not others:
        return f"{sentence}."
    most = "highest" if measure.sign > 0 else "lowest"
    told = sum(
        difference["better"] == best and difference["worse"] in others and difference["distinguishable"]
        for difference in summary["differences"]
    )
    if len(others) == 1:
        return f"{sentence}, the {most} of all but oracles; it can{'' if told else 'not'} be told from {others[0]}."
    how_many = f"{told or 'none'} of the other {len(others)} policies"
    return f"{sentence}, the {most} of all but oracles; it can be told from {how_many}."


def best_by_deadline(summary: Mapping[str, Any]) -> str | None:
    """Which policy has the best mean at which deadline of the axis; None where there are not two to choose from."""
    real = [name for name, policy in summary["policies"].items() if not policy["oracle"]]
    if min(len(real), len(summary["deadlines_ms"])) < 2:
        return None
    won: dict[str, list[str]] = {}
    for deadline_ms in summary["deadlines_ms"]:
        if best := _best_at(summary, deadline_ms):
            won.setdefault(best, []).append(f"{deadline_ms:g}")
    parts = [f"{name} at {', '.join(deadlines)} ms" for name, deadlines in won.items()]
    most = "Highest" if measure_of(summary).sign > 0 else "Lowest"
    return f"{most} mean by deadline, oracles aside: {'; '.join(parts)}."


def comparisons(summary: Mapping[str, Any]) -> Iterator[str]:
    """The best policy against each other one; better ones first.  Two sentences before these say what they compare."""
    policies = summary["policies"]
    deadline_ms, measure = summary["compared_at_ms"], measure_of(summary)
    best = best_policy(summary)
    if len(policies) < 2 or best is None:
        return
    at = "at own deadlines" if deadline_ms is None else f"at {deadline_ms:g} ms"
    yield f"Differences in {measure.name} {at}, paired by replication. ±: the pair's own interval;"
    pairs = len(summary["differences"])
    adjusted = f"adjusted by Holm's method for all {pairs} pairs of policies" if pairs > 1 else "of the only pair"
    yield f"p: {adjusted}." + (" All of them are in summary.json." if pairs > len(policies) - 1 else "")
    for difference in summary["differences"]:
        if best in (difference["better"], difference["worse"]):
            yield _sentence(difference, policies, measure)


def policy_in_words(name: str, policy: Mapping[str, Any]) -> str:
    """A policy of a summary, by its name; an oracle says so."""
    return f"{name} (oracle)" if policy["oracle"] else name


def deadline_in_words(deadline_ms: float | None) -> str:
    """A deadline as headings have it; "own" for the requests' own."""
    return "own" if deadline_ms is None else f"{deadline_ms:g} ms"


def p_in_words(p: float) -> str:
    """A p value as sentences have it."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _sentence(difference: Mapping[str, Any], policies: Mapping[str, Any], measure: Measure) -> str:
    better, worse = (policy_in_words(name, policies[name]) for name in (difference["better"], difference["worse"]))
    interval = difference["difference"]
    amount = measure.text(interval["mean"], measure.digits + 1)
    if difference["p_holm"] is None:
        amount += measure.unit
        return f"{better} is ahead of {worse} by {amount} (one replication: nothing can be said about chance)"
    amount += f" ± {measure.text(interval['high'] - interval['mean'], measure.digits + 1)}{measure.unit}"
    p = p_in_words(difference["p_holm"])
    if difference["distinguishable"]:
        return f"{better} is better than {worse} by {amount} (distinguishable, {p})"
    return f"{better} is not distinguishable from {worse}: {amount} ({p})"


def _merit(policy: Mapping[str, Any], deadline_ms: float | None, measure: Measure) -> float:
    point = point_at(policy, deadline_ms)
    mean = point[measure.key]["mean"] if point else None
    return -inf if mean is None else float(measure.sign * mean)
