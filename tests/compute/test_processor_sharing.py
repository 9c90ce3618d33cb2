"""Shared workers against a fluid simulation and M/G/k-PS."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from waiting_tasks import poisson, z_of_runs

from edgesim.compute.processor_sharing import shared_workers
from edgesim.studies.theory import sojourn_in_processor_sharing_s, wait_in_mmk_s

SIZES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "exponential": lambda rng, count: rng.exponential(1.0, count),
    "deterministic": lambda rng, count: np.ones(count),
}


def finishes(workers: int, arrivals_s: list[float], work_s: list[float]) -> list[float]:
    sharing: Any = shared_workers(workers)
    ends_s = [math.nan] * len(work_s)
    for number, now_s in enumerate([*arrivals_s, math.inf]):
        while (end_s := sharing.next_event_s()) is not None and end_s <= now_s:
            ends_s[sharing.pop(end_s)] = end_s
        if number < len(work_s):
            sharing.add(now_s, work_s[number], number)
    return ends_s


def fluid(workers: int, arrivals_s: list[float], work_s: list[float]) -> list[float]:
    """What is left of every task, from event to event."""
    left: dict[int, float] = {}
    ends_s, now_s, coming = [math.nan] * len(work_s), 0.0, 0
    while left or coming < len(work_s):
        speed = min(1.0, workers / len(left)) if left else 0.0
        ends = now_s + min(left.values()) / speed if left else math.inf
        until = min(ends, arrivals_s[coming] if coming < len(work_s) else math.inf)
        left = {number: work - speed * (until - now_s) for number, work in left.items()}
        now_s = until
        for number in [number for number, work in left.items() if work < 1e-11]:
            ends_s[number] = now_s
            del left[number]
        if coming < len(work_s) and arrivals_s[coming] == now_s:
            left[coming] = work_s[coming]
            coming += 1
    return ends_s


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_finishes_equal_a_fluid_simulation(workers: int) -> None:
    rng = np.random.default_rng(workers)
    arrivals_s, work_s = poisson(rng, 500, 0.9 * workers), rng.uniform(0.1, 1.9, 500).tolist()
    assert finishes(workers, arrivals_s, work_s) == pytest.approx(fluid(workers, arrivals_s, work_s), rel=1e-9)


@pytest.mark.parametrize(("tasks", "end_s"), [(1, 2.0), (3, 2.0), (4, 8 / 3), (9, 6.0)])
def test_equal_tasks_end_together(tasks: int, end_s: float) -> None:
    assert finishes(3, [0.0] * tasks, [2.0] * tasks) == pytest.approx([end_s] * tasks)


def sojourns_z(workers: int, sizes: str, theory_s: float, slower: float) -> float:
    """Mean time in the system at load 0.8 over independent runs, in standard errors from theory."""
    means = []
    for seed in range(20):
        rng, count = np.random.default_rng(seed), 6000
        arrivals_s = poisson(rng, count, 0.8 * workers)
        work_s = slower * SIZES[sizes](rng, count)
        ends_s = finishes(workers, arrivals_s, work_s.tolist())
        means.append(float(np.mean(np.subtract(ends_s, arrivals_s)[500:])))
    return z_of_runs(means, theory_s, 0.1)


@pytest.mark.parametrize(("slower", "seen"), [(1.0, False), (1.05, True)])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("workers", [1, 3])
def test_the_mean_does_not_depend_on_the_sizes(workers: int, sizes: str, slower: float, seen: bool) -> None:
    """5 E[S] with one worker; with more, what Erlang C says of first come, first served and exponential sizes, which
    holds here for all sizes (Cohen 1979)."""
    theory_s = 1.0 + wait_in_mmk_s(0.8 * workers, 1.0, workers)
    if workers == 1:
        assert theory_s == pytest.approx(sojourn_in_processor_sharing_s(0.8, 1.0)) == pytest.approx(5.0)
    z = sojourns_z(workers, sizes, theory_s, slower)
    assert z > 3.3 if seen else abs(z) < 3.3
