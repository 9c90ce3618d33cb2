"""From a recorded rate to the processes that reproduce it, as a scenario writes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgesim.errors import InputError
from edgesim.network.ar1_fit import Ar1Fit, ar1_path, fit_ar1
from edgesim.network.markov import StepLaw
from edgesim.network.markov_fit import fit_markov
from edgesim.network.rate import binned
from edgesim.network.reproduction import Reproduced, markov_path, reproduction
from edgesim.network.trace import Trace
from edgesim.network.trace_statistics import bin_s_of, outages
from edgesim.workload.random import generator

LEAST_STEP_S = 0.1
DIGITS = 4


@dataclass(frozen=True)
class TraceFit:
    """Two processes fitted to the mean rates of steps of ``step_s``, and how each reproduces their statistics."""

    step_s: float
    ar1: Ar1Fit
    ar1_reproduces: list[Reproduced]
    markov: StepLaw
    markov_reproduces: list[Reproduced]


def fit_trace(trace: Trace, step_s: float | None, states: int, seed: int) -> TraceFit:
    """Fit an AR(1) with outages, and a Markov chain of at most ``states`` states, for which an outage is rate 0.

    step_s: the trace's resolution, at least 0.1 s, unless given.  The paths that are generated belong to ``seed``.
    Raises InputError where a trace is too short, or its rate never changes.
    """
    step_s = step_s or bin_s_of(trace, LEAST_STEP_S)
    rates_bps = binned(trace.table(1.0), step_s)
    try:
        ar1 = fit_ar1(rates_bps, step_s, generator(seed, "trace fit", "ar1"))
        markov = fit_markov(np.where(outages(rates_bps), 0.0, rates_bps), step_s, states)
    except InputError as error:
        raise InputError(f"{trace.path}: {error}") from error
    draws = generator(seed, "trace fit", "reproduction")
    return TraceFit(
        step_s,
        ar1,
        reproduction(rates_bps, step_s, lambda steps, rng: ar1_path(ar1.law, steps, rng), draws),
        markov,
        reproduction(rates_bps, step_s, lambda steps, rng: markov_path(markov, steps, rng), draws),
    )


def ar1_yaml(fit: Ar1Fit, step_s: float) -> str:
    """The rate of a link, to be pasted into a scenario."""
    found = fit.moments
    lines = [
        "process: ar1",
        f"mean_mbps: {found.mean_bps / 1e6:.{DIGITS}g}",
        f"cv: {found.cv:.{DIGITS}g}",
        f"correlation_1s: {found.correlation_1s:.{DIGITS}g}",
    ]
    if found.outage_share:
        lines += [f"outage_share: {found.outage_share:.{DIGITS}g}", f"outage_mean_s: {found.outage_mean_s:.{DIGITS}g}"]
    return "\n".join([*lines, f"step_ms: {1e3 * step_s:g}"])


def markov_yaml(law: StepLaw) -> str:
    """The rate of a link, to be pasted into a scenario; each row of the matrix is rounded to a sum of 1."""
    rates = ", ".join(f"{rate / 1e6:.{DIGITS}g}" for rate in law.rates_bps)
    rows = [f"  - [{', '.join(f'{value:g}' for value in _rounded(row))}]" for row in law.chain.matrix]
    return "\n".join(["process: markov", f"states_mbps: [{rates}]", "matrix:", *rows, f"step_ms: {1e3 * law.step_s:g}"])


def _rounded(row: tuple[float, ...]) -> list[float]:
    """The largest value takes what rounding has moved."""
    values = [round(value, DIGITS) for value in row]
    largest = values.index(max(values))
    values[largest] = round(1 - sum(values[:largest]) - sum(values[largest + 1 :]), DIGITS)
    return values
