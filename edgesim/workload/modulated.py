"""Poisson arrivals whose rate changes with time: in bursts, or with a daily course."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate, count
from math import cos, pi
from typing import TYPE_CHECKING

import numpy as np

from edgesim.workload.random import draws, generator

if TYPE_CHECKING:
    from edgesim.scenario.arrivals import DiurnalArrivals, MmppArrivals


def mmpp_times(spec: MmppArrivals, root: int, device: str) -> Iterator[float]:
    """Arrivals of a two-state Markov-modulated Poisson process, started in its stationary distribution.

    By inversion: a Poisson process of rate 1 whose time is the integral of the rate, so that other rates move the
    arrivals and keep their order.  With shares p and 1 - p of the time in the two states, their rates a and b, and
    r = 1 / burst_mean_s + 1 / quiet_mean_s, counts in t seconds have (Fischer and Meier-Hellstern, Performance
    Evaluation 18, 1993)

        mean  m t,  m = p a + (1 - p) b
        variance  m t + 2 p (1 - p) (a - b)^2 (t / r - (1 - exp(-r t)) / r^2)
    """
    works = accumulate(draws(_exponential, root, "arrivals", device))
    lengths = draws(_exponential, root, "arrival states", device)
    share = spec.burst_mean_s / (spec.burst_mean_s + spec.quiet_mean_s)
    first = 0 if generator(root, "arrival state", device).random() < share else 1
    states = ((spec.burst_hz, spec.burst_mean_s), (spec.quiet_hz, spec.quiet_mean_s))
    work = next(works)
    start_s = done = 0.0
    for number in count(first):
        rate_hz, mean_s = states[number % 2]
        length_s = mean_s * next(lengths)
        while work < done + rate_hz * length_s:
            yield start_s + (work - done) / rate_hz
            work = next(works)
        start_s, done = start_s + length_s, done + rate_hz * length_s


def diurnal_times(spec: DiurnalArrivals, root: int, device: str) -> Iterator[float]:
    """Arrivals of a Poisson process whose rate is periodic in time, by thinning (Lewis and Shedler, 1979): candidates
    come at the highest rate, and one at time t stays with probability rate(t) over the highest."""
    factor, highest = _course(spec)
    mean_s = 1 / (spec.rate_hz * highest)
    candidates_s = accumulate(draws(lambda rng, size: rng.exponential(mean_s, size), root, "arrivals", device))
    for time_s, draw in zip(candidates_s, draws(_uniform, root, "arrival thinning", device), strict=False):
        if draw * highest < factor(time_s):
            yield time_s


def _course(spec: DiurnalArrivals) -> tuple[Callable[[float], float], float]:
    """The rate over its mean at a time of the run, and the highest that it comes to."""
    if spec.factors is not None:
        mean = sum(spec.factors) / len(spec.factors)
        table = [factor / mean for factor in spec.factors]

        def tabled(time_s: float) -> float:
            part = (time_s + spec.start_s) % spec.period_s / spec.period_s
            return table[min(int(part * len(table)), len(table) - 1)]

        return tabled, max(table)
    assert spec.amplitude is not None
    amplitude, turn = spec.amplitude, 2 * pi / spec.period_s
    peak_s = spec.period_s / 2 if spec.peak_s is None else spec.peak_s
    return lambda time_s: 1 + amplitude * cos(turn * (time_s + spec.start_s - peak_s)), 1 + amplitude


def _exponential(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.exponential(1.0, size)


def _uniform(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.random(size)
