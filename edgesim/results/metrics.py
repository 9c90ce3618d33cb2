"""Metrics of a cell (one policy, one deadline, one replication), each defined in ``docs/metrics.md``.

Every function returns arrays of one value per cell; NaN where a cell has nothing to measure.  They are averaged and
compared over replications only, never over the requests of one run.
"""

from __future__ import annotations

import numpy as np

from edgesim.results.columns import ENDS, STAGES
from edgesim.results.counted import Counted
from edgesim.results.tables import Tables

PerCell = np.ndarray
NOTHING = "none"


def rates(counted: Counted, tables: Tables, window: tuple[float, float]) -> dict[str, PerCell]:
    """Requests, first answers, on-time and right answers a second of the measured window [warm-up, T] in seconds."""
    requests, (start_s, stop_s) = tables.requests, window
    first_s = requests.column("arrival_s") + requests.column("latency_s")
    inside = (first_s >= start_s) & (first_s <= stop_s)
    answered = np.bincount(counted.cells.of_requests, weights=inside, minlength=len(counted.cells))
    on_time = counted.is_word("end", "on_time")
    length_s = stop_s - start_s
    return {
        "arrivals_hz": counted.requests / length_s,
        "throughput_hz": answered / length_s,
        "on_time_hz": counted.total(on_time) / length_s,
        "goodput_hz": counted.total(on_time & counted.column("correct")) / length_s,
    }


def answers(counted: Counted) -> dict[str, PerCell]:
    """On-time accuracy and miss ratio at the deadline the cell ran with, accuracy of what was answered, latency."""
    latency_s = counted.column("latency_s")
    answered = ~np.isnan(latency_s)
    final = np.where(answered, counted.column("final_correct"), np.nan)
    median, p95, p99 = counted.quantiles(latency_s, (0.5, 0.95, 0.99))
    return {
        "on_time_accuracy": counted.share(counted.column("correct")),
        "miss_ratio": 1.0 - counted.share(counted.is_word("end", "on_time")),
        "answered_ratio": counted.share(answered),
        "answered_accuracy": counted.mean(final),
        "answers": counted.mean(counted.column("answers").astype(float)),
        "latency_mean_s": counted.mean(latency_s),
        "latency_p50_s": median,
        "latency_p95_s": p95,
        "latency_p99_s": p99,
        "used_mean_s": counted.mean(counted.column("used_s")),
    }


def errors(counted: Counted) -> dict[str, PerCell]:
    """Mean absolute error at the deadline the cell ran with, and what it would be without any answer (regression)."""
    return {
        "on_time_error": counted.mean(counted.column("error")),
        "missed_error": counted.mean(counted.column("missed_error")),
    }


def spending(counted: Counted) -> dict[str, PerCell]:
    """Offloading, bytes, joules and waste, each a mean over the counted requests."""
    spent = ("bytes_up", "bytes_down", "energy_j", "wasted_s", "wasted_bytes", "wasted_j")
    means = {name: counted.mean(counted.column(name).astype(float)) for name in spent}
    return {"offload_ratio": 1.0 - counted.share(counted.is_word("codec", "")), **means}


def stages(counted: Counted) -> dict[str, PerCell]:
    """Mean seconds in each stage over the counted requests that were answered."""
    answered = ~np.isnan(counted.column("latency_s"))
    return {stage: counted.mean(np.where(answered, counted.column(stage), np.nan)) for stage in STAGES}


def ends(counted: Counted) -> dict[str, PerCell]:
    """The share of counted requests that ended in each way; the shares sum to 1."""
    return {end: counted.share(counted.is_word("end", end)) for end in ENDS}


def reasons(counted: Counted) -> dict[str, PerCell]:
    """The share of counted requests dropped or unfinished for each reason."""
    return {word: counted.share(counted.is_word("reason", word)) for word in counted.names("reason").words if word}


def exit_shares(counted: Counted, among: np.ndarray | bool = True) -> dict[str, PerCell]:
    """The share of counted requests answered by each exit (``MODEL/EXIT``) or not at all; the shares sum to 1.

    among: which requests the shares are made up of, all where True; they are still shares of all.
    """
    models, exits = counted.names("model"), counted.column("exit")
    return _shares(counted, models.words, models.codes, exits, exits < 0, among)


def cut_shares(counted: Counted) -> dict[str, PerCell]:
    """The share of counted requests whose last cut sent was each (``CODEC/CUT``), or that sent nothing."""
    codecs = counted.names("codec")
    return _shares(counted, codecs.words, codecs.codes, counted.column("cut"), counted.is_word("codec", ""))


def _shares(
    counted: Counted,
    words: tuple[str, ...],
    codes: np.ndarray,
    numbers: np.ndarray,
    nothing: np.ndarray,
    among: np.ndarray | bool = True,
) -> dict[str, PerCell]:
    span = int(numbers.max(initial=0)) + 1
    keys = np.where(nothing, -1, codes.astype(np.int64) * span + numbers)
    found = {NOTHING: counted.share(nothing & among)}
    for key in np.unique(keys[~nothing]).tolist():
        word, number = divmod(key, span)
        found[f"{words[word]}/{number}"] = counted.share((keys == key) & among)
    return found
