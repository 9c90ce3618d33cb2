"""Depths by dynamic programming, against brute force over all depths and all orders."""

from __future__ import annotations

import doctest
import random
from itertools import accumulate, permutations, product
from typing import NamedTuple

import pytest

from edgesim.compute import imprecise
from edgesim.compute.imprecise import Job, plan

Value = tuple[int, float]


def value(jobs: list[Job], stages: tuple[int, ...] | list[int]) -> Value:
    """(first stages done, sum of utilities) of a plan."""
    done = sum(count > 0 and not job.answered for job, count in zip(jobs, stages, strict=True))
    return done, sum(job.utilities[count] for job, count in zip(jobs, stages, strict=True))


def in_time(jobs: list[Job], stages: tuple[int, ...] | list[int], order: tuple[int, ...] | None = None) -> bool:
    """Whether all that run end by their deadlines, one after the other in this order."""
    now_s = 0.0
    for number in order or range(len(jobs)):
        now_s += sum(jobs[number].stages_s[: stages[number]])
        if stages[number] and now_s > jobs[number].deadline_s:
            return False
    return True


def best(jobs: list[Job], any_order: bool = False) -> Value:
    choices = product(*(range(len(job.utilities)) for job in jobs))
    orders = list(permutations(range(len(jobs)))) if any_order else [None]
    return max(value(jobs, stages) for stages in choices if any(in_time(jobs, stages, order) for order in orders))


def some_jobs(draws: random.Random, count: int) -> list[Job]:
    """Up to four stages each, times in whole ms, utilities that mostly rise; too much for their deadlines."""
    jobs = []
    for _ in range(count):
        stages = draws.randint(1, 4)
        times_s = [draws.randint(1, 9) / 1024 for _ in range(stages)]
        answered = draws.random() < 0.3
        first = draws.randint(20, 60) if answered else 0
        utilities = list(accumulate((draws.randint(-2, 40) for _ in range(stages)), initial=first))
        deadline_s = draws.randint(1, 12 * count) / 1024
        jobs.append(Job(deadline_s, times_s, [max(each, 0) / 128 for each in utilities], answered))
    return sorted(jobs, key=lambda job: job.deadline_s)


def test_example() -> None:
    found = doctest.testmod(imprecise)
    assert found.attempted and not found.failed


def test_nobody_to_plan_for() -> None:
    assert plan([]) == []


@pytest.mark.parametrize("deadline_s", [0.5, 1.0, 1.5, 2.0, 3.4, 3.5, 99.0])
def test_a_lone_job_runs_as_deep_as_fits(deadline_s: float) -> None:
    job = Job(deadline_s, [1.0, 0.5, 2.0], [0.0, 0.5, 0.6, 0.7])
    assert plan([job]) == [sum(end_s <= deadline_s for end_s in (1.0, 1.5, 3.5))]


def test_the_plan_equals_brute_force() -> None:
    """Times and utilities are sums of powers of two, so that equal means equal."""
    draws = random.Random(1)
    left_out = shortened = 0
    for _ in range(300):
        jobs = some_jobs(draws, draws.randint(1, 5))
        stages = plan(jobs)
        assert in_time(jobs, stages)
        assert value(jobs, stages) == best(jobs)
        left_out += any(not count and not job.answered for job, count in zip(jobs, stages, strict=True))
        shortened += any(0 < count < len(job.stages_s) for job, count in zip(jobs, stages, strict=True))
    assert left_out > 30 and shortened > 100


def test_no_other_order_of_the_jobs_is_worth_more() -> None:
    draws = random.Random(2)
    for _ in range(60):
        jobs = some_jobs(draws, draws.randint(2, 4))
        assert value(jobs, plan(jobs)) == best(jobs, any_order=True)


@pytest.mark.parametrize("quantum", [0.02, 0.1, 0.3])
def test_quantised_utilities_cost_a_quantum_a_job_at_most(quantum: float) -> None:
    draws = random.Random(3)
    worse = 0
    for _ in range(200):
        jobs = some_jobs(draws, draws.randint(1, 5))
        stages = plan(jobs, quantum)
        (done, utility), (most, greatest) = value(jobs, stages), best(jobs)
        assert in_time(jobs, stages)
        assert done == most
        assert greatest - len(jobs) * quantum <= utility <= greatest
        worse += utility < greatest
    assert worse, "the quantum is coarse enough to matter"


class Run(NamedTuple):
    stages: list[int]
    ends_s: list[float]


def carried_out(jobs: list[Job], arrivals_s: list[float] | None = None) -> Run:
    """Runs one stage at a time and plans anew at each end, with whoever has come by then."""
    arrivals_s = arrivals_s or [0.0] * len(jobs)
    done, ends_s, now_s = [0] * len(jobs), [0.0] * len(jobs), 0.0
    while True:
        here = [number for number in range(len(jobs)) if arrivals_s[number] <= now_s]
        here.sort(key=lambda number: arrivals_s[number] + jobs[number].deadline_s)
        left = [
            Job(
                arrivals_s[number] + jobs[number].deadline_s - now_s,
                jobs[number].stages_s[done[number] :],
                jobs[number].utilities[done[number] :],
                jobs[number].answered or done[number] > 0,
            )
            for number in here
        ]
        chosen = next((number for number, count in zip(here, plan(left), strict=True) if count), None)
        if chosen is not None:
            now_s += jobs[chosen].stages_s[done[chosen]]
            done[chosen] += 1
            ends_s[chosen] = now_s
        else:
            later_s = [arrival_s for arrival_s in arrivals_s if arrival_s > now_s]
            if not later_s:
                return Run(done, ends_s)
            now_s = min(later_s)


def test_what_the_plan_promises_comes_true() -> None:
    draws = random.Random(4)
    for _ in range(100):
        jobs = some_jobs(draws, draws.randint(1, 6))
        run = carried_out(jobs)
        assert value(jobs, run.stages) == value(jobs, plan(jobs))
        assert all(end_s <= job.deadline_s for job, end_s in zip(jobs, run.ends_s, strict=True))


def test_with_later_arrivals_nothing_is_run_in_vain_and_more_is_earned_than_at_full_depth() -> None:
    """Load 1.6 at full depth, against earliest deadline first that runs everybody to the end."""
    draws = random.Random(6)
    arrivals_s = list(accumulate(draws.expovariate(0.4) for _ in range(200)))
    jobs = [Job(draws.uniform(4, 12), [1.0] * 4, [0.0, 0.5, 0.7, 0.8, 0.85]) for _ in arrivals_s]
    run = carried_out(jobs, arrivals_s)
    for job, arrival_s, count, end_s in zip(jobs, arrivals_s, *run, strict=True):
        assert count == 0 or end_s <= arrival_s + job.deadline_s + 1e-9
    earned = value(jobs, run.stages)
    assert earned[0] > 190
    assert earned[1] > 1.5 * full_depth(jobs, arrivals_s)


def full_depth(jobs: list[Job], arrivals_s: list[float]) -> float:
    waiting, left, now_s, earned = set(), set(range(len(jobs))), 0.0, 0.0
    while left or waiting:
        come = {number for number in left if arrivals_s[number] <= now_s}
        waiting, left = waiting | come, left - come
        if not waiting:
            now_s = min(arrivals_s[number] for number in left)
            continue
        first = min(waiting, key=lambda number: arrivals_s[number] + jobs[number].deadline_s)
        waiting.remove(first)
        now_s += sum(jobs[first].stages_s)
        earned += jobs[first].utilities[-1] * (now_s <= arrivals_s[first] + jobs[first].deadline_s)
    return earned
