"""Processor sharing against a brute-force simulation, closed forms and M/G/1-PS."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest

from edgesim.network.ar1 import Ar1Moments, Ar1Rate, match
from edgesim.network.cell import SharedCell
from edgesim.network.constant import ConstantRate
from edgesim.network.rate import RateProcess, pieces
from edgesim.network.steps import steps_table
from edgesim.network.tabled import TabledRate

Job = tuple[float, float]  # arrival (s), bits


def shared(rate: RateProcess, jobs: Iterable[Job]) -> list[float]:
    """Finish time of each job, jobs in the order of arrival."""
    cell: SharedCell[int] = SharedCell(rate)
    finishes: dict[int, float] = {}

    def drain(until_s: float) -> None:
        while (finish_s := cell.next_event_s()) is not None and finish_s <= until_s:
            finishes[cell.pop(finish_s)] = finish_s

    for number, (now_s, bits) in enumerate(jobs):
        drain(now_s)
        cell.add(now_s, bits, number)
    drain(math.inf)
    return [finishes[number] for number in range(len(finishes))]


def brute_force(rate: RateProcess, jobs: list[Job], until_s: float) -> list[float]:
    """Every flow's remaining bits, served piece by piece between all changes of the rate and all arrivals."""
    edges, rates = pieces(rate, 0.0, until_s)
    left: dict[int, float] = {}
    finishes = [math.nan] * len(jobs)
    arriving = 0
    for value, (now_s, stop_s) in zip(rates, pairwise(edges), strict=True):
        while now_s < stop_s:
            until = min(stop_s, jobs[arriving][0]) if arriving < len(jobs) else stop_s
            if left and value:
                ends_s = now_s + min(left.values()) * len(left) / value
                until = min(until, ends_s)
            for number in left:
                left[number] -= value * (until - now_s) / len(left)
            now_s = until
            for number in [number for number, bits in left.items() if bits < 1e-4]:
                finishes[number] = now_s
                del left[number]
            while arriving < len(jobs) and jobs[arriving][0] <= now_s:
                left[arriving] = jobs[arriving][1]
                arriving += 1
    return finishes


def poisson_jobs(count: int, mean_gap_s: float, size: Callable[[random.Random], float], seed: int) -> Iterable[Job]:
    draws, now_s = random.Random(seed), 0.0
    for _ in range(count):
        now_s += draws.expovariate(1 / mean_gap_s)
        yield now_s, size(draws)


@pytest.mark.parametrize(
    "rate",
    [
        lambda: ConstantRate(5e6),
        lambda: TabledRate(steps_table([[0, 9], [1, 0], [1.5, 2], [3, 7]]), "loop"),
        lambda: Ar1Rate(match(Ar1Moments(5e6, 0.9, 0.7, 0.2, 2.0), 0.1), 4, "cell"),
    ],
)
def test_finishes_equal_brute_force(rate: Callable[[], RateProcess]) -> None:
    jobs = list(poisson_jobs(600, 0.25, lambda draws: draws.uniform(1e4, 1.6e6), 8))
    found = shared(rate(), jobs)
    assert found == pytest.approx(brute_force(rate(), jobs, 400.0), rel=1e-9)


def test_equal_flows_end_together() -> None:
    assert shared(ConstantRate(3e6), [(1.0, 6e5)] * 7) == pytest.approx([1.0 + 7 * 6e5 / 3e6] * 7, rel=1e-12)


def test_a_lone_flow_gets_the_whole_rate() -> None:
    rate = TabledRate(steps_table([[0, 9], [1, 0], [1.5, 2]]), "loop")
    assert shared(rate, [(0.7, 5e6)]) == [rate.finish(0.7, 5e6)]


def test_of_several_ends_the_first_come_leaves_first() -> None:
    cell: SharedCell[str] = SharedCell(ConstantRate(1e6))
    for flow in "abc":
        cell.add(0.0, 1e5, flow)
    finish_s = cell.next_event_s()
    assert finish_s == pytest.approx(0.3)
    assert [cell.pop(finish_s) for _ in range(3)] == list("abc")
    assert cell.next_event_s() is None and len(cell) == 0


def test_what_is_left() -> None:
    cell: SharedCell[str] = SharedCell(ConstantRate(1e6))
    cell.add(1.0, 4e5, "a")
    cell.add(1.2, 8e5, "b")
    assert (cell.left_bits(1.4, "a"), cell.left_bits(1.4, "b")) == pytest.approx((1e5, 7e5))
    assert cell.next_event_s() == pytest.approx(1.6)
    assert cell.pop(1.6) == "a"
    assert cell.left_bits(1.6, "b") == pytest.approx(6e5)
    assert cell.pop(cell.next_event_s()) == "b"
    assert len(cell) == 0


def test_a_clock_that_lags_by_a_rounding_error_changes_nothing() -> None:
    """Across an edge of the table, where the flow before the edge must not be counted twice."""
    cell: SharedCell[str] = SharedCell(TabledRate(steps_table([[0, 1], [1, 1]]), "loop"))
    cell.add(0.0, 2e6, "a")
    cell.add(0.0, 3e6, "b")
    assert cell.pop(cell.next_event_s()) == "a"
    lagging_s = math.nextafter(4.0, 0.0)
    assert cell.left_bits(lagging_s, "b") == 1e6
    cell.add(lagging_s, 1e6, "c")
    assert cell.next_event_s() == 6.0


def test_a_cell_without_rate_keeps_its_flows() -> None:
    cell: SharedCell[str] = SharedCell(ConstantRate(0.0))
    cell.add(0.0, 1.0, "a")
    assert cell.next_event_s() == math.inf


SIZES = {"exponential": lambda draws: draws.expovariate(1.0), "deterministic": lambda draws: 1.0}


def sojourn_z(size: Callable[[random.Random], float], slowdown: float = 1.0) -> float:
    """Mean sojourn at load 0.6 over 12 runs against E[S] / (1 - rho), in standard errors; half width checked."""
    load, runs = 0.6, 12
    means = []
    for seed in range(runs):
        jobs = list(poisson_jobs(8000, 1 / load, size, 100 + seed))
        sojourns = [
            finish_s - now_s
            for finish_s, (now_s, _) in zip(shared(ConstantRate(1 / slowdown), jobs), jobs, strict=True)
        ]
        means.append(sum(sojourns[500:]) / len(sojourns[500:]))
    mean = sum(means) / runs
    error = math.sqrt(sum((value - mean) ** 2 for value in means) / (runs - 1) / runs)
    assert 3.3 * error < 0.1 * mean
    return (mean - 1 / (1 - load)) / error


@pytest.mark.parametrize("name", SIZES)
def test_processor_sharing_is_insensitive_to_the_sizes(name: str) -> None:
    """M/G/1-PS: mean sojourn E[S] / (1 - rho), for exponential and deterministic sizes alike (Kleinrock, vol. 2)."""
    assert abs(sojourn_z(SIZES[name])) < 3.3


@pytest.mark.parametrize("name", SIZES)
def test_service_five_percent_slower_is_seen(name: str) -> None:
    assert abs(sojourn_z(SIZES[name], slowdown=1.05)) > 3.3
