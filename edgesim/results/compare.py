"""Policies of one run or of several, by one metric: means, differences from a reference, and what chance explains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np

from edgesim.errors import InputError
from edgesim.results.quantiles import PROBABILITIES, bootstrap_difference, bootstrap_quantile, least_requests
from edgesim.results.quantity import by_own_deadline, quantity
from edgesim.results.recorded import RecordedRun
from edgesim.results.replicated import replicated
from edgesim.results.same_world import why_unpaired
from edgesim.results.scenario_differences import differences_in_words
from edgesim.results.statistics import (
    CONFIDENCE,
    LEAST_REPLICATIONS,
    Interval,
    holm,
    paired_p,
    t_interval,
    t_p,
    welch,
)
from edgesim.results.summary import read_summary
from edgesim.workload.random import generator


@dataclass(frozen=True, eq=False)
class Entry:
    """A policy of a run.  values: of the metric, one per replication; samples: of quantiles, what they are taken of."""

    run: str
    policy: str
    oracle: bool
    interval: Interval
    values: dict[int, float] = field(repr=False)
    samples: list[np.ndarray] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Contrast:
    """entry - reference.  paired: by replication; otherwise Welch's test.  p_holm: adjusted for the whole family."""

    entry: Entry
    reference: Entry
    paired: bool
    interval: Interval
    p: float
    p_holm: float = float("nan")

    @property
    def distinguishable(self) -> bool:
        return self.p_holm < 1 - CONFIDENCE

    def turned(self) -> Contrast:
        """reference - entry."""
        mean, low, high = self.interval
        return replace(self, entry=self.reference, reference=self.entry, interval=Interval(-mean, -high, -low))


@dataclass(frozen=True)
class Comparison:
    """contrasts: of each entry with its reference.  family: how many Holm's correction is over.  notes: sentences."""

    metric: str
    deadline_ms: float | None
    entries: list[Entry]
    contrasts: list[Contrast]
    family: int
    notes: list[str]


def compare(folders: Sequence[Path], metric: str, deadline_ms: float | Literal["own"] | None = None) -> Comparison:
    """Compare the policies of runs by a metric of docs/metrics.md.

    Of several runs each policy is compared with the first run's of the same name; of one run each with the best that is
    no oracle (Holm's correction is then over all pairs, because the best is found from the same numbers).
    deadline_ms: of the axis, or "own"; where None the one that the runs' own summaries compare at.  Raises InputError
    where a folder is no run's, or has nothing of that metric at that deadline.
    """
    names = _called(folders)
    runs = {name: RecordedRun(folder) for name, folder in zip(names, folders, strict=True)}
    summaries = {name: read_summary(folder) for name, folder in zip(names, folders, strict=True)}
    if deadline_ms is None:
        deadline_ms = _default_deadline_ms([summary["compared_at_ms"] for summary in summaries.values()])
    at_ms = None if deadline_ms == "own" else deadline_ms
    entries = [
        entry
        for name, run in runs.items()
        for entry in _entries(name, run, metric, at_ms, summaries[name]["labels"].get("oracles", ()))
    ]
    unpaired = {name: why_unpaired(runs[names[0]], run) for name, run in runs.items() if name != names[0]}
    if len(runs) == 1:
        contrasts, size = _in_one_run(entries, metric)
    else:
        contrasts = _adjusted(_with_first_run(entries, names[0], metric, unpaired))
        size = len(contrasts)
        if not contrasts:
            raise InputError(f"no policy of {names[0]} has its name in another run; allowed: runs that share one")
    notes = [
        *_scenario_notes(runs),
        *_pairing_notes(names[0], unpaired, metric),
        *_length_notes(entries, metric),
        *_warning_notes(summaries),
    ]
    return Comparison(metric, at_ms, entries, contrasts, size, notes)


def _called(folders: Sequence[Path]) -> list[str]:
    """Each run by its folder's name, or by the path where two have one name."""
    for folder in folders:
        if (folder / "ledger.sqlite").is_file():
            raise InputError(f"{folder}: found the results of a study, whose contrasts are in its contrasts.csv; "
                             "allowed: results folders of runs")  # fmt: skip
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InputError("found the same run twice, allowed: different runs")
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _default_deadline_ms(compared_ms: Sequence[float | None]) -> float | None:
    found = {deadline_ms for deadline_ms in compared_ms if deadline_ms is not None}
    if len(found) > 1:
        raise InputError(
            f"--deadline: the runs are compared at different ones ({', '.join(f'{each:g}' for each in sorted(found))} "
            "ms); allowed: a deadline that they share"
        )
    return found.pop() if found else None


def _entries(
    name: str, run: RecordedRun, metric: str, deadline_ms: float | None, oracles: Sequence[str]
) -> Iterator[Entry]:
    measured = [each for each in replicated(run) if each.quantity == metric]
    if not measured:
        known = sorted({each.quantity for each in replicated(run) if ":" not in each.quantity})
        raise InputError(f"--metric {metric}: {name} has nothing of it; allowed: {', '.join(known)}, or one of a group")
    for policy in run.policies:
        of_policy = {each.deadline_ms: each for each in measured if each.policy == policy}
        at_ms = deadline_ms
        if deadline_ms not in of_policy and set(of_policy) == {None} and not by_own_deadline(metric):
            at_ms = None  # it was run once, and nothing in it depends on the deadline
        if at_ms not in of_policy:
            found = ", ".join("own" if each is None else f"{each:g}" for each in of_policy)
            wanted = "own deadlines" if deadline_ms is None else f"{deadline_ms:g} ms"
            raise InputError(f"--deadline: {policy} in {name} has no {metric} at {wanted}; allowed: {found}")
        chosen = of_policy[at_ms]
        samples = _samples(run, policy, at_ms) if metric in PROBABILITIES else []
        interval = (
            bootstrap_quantile(samples, PROBABILITIES[metric], _random(run))[0]
            if samples
            else t_interval(chosen.values)
        )
        values = dict(zip(chosen.replications, chosen.values.tolist(), strict=True))
        yield Entry(name, policy, policy in oracles, interval, values, samples)


def _samples(run: RecordedRun, policy: str, deadline_ms: float | None) -> list[np.ndarray]:
    """Latencies of the counted and answered requests of each replication."""
    latency_s = run.counted.column("latency_s")
    found = [latency_s[run.counted.rows(cell)] for cell in run.cells.runs(policy)[deadline_ms]]
    return [values[~np.isnan(values)] for values in found]


def _random(run: RecordedRun) -> np.random.Generator:
    return generator(run.seed, "resampled replications")


def _in_one_run(entries: list[Entry], metric: str) -> tuple[list[Contrast], int]:
    """Each entry with the best that is no oracle, adjusted over all pairs; and how many these are."""
    sign = quantity(metric).sign or 1
    ranked = sorted(entries, key=lambda entry: np.nan_to_num(-sign * entry.interval.mean, nan=np.inf))
    best = next((entry for entry in ranked if not entry.oracle), ranked[0])
    pairs = _adjusted([_contrast(*pair, metric, paired=True) for pair in combinations(ranked, 2)])
    with_best = [
        each.turned() if each.entry is best else each for each in pairs if best in (each.entry, each.reference)
    ]
    return with_best, len(pairs)


def _with_first_run(
    entries: list[Entry], first_run: str, metric: str, unpaired: dict[str, str | None]
) -> list[Contrast]:
    reference = {entry.policy: entry for entry in entries if entry.run == first_run}
    return [
        _contrast(entry, reference[entry.policy], metric, paired=unpaired[entry.run] is None)
        for entry in entries
        if entry.run != first_run and entry.policy in reference
    ]


def _contrast(entry: Entry, reference: Entry, metric: str, paired: bool) -> Contrast:
    if metric in PROBABILITIES:
        random = generator(0, "resampled replications")
        replications = min(len(entry.samples), len(reference.samples))
        interval, error = bootstrap_difference(entry.samples, reference.samples, PROBABILITIES[metric], paired, random)
        p = t_p(interval.mean, error, replications) if replications > 1 else float("nan")
        return Contrast(entry, reference, paired, interval, p)
    if not paired:
        interval, p = welch(*(np.array(list(side.values.values())) for side in (entry, reference)))
        return Contrast(entry, reference, paired, interval, p)
    differences = np.array([value - reference.values[number] for number, value in entry.values.items()])
    differences = differences[~np.isnan(differences)]
    return Contrast(entry, reference, paired, t_interval(differences), paired_p(differences))


def _adjusted(contrasts: list[Contrast]) -> list[Contrast]:
    p_holm = holm([each.p for each in contrasts])
    return [replace(each, p_holm=p) for each, p in zip(contrasts, p_holm, strict=True)]


def _scenario_notes(runs: dict[str, RecordedRun]) -> Iterator[str]:
    """What the scenarios of later runs say differently from the first."""
    (first, base), *others = runs.items()
    for name, run in others:
        said = differences_in_words(base.scenario, run.scenario)
        yield f"{first} and {name} differ in {said}" if said else f"{first} and {name} are of one scenario"


def _pairing_notes(first: str, unpaired: dict[str, str | None], metric: str) -> Iterator[str]:
    how = "each resampled apart" if metric in PROBABILITIES else "Welch's t-test"
    for name, why in unpaired.items():
        if why is not None:
            yield f"{name} and {first} are not paired: {why}; compared as though they had nothing in common ({how})"


def _length_notes(entries: list[Entry], metric: str) -> Iterator[str]:
    for run in dict.fromkeys(entry.run for entry in entries):
        of_run = [entry for entry in entries if entry.run == run]
        replications = len(of_run[0].values)
        if replications < LEAST_REPLICATIONS:
            number = f"{replications} replication{'s' if replications > 1 else ''}"
            yield f"{run} has {number}; from {LEAST_REPLICATIONS} on intervals are to be trusted"
        if metric in PROBABILITIES:
            needed = least_requests(PROBABILITIES[metric])
            fewest = min(of_run, key=lambda entry: min(map(len, entry.samples)))
            found = min(map(len, fewest.samples))
            if found < needed:
                yield (
                    f"{run} is too short for {metric}: it needs {needed:,} answered requests in each replication, "
                    f"{fewest.policy} has {found:,}"
                )


def _warning_notes(summaries: dict[str, dict]) -> Iterator[str]:
    for name, summary in summaries.items():
        yield from (f"{name}: {warning}" for warning in summary["warnings"])
