"""A comparison in words, and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from edgesim.results.compare import Comparison, Contrast, Entry
from edgesim.results.in_words import deadline_in_words, p_in_words
from edgesim.results.quantiles import PROBABILITIES
from edgesim.results.quantity import Quantity, quantity
from edgesim.results.statistics import CONFIDENCE
from edgesim.results.table import Table

if TYPE_CHECKING:
    import pandas as pd


def comparison_table(found: Comparison) -> Table:
    """A row an entry: its mean, and how it differs from its reference."""
    shown, several = quantity(found.metric), _several(found)
    rows = []
    for entry in found.entries:
        contrast = _of(entry, found)
        cells = ("", "", "")
        if contrast is not None:
            cells = (_difference(contrast, shown), _p(contrast.p), _p(contrast.p_holm))
        where = (entry.run,) if several else ()
        rows.append((*where, _called(entry, several=False), _with_half(entry, shown), *cells))
    unit = f" ({shown.unit})" if shown.unit else ""
    quantiles = found.metric in PROBABILITIES
    reference = "the first run's policy of that name" if several else "the best that is no oracle"
    holm = f"adjusted for all {found.family} comparisons" if found.family > 1 else "as p, of one comparison"
    notes = [f"difference: from {reference}, ±: {CONFIDENCE:.0%}; p (Holm): {holm}"]
    if not all(contrast.paired for contrast in found.contrasts):
        notes.append("* not paired")
    if quantiles:
        notes.append("quantiles are of all replications' requests together; intervals by bootstrap over replications")
    return Table(
        f"{found.metric} at {_deadline(found)}",
        (
            *(["run"] if several else []),
            "policy",
            f"{'pooled' if quantiles else 'mean'}{unit}",
            "difference",
            "p",
            "p (Holm)",
        ),
        rows,
        tuple(notes),
        names=2 if several else 1,
    )


def sentences(found: Comparison) -> Iterator[str]:
    """What is distinguishable, and what is not: a sentence for each comparison."""
    shown, several = quantity(found.metric), _several(found)
    for contrast in found.contrasts:
        yield _sentence(contrast, shown, several)


def frame(found: Comparison) -> pd.DataFrame:
    """A row an entry.

    Columns: run, policy, metric, deadline_ms (NaN: own), n, mean, low, high, reference_run, reference_policy, paired,
    difference (entry - reference), difference_low, difference_high, p, p_holm, distinguishable.
    """
    import pandas as pd

    rows = []
    for entry in found.entries:
        row = {
            "run": entry.run,
            "policy": entry.policy,
            "metric": found.metric,
            "deadline_ms": np.nan if found.deadline_ms is None else found.deadline_ms,
            "n": len(entry.values),
            **entry.interval._asdict(),
        }
        if (contrast := _of(entry, found)) is not None:
            mean, low, high = contrast.interval
            row |= {"reference_run": contrast.reference.run, "reference_policy": contrast.reference.policy}
            row |= {"paired": contrast.paired, "difference": mean, "difference_low": low, "difference_high": high}
            row |= {"p": contrast.p, "p_holm": contrast.p_holm, "distinguishable": contrast.distinguishable}
        rows.append(row)
    return pd.DataFrame(rows)


def _of(entry: Entry, found: Comparison) -> Contrast | None:
    """The comparison of an entry with its reference; None where it is one itself, or has none."""
    return next((each for each in found.contrasts if each.entry is entry), None)


def _sentence(contrast: Contrast, shown: Quantity, several: bool) -> str:
    mean, low, high = contrast.interval
    entry, reference = (_called(side, several) for side in (contrast.entry, contrast.reference))
    ahead = mean > 0 if shown.sign >= 0 else mean < 0
    first, second = (entry, reference) if ahead else (reference, entry)
    if np.isnan(mean):
        return f"{entry} and {reference} cannot be compared: one of them has nothing to measure"
    unit = f" {shown.difference_unit}" if shown.difference_unit else ""
    amount = shown.text(abs(mean))
    if np.isnan(contrast.p):
        return f"{first} is ahead of {second} by {amount}{unit} (one replication: nothing can be said about chance)"
    amount += f" ± {shown.text((high - low) / 2, mean)}{unit}"
    how = p_in_words(contrast.p_holm) + ("" if contrast.paired else ", not paired")
    if not contrast.distinguishable:
        return f"{first} is not distinguishable from {second}: {amount} ({how})"
    word = "better" if shown.sign else "higher"
    return f"{first} is {word} than {second} by {amount} (distinguishable, {how})"


def _called(entry: Entry, several: bool) -> str:
    name = f"{entry.policy} (oracle)" if entry.oracle else entry.policy
    return f"{name} in {entry.run}" if several else name


def _several(found: Comparison) -> bool:
    return len({entry.run for entry in found.entries}) > 1


def _deadline(found: Comparison) -> str:
    return "own deadlines" if found.deadline_ms is None else deadline_in_words(found.deadline_ms)


def _with_half(entry: Entry, shown: Quantity) -> str:
    mean, _, high = entry.interval
    if np.isnan(mean):
        return ""
    return shown.text(mean) + ("" if np.isnan(high) else f" ±{shown.text(high - mean, mean)}")


def _difference(contrast: Contrast, shown: Quantity) -> str:
    mean, _, high = contrast.interval
    if np.isnan(mean):
        return ""
    sign = "+" if mean > 0 else "-" if mean < 0 else ""
    half = "" if np.isnan(high) else f" ±{shown.text(high - mean, mean)}"
    return f"{sign}{shown.text(abs(mean))}{half}{'' if contrast.paired else ' *'}"


def _p(value: float) -> str:
    return "" if np.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"
