"""Order and bound of a server's queue, against brute force and queueing theory."""

from __future__ import annotations

import random
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from waiting_tasks import end_s, names, poisson, serve, task, z_of_runs

from edgesim.compute.server_queue import server_queue

ORDERS: Any = ["fifo", "priority", "edf"]
COMING = [
    task("a", deadline_s=5, priority=1),
    task("b", deadline_s=3, priority=0),
    task("c", deadline_s=4, priority=2),
    task("d", deadline_s=3, priority=1),
    task("e", deadline_s=9, priority=0),
]
SERVED = {"fifo": "abcde", "priority": "beadc", "edf": "bdcae"}


def filled(order: Any, bound: int | None = None) -> tuple[Any, str]:
    """A queue that all came to, and who was turned away."""
    queue = server_queue(order, bound)
    lost = [queue.push(each) for each in COMING]
    return queue, names(each for each in lost if each is not None)


@pytest.mark.parametrize("order", ORDERS)
def test_service_goes_in_the_order_of_iteration(order: Any) -> None:
    queue, lost = filled(order)
    assert (names(queue), lost, len(queue)) == (SERVED[order], "", 5)
    assert names(queue.popleft() for _ in range(5)) == SERVED[order]
    assert len(queue) == 0 and not queue
    with pytest.raises(IndexError):
        queue.popleft()


@pytest.mark.parametrize(
    ("order", "kept", "lost"), [("fifo", "abc", "de"), ("priority", "bea", "cd"), ("edf", "bdc", "ae")]
)
def test_a_full_queue_turns_away_whom_it_would_serve_last(order: Any, kept: str, lost: str) -> None:
    queue, turned_away = filled(order, 3)
    assert (names(queue), turned_away) == (kept, lost)


@pytest.mark.parametrize("order", ORDERS)
def test_who_leaves_out_of_turn(order: Any) -> None:
    queue, _ = filled(order)
    for name in "cb":
        queue.remove(next(each for each in queue if each.name == name))
    assert names(queue) == SERVED[order].replace("b", "").replace("c", "")
    with pytest.raises(ValueError):
        queue.remove(COMING[1])


def misses(tasks: list[Any]) -> int:
    return sum(end_s(each) > each.request.deadline_s for each in tasks)


def feasible(tasks: list[Any]) -> bool:
    """Whether any order of tasks that are all there meets all deadlines."""
    for order in permutations(tasks):
        now_s = 0.0
        for each in order:
            now_s += each.service_s
            if now_s > each.request.deadline_s:
                break
        else:
            return True
    return False


def test_earliest_deadline_first_misses_none_where_any_order_misses_none() -> None:
    """Jackson's rule (1955): one worker, all released together; whole numbers, so that times are exact."""
    draws, found = random.Random(5), 0
    for _ in range(400):
        work = [draws.randint(1, 9) for _ in range(draws.randint(2, 6))]
        tasks = [task(service_s=s, deadline_s=draws.randint(s, sum(work) + 2)) for s in work]
        serve(server_queue("edf", None), tasks)
        missed = misses(tasks)
        possible = feasible(tasks)
        assert (missed == 0) == possible
        found += possible
    assert 100 < found < 300


def periodic(draws: random.Random, spread: bool) -> list[Any]:
    """Two to five streams with deadlines at the end of their periods, feasible by construction.

    Without interruption, streams of whole numbers are feasible if their load is at most 1 and, for each stream i and
    each L above the shortest period and below T_i, C_i + sum over shorter streams of floor((L - 1) / T_j) C_j <= L
    (Jeffay, Stanat and Martel 1991, theorem 4.1, for sporadic streams and so for periodic ones).
    spread: sporadic, so each gap is longer than the period by a random time.
    """
    while True:
        streams = sorted((draws.randint(4, 40), draws.randint(1, 8)) for _ in range(draws.randint(2, 5)))
        if holds(streams):
            break
    tasks = []
    for period_s, service_s in streams:
        now_s = float(draws.randint(0, period_s))
        while now_s < 2000:
            tasks.append(task(ready_s=now_s, service_s=service_s, deadline_s=now_s + period_s))
            now_s += period_s + (draws.randint(0, 5) if spread else 0)
    return sorted(tasks, key=lambda each: each.ready_s)


def holds(streams: list[tuple[int, int]]) -> bool:
    if sum(service_s / period_s for period_s, service_s in streams) > 1:
        return False
    return all(
        service_s + sum((length_s - 1) // other_s * work_s for other_s, work_s in streams[:number]) <= length_s
        for number, (period_s, service_s) in enumerate(streams)
        for length_s in range(streams[0][0] + 1, period_s)
    )


@pytest.mark.parametrize("spread", [False, True])
def test_earliest_deadline_first_misses_none_of_feasible_streams(spread: bool) -> None:
    draws, fifo_misses = random.Random(9), 0
    for _ in range(60):
        tasks = periodic(draws, spread)
        serve(server_queue("edf", None), tasks)
        assert misses(tasks) == 0
        serve(server_queue("fifo", None), tasks)
        fifo_misses += misses(tasks)
    assert fifo_misses > 50, "the streams are hard enough that another order would miss"


RATES_HZ, SERVICE_S = (0.3, 0.5), 1.0


def cobham(rates_hz: tuple[float, float], second_moment: float) -> list[float]:
    """Mean waits by priority in M/G/1 without interruption (Cobham 1954): W0 / ((1 - s_(p-1)) (1 - s_p))."""
    residual_s = sum(rates_hz) * second_moment / 2
    first, both = rates_hz[0] * SERVICE_S, sum(rates_hz) * SERVICE_S
    return [residual_s / (1 - first), residual_s / (1 - first) / (1 - both)]


def waits(order: Any, seed: int, slower: float) -> list[float]:
    """Mean wait of each priority in a run of M/M/1 at load 0.8."""
    rng, size = np.random.default_rng(seed), 12_000
    priorities = (rng.random(size) > RATES_HZ[0] / sum(RATES_HZ)).astype(int)
    services = rng.exponential(SERVICE_S * slower, size)
    times = poisson(rng, size, sum(RATES_HZ))
    tasks = [
        task(ready_s=ready_s, service_s=service_s, priority=priority)
        for ready_s, service_s, priority in zip(times, services.tolist(), priorities.tolist(), strict=True)
    ]
    serve(server_queue(order, None), tasks)
    return [
        float(np.mean([each.began_s - each.ready_s for each in tasks[500:] if each.request.priority == priority]))
        for priority in (0, 1)
    ]


def priority_z(slower: float) -> list[float]:
    runs = np.array([waits("priority", seed, slower) for seed in range(30)])
    theory = cobham(RATES_HZ, 2 * SERVICE_S**2)
    return [z_of_runs(runs[:, each], theory[each], 0.1) for each in (0, 1)]


def test_waits_by_priority_are_cobhams() -> None:
    assert max(map(abs, priority_z(1.0))) < 3.3


def test_a_service_five_percent_slower_is_seen() -> None:
    assert min(priority_z(1.05)) > 3.3


def test_a_bounded_queue_loses_what_m_m_1_k_loses() -> None:
    """Three may wait and one is served: of M/M/1/4 at load 0.8, (1 - r) r^4 / (1 - r^5) are lost."""

    def lost(order: Any, seed: int, slower: float = 1.0) -> float:
        rng, size = np.random.default_rng(seed), 8000
        tasks = [
            task(ready_s=ready_s, service_s=service_s, deadline_s=ready_s + slack_s)
            for ready_s, service_s, slack_s in zip(
                poisson(rng, size, 0.8), rng.exponential(slower, size).tolist(), rng.random(size).tolist(), strict=True
            )
        ]
        return len(serve(server_queue(order, 3), tasks)) / size

    theory = 0.2 * 0.8**4 / (1 - 0.8**5)
    for order in ("fifo", "edf"):
        assert abs(z_of_runs([lost(order, seed) for seed in range(16)], theory)) < 3.3
    assert z_of_runs([lost("fifo", seed, 1.05) for seed in range(16)], theory) > 3.3
