"""Balancers against their definitions and against what is known of many M/M/1 replicas."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush
from itertools import count
from math import inf
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgesim.compute.balancing import balancer, load

RULES: Any = ["round_robin", "least_work", "two_choices", "random"]


def replica(name: int, waiting: int = 0, busy: int = 0, workers: int = 1) -> Any:
    return SimpleNamespace(name=name, queue=[None] * waiting, workers=workers, idle_workers=workers - busy)


def request(number: int, device: str = "d") -> Any:
    return SimpleNamespace(number=number, device=SimpleNamespace(name=device))


def picks(rule: Any, replicas: list[Any], numbers: Any, root: int = 1, server: str = "edge") -> list[int]:
    chosen = balancer(rule, root, server)
    return [chosen.pick(replicas, request(number)).name for number in numbers]


def test_load_is_a_worker() -> None:
    assert load(replica(0)) == 0
    assert load(replica(0, waiting=3, busy=2, workers=2)) == 2.5


@pytest.mark.parametrize("rule", RULES)
def test_a_lone_replica_gets_all(rule: Any) -> None:
    assert picks(rule, [replica(7)], range(5)) == [7] * 5


def test_round_robin_takes_turns() -> None:
    assert picks("round_robin", [replica(n) for n in range(3)], range(7)) == [0, 1, 2, 0, 1, 2, 0]


def test_least_work_counts_by_the_worker() -> None:
    replicas = [replica(0, 1, 1), replica(1, 3, 4, workers=4), replica(2, 2, 1), replica(3, 0, 1), replica(4, 0, 1)]
    assert picks("least_work", replicas, [0]) == [3]
    assert picks("least_work", replicas[:3], [0]) == [1]


@pytest.mark.parametrize("waiting", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_two_choices_takes_the_less_loaded_of_each_pair_equally_often(waiting: list[int]) -> None:
    """Of four, the one with k waiting is the better one in 3 - k of the 6 pairs."""
    found = Counter(picks("two_choices", [replica(each, waiting=each) for each in waiting], range(12_000)))
    assert [found[each] / 2000 for each in range(4)] == pytest.approx([3, 2, 1, 0], abs=0.07)


def test_of_two_alike_the_first_drawn_is_picked() -> None:
    found = Counter(picks("two_choices", [replica(n) for n in range(3)], range(12_000)))
    assert [found[n] / 12_000 for n in range(3)] == pytest.approx([1 / 3] * 3, abs=0.02)


@pytest.mark.parametrize("rule", ["two_choices", "random"])
def test_draws_are_keyed_by_server_device_and_number(rule: Any) -> None:
    replicas = [replica(n) for n in range(5)]
    found = picks(rule, replicas, range(200))
    order = np.random.default_rng(3).permutation(200).tolist()
    assert picks(rule, replicas, order) == [found[number] for number in order]
    both = balancer(rule, 1, "edge")
    mixed = [(both.pick(replicas, request(n)).name, both.pick(replicas, request(n, "e")).name) for n in range(200)]
    assert [name for name, _ in mixed] == found
    assert [name for _, name in mixed] != found
    assert picks(rule, replicas, range(200), root=2) != found
    assert picks(rule, replicas, range(200), server="cloud") != found


def simulate(rule: Any, replicas: int, rate: float, requests: int, seed: int, slower: float = 1.0) -> tuple[float, Any]:
    """M/M/1 replicas behind one balancer: the mean sojourn, in mean services, and the share of replicas that hold at
    least 0, 1, ... requests when one comes.  The first tenth does not count.  rate: of arrivals, a replica."""
    rng = np.random.default_rng(seed)
    gaps, services = rng.exponential(1 / (rate * replicas), requests), rng.exponential(slower, requests)
    chosen, nodes = balancer(rule, seed, "edge"), [replica(n) for n in range(replicas)]
    ends: list[tuple[float, int, Any, int]] = []
    numbers, began = count(), requests // 10
    now_s, sojourn_s, holding = 0.0, 0.0, Counter[int]()

    def begin(node: Any, number: int, at_s: float) -> None:
        heappush(ends, (at_s + services[number], next(numbers), node, number))

    came: list[float] = []
    for number in range(requests + 1):
        now_s = now_s + gaps[number] if number < requests else inf
        while ends and ends[0][0] <= now_s:
            end_s, _, node, done = heappop(ends)
            sojourn_s += (end_s - came[done]) * (done >= began)
            if node.queue:
                begin(node, node.queue.pop(0), end_s)
            else:
                node.idle_workers = 1
        if number == requests:
            break
        if number >= began and number % replicas == 0:
            holding.update(int(load(node)) for node in nodes)
        came.append(now_s)
        node = chosen.pick(nodes, request(number))
        if node.idle_workers:
            node.idle_workers = 0
            begin(node, number, now_s)
        else:
            node.queue.append(number)
    seen = np.array([holding[level] for level in range(30)], dtype=float)
    return sojourn_s / (requests - began), seen[::-1].cumsum()[::-1] / seen.sum()


LOAD = 0.8
TWO_CHOICES = sum(LOAD ** (2**i - 2) for i in range(1, 8))
"""Mean sojourn, in services, behind very many replicas (Mitzenmacher 2001, from theorem 1)."""


def test_more_knowledge_waits_less() -> None:
    least, two, random = (simulate(rule, 10, LOAD, 40_000, 5)[0] for rule in ("least_work", "two_choices", "random"))
    assert least < 0.9 * two < 0.6 * random


@pytest.mark.parametrize(("slower", "seen"), [(1.0, False), (1.05, True)])
def test_two_choices_against_the_limit_of_many_replicas(slower: float, seen: bool) -> None:
    """Mean sojourn, and the tail: a share r^(2^i - 1) of replicas hold at least i (doubly exponential in i)."""
    mean, tail = simulate("two_choices", 250, LOAD, 200_000, 11, slower)
    tails = [LOAD ** (2**i - 1) for i in range(1, 5)]
    assert (mean == pytest.approx(TWO_CHOICES, rel=0.03)) != seen
    assert (tail[1:5] == pytest.approx(tails, rel=0.04, abs=0.004)) != seen


@pytest.mark.parametrize(("slower", "seen"), [(1.0, False), (1.05, True)])
def test_random_replicas_are_m_m_1_each(slower: float, seen: bool) -> None:
    mean, tail = simulate("random", 250, LOAD, 200_000, 12, slower)
    assert (mean == pytest.approx(1 / (1 - LOAD), rel=0.05)) != seen
    assert (tail[1:5] == pytest.approx([LOAD**i for i in range(1, 5)], rel=0.03)) != seen
