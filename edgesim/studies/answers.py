"""What a study answers, in sentences: its contrasts, and which policy is best where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from edgesim.results.in_words import p_in_words
from edgesim.results.measure import Measure
from edgesim.results.quantity import quantity, quantity_in_words
from edgesim.studies.asked import at_deadline
from edgesim.studies.best import Best, Point
from edgesim.studies.design import Value
from edgesim.studies.findings import Findings
from edgesim.studies.study import POLICY

MOST_POINTS = 6
"""Points that a sentence names."""


def contrast_sentences(findings: Findings, contrasts: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """For each contrast of ``findings.contrasts()`` what is compared, and a sentence for each policy, lowest first."""
    oracles = findings.manifest["labels"]["oracles"]
    for name, rows in contrasts.groupby("contrast", sort=False):
        contrast = findings.study.contrasts[str(name)]
        first, second = rows.iloc[0][["first", "second"]]
        where = f"at {'the ' * (first == 'base')}{first}" if first == second else f"{first} against {second}"
        heading = f"{name}: {quantity_in_words(contrast.metric)} {at_deadline(contrast.deadline_ms)}, {where}"
        pair = (contrast.first[POLICY], contrast.second[POLICY]) if POLICY in contrast.first else None
        yield heading, list(_changes(rows, pair, oracles))


def _changes(rows: pd.DataFrame, pair: tuple[str, str] | None, oracles: Sequence[str]) -> Iterator[str]:
    """pair: the policies of the two sides, where the contrast names them."""
    still = []
    for row in rows.sort_values("difference", kind="stable").to_dict("records"):
        first, second = (_policy(name, oracles) for name in pair or (row["policy"], ""))
        if not row["n"]:
            yield f"With {first}{f' and {second}' if second else ''}: nothing was measured on both sides."
        elif second:
            more = "lower" if row["difference"] < 0 else "higher"
            yield f"With {first} it is {_amount(row)} {more} than with {second} ({_chance(row)})."
        elif row["difference"] == 0 and row["low"] == row["high"]:
            still.append(first)
        else:
            yield f"With {first} it {_change(row)} ({_chance(row)})."
    if still:
        yield f"With {', '.join(still)} it is the same in every replication."


def _change(row: Mapping[Any, Any]) -> str:
    if quantity(row["quantity"]).difference_unit == "points":
        return f"{'loses' if row['difference'] < 0 else 'gains'} {_amount(row)}"
    return f"{'falls' if row['difference'] < 0 else 'rises'} by {_amount(row)}"


def _amount(row: Mapping[Any, Any]) -> str:
    return difference_in_words(row["quantity"], abs(row["difference"]), row["high"] - row["difference"])


def difference_in_words(name: str, difference: float, half: float) -> str:
    """``12.34 ± 5.60 points``; half: of the interval, NaN where there is none."""
    shown = quantity(name)
    amount = shown.text(difference)
    if not np.isnan(half):  # both with the same decimals; points with two at most
        like = max(abs(difference), half, 0.01 if shown.difference_unit == "points" else 0.0)
        amount = f"{shown.text(difference, like)} ± {shown.text(half, like)}"
    return f"{amount} {shown.difference_unit}".rstrip()


def _chance(row: Mapping[Any, Any]) -> str:
    if np.isnan(row["p"]):
        return "one replication: nothing can be said about chance"
    return f"{'' if row['distinguishable'] else 'not '}distinguishable, {p_in_words(row['p_holm'])}"


def best_sentence(found: Sequence[Best], measure: Measure, deadline_ms: float | None) -> str:
    """At how many points which policy is best."""
    counts = _by_policy(found)
    parts = [
        f"{policy} at {len(wins)} ({_told_apart(wins)})"
        for policy, wins in sorted(counts.items(), key=lambda item: -len(item[1]))
    ]
    points = f"{len(found):,} point{'s' if len(found) > 1 else ''}"
    return f"Best {measure.name} {at_deadline(deadline_ms)}, oracles aside, of {points}: {'; '.join(parts)}."


def where_sentences(found: Sequence[Best], axes: Sequence[str]) -> list[str]:
    """At which points each policy is best; the one that is so most often comes last, as "elsewhere"."""
    counts = sorted(_by_policy(found).items(), key=lambda item: len(item[1]))
    if len(counts) < 2:
        return []
    listed = [f"{policy} is best at {_points(wins, axes)}." for policy, wins in counts[:-1]]
    return [*listed, f"{counts[-1][0]} is best elsewhere."]


def point_in_words(point: Point, axes: Sequence[str]) -> str:
    """``cv 0.5, cameras 10``."""
    return ", ".join(f"{axis} {value_in_words(value)}" for axis, value in zip(axes, point, strict=True))


def value_in_words(value: Value) -> str:
    """Numbers without idle decimals."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _by_policy(found: Sequence[Best]) -> dict[str, list[Best]]:
    counts: dict[str, list[Best]] = {}
    for best in found:
        counts.setdefault(best.policy, []).append(best)
    return counts


def _told_apart(wins: Sequence[Best]) -> str:
    told = sum(best.distinguishable for best in wins)
    which = "at none" if not told else "at each" if told == len(wins) else f"at {told}"
    return f"distinguishable from the second {which}"


def _points(wins: Sequence[Best], axes: Sequence[str]) -> str:
    named = "; ".join(point_in_words(best.point, axes) for best in wins[:MOST_POINTS])
    return named + (f"; and {len(wins) - MOST_POINTS} more" if len(wins) > MOST_POINTS else "")


def _policy(name: str, oracles: Sequence[str]) -> str:
    return f"{name} (oracle)" if name in oracles else name
