"""Which waiting requests make a batch (rule 10)."""

from __future__ import annotations

from collections import deque
from math import inf
from typing import Any

import pytest
from waiting_tasks import names, task

from edgesim.compute.batching import Batching
from edgesim.compute.server_queue import server_queue


def pick(batching: Batching, tasks: list[Any], now_s: float) -> tuple[str, str, float]:
    """Names of the batch, of what is left, and when to look again."""
    queue = deque(tasks)
    chosen, again_s = batching.pick(queue, now_s)
    return names(chosen), names(queue), again_s


def test_an_empty_queue_gives_nothing_ever() -> None:
    assert pick(Batching(4, 0.1), [], 5.0) == ("", "", inf)


def test_it_waits_until_the_oldest_has_waited_long_enough() -> None:
    tasks = [task("a", 1.0), task("b", 1.09)]
    assert pick(Batching(4, 0.125), tasks, 1.1) == ("", "ab", 1.125)
    assert pick(Batching(4, 0.125), tasks, 1.125) == ("ab", "", inf)


def test_a_full_batch_does_not_wait() -> None:
    assert pick(Batching(2, 9.0), [task("a", 1.0), task("b", 1.0), task("c", 1.0)], 1.0) == ("ab", "c", inf)


def test_without_waiting_it_takes_what_there_is() -> None:
    assert pick(Batching(8, 0.0), [task("a", 1.0), task("b", 1.0)], 1.0) == ("ab", "", inf)


@pytest.mark.parametrize("other", [{"model": "n"}, {"blocks": 3}])
def test_only_the_oldests_model_and_block_go_together(other: dict[str, Any]) -> None:
    tasks = [task("a", 1.0), task("x", 1.0, **other), task("b", 1.1), task("y", 1.1, **other), task("c", 1.2)]
    assert pick(Batching(3, 0.0), tasks, 2.0) == ("abc", "xy", inf)
    assert pick(Batching(2, 0.0), tasks, 2.0) == ("ab", "xyc", inf)
    assert pick(Batching(4, 5.0), tasks, 2.0) == ("", "axbyc", 6.0)


def test_a_full_batch_of_another_kind_passes_an_older_request_that_is_not_due() -> None:
    tasks = [task("a", 1.0), task("x", 1.2, blocks=3), task("y", 1.3, blocks=3), task("b", 1.4)]
    assert pick(Batching(2, 5.0), tasks[:3], 2.0) == ("xy", "a", inf)
    assert pick(Batching(2, 5.0), tasks, 2.0) == ("xy", "ab", inf)  # full first
    assert pick(Batching(2, 5.0), tasks, 6.0) == ("ab", "xy", inf)  # the oldest is due
    assert pick(Batching(3, 5.0), tasks, 2.0) == ("", "axyb", 6.0)


def picked(batching: Batching, order: Any, tasks: list[Any], now_s: float) -> tuple[str, str, float]:
    """As ``pick``, from an ordered queue."""
    queue = server_queue(order, None)
    for each in tasks:
        queue.push(each)
    chosen, again_s = batching.pick(queue, now_s)
    return names(chosen), names(queue), again_s


RANKED = [
    task("a", 1.0, deadline_s=9, priority=2),
    task("x", 1.1, deadline_s=4, priority=1, blocks=3),
    task("b", 1.2, deadline_s=6, priority=0),
    task("c", 1.3, deadline_s=5, priority=1),
]


@pytest.mark.parametrize(
    ("order", "waiting", "due", "full"),
    [("fifo", "axbc", ("abc", "x"), ("ab", "xc")), ("edf", "xcba", ("x", "cba"), ("cb", "xa"))],
)
def test_batches_are_taken_in_the_queues_order(order: Any, waiting: str, due: Any, full: Any) -> None:
    assert picked(Batching(4, 0.5), order, RANKED, 1.4) == ("", waiting, 1.5)
    assert picked(Batching(4, 0.5), order, RANKED, 1.5) == (*due, inf)
    assert picked(Batching(2, 0.5), order, RANKED, 1.4) == (*full, inf)


def test_max_wait_counts_from_the_oldest_wherever_it_stands() -> None:
    """In order of priority the oldest is last: it makes the others leave, and itself with the next batch."""
    assert picked(Batching(3, 0.5), "priority", RANKED, 1.3) == ("bca", "x", inf)
    assert picked(Batching(4, 0.5), "priority", [RANKED[0], RANKED[2]], 1.4) == ("", "ba", 1.5)
    assert picked(Batching(1, 0.5), "priority", RANKED, 1.5) == ("b", "xca", inf)
