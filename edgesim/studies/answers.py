"""What a study answers, in sentences: its contrasts, and which policy is best where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from edgesim.results.in_words import p_in_words
from edgesim.results.measure import Measure
from edgesim.results.quantity import quantity, quantity_in_words
from edgesim.results.statistics import CONFIDENCE
from edgesim.studies.asked import at_deadline
from edgesim.studies.best import Best, Point, ranks
from edgesim.studies.design import Value
from edgesim.studies.findings import Findings
from edgesim.studies.read_study import base_of
from edgesim.studies.study import POLICY, Contrast, Study

MOST_POINTS = 6
"""Points that a sentence names."""


def answer(
    findings: Findings,
    contrasts: pd.DataFrame,
    best: Sequence[Best],
    measure: Measure,
    deadline_ms: float | None,
) -> Iterator[tuple[str, list[str]]]:
    """All of it: what is answered, and the sentences that do.  contrasts, best: those of the findings, at the measure
    and deadline that it is asked by (``edgesim.studies.asked``)."""
    yield from contrast_sentences(findings, contrasts)
    if not best:
        return
    yield (
        "Which policy is best where",
        [
            best_sentence(best, measure, deadline_ms),
            *where_sentences(best, findings.axes),
        ],
    )
    base = tuple(base_of(axis) for name, axis in findings.study.axes.items() if name != POLICY)
    if findings.study.design == "one_at_a_time" and (told := ranking_sentences(best, findings.axes, base)):
        yield "Whether the ranking survives", told


def contrast_sentences(findings: Findings, contrasts: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """For each contrast of ``findings.contrasts()`` what is compared, and a sentence for each policy, lowest first."""
    oracles = findings.manifest["labels"]["oracles"]
    for name, rows in contrasts.groupby("contrast", sort=False):
        contrast = findings.study.contrasts[str(name)]
        first, second = rows.iloc[0][["first", "second"]]
        where = sides_in_words(findings.study, contrast, first, second)
        heading = f"{name}: {quantity_in_words(contrast.metric)} {at_deadline(contrast.deadline_ms)}, {where}"
        both, most = int(rows["n"].max()), int(rows[["n_first", "n_second"]].to_numpy().max())
        if both < most:
            heading += f"; over the {both} replications that both have"
        pair = (contrast.first[POLICY], contrast.second[POLICY]) if POLICY in contrast.first else None
        yield heading, list(_changes(rows, pair, oracles))


def sides_in_words(study: Study, contrast: Contrast, first: str, second: str) -> str:
    """The two sides, and where the axes of a grid stand that both leave out; one at a time these are at their base."""
    left_out = {
        name: axis for name, axis in study.axes.items() if name not in {POLICY, *contrast.first, *contrast.second}
    }
    base = ", ".join(f"{name} {value_in_words(base_of(axis))}" for name, axis in left_out.items())
    if study.design == "one_at_a_time":
        base = ""
    if first != second:
        return f"{first} against {second}" + (f", at {base}" if base else "")
    if first == "base":
        return f"at {base}" if base else "at the base"
    return f"at {first}" + (f", {base}" if base else "")


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
    if quantity(row["quantity"]).sign > 0:
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
    listed = [f"{policy} {_are(policy)} best at {_points(wins, axes)}." for policy, wins in counts[:-1]]
    return [*listed, f"{counts[-1][0]} {_are(counts[-1][0])} best elsewhere."]


def ranking_sentences(found: Sequence[Best], axes: Sequence[str], base: Point) -> list[str]:
    """Whether the order of the policies at ``base`` survives at the other points, of which each is off in few axes.

    Nothing where there are not two policies and two points.  A pair changes places *distinguishably* where both orders
    can be told from chance, each at its own point.
    """
    orders = {best.point: ranks(best) for best in found}
    if base not in orders or len(orders) < 2 or len(orders[base]) < 2:
        return []
    changed = [point for point, order in orders.items() if order != orders[base]]
    places = f"at {len(changed)} of {len(orders) - 1} other points" if changed else f"at no other of {len(orders) - 1}"
    told = [f"The order of means at the base is {', '.join(orders[base])}; it is another {places}."]
    at_base = next(best for best in found if best.point == base)
    before = {(each.first, each.second) for each in at_base.differences if each.p_holm < 1 - CONFIDENCE}
    overtakings: dict[tuple[str, str], list[str]] = {}
    for best in found:
        off = [place for place, (value, usual) in enumerate(zip(best.point, base, strict=True)) if value != usual]
        where = point_in_words([best.point[place] for place in off], [axes[place] for place in off])
        for each in best.differences:
            if (each.second, each.first) in before and each.p_holm < 1 - CONFIDENCE:
                overtakings.setdefault((each.first, each.second), []).append(where)
    told += [
        f"{late} overtakes {early}, distinguishably, at {'; '.join(at)}." for (late, early), at in overtakings.items()
    ]
    return told if overtakings else [*told, "No two policies change places distinguishably."]


def point_in_words(point: Sequence[Value], axes: Sequence[str]) -> str:
    """``cv 0.5, cameras 10``."""
    return ", ".join(f"{axis} {value_in_words(value)}" for axis, value in zip(axes, point, strict=True))


def value_in_words(value: Value) -> str:
    """Numbers without idle decimals."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _are(called: str) -> str:
    return "are" if called.endswith(" alike") else "is"


def _by_policy(found: Sequence[Best]) -> dict[str, list[Best]]:
    counts: dict[str, list[Best]] = {}
    for best in found:
        counts.setdefault(best.called, []).append(best)
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
