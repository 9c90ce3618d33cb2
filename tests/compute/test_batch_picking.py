"""Which waiting requests make a batch (rule 10)."""

from __future__ import annotations

from collections import deque
from math import inf
from types import SimpleNamespace
from typing import Any

import pytest

from edgesim.compute.batching import Batching


def task(name: str, ready_s: float, model: str = "m", blocks: int = 0) -> Any:
    return SimpleNamespace(name=name, ready_s=ready_s, blocks=blocks, place=SimpleNamespace(model=model))


def pick(batching: Batching, tasks: list[Any], now_s: float) -> tuple[str, str, float]:
    """Names of the batch, of what is left, and when to look again."""
    queue = deque(tasks)
    chosen, again_s = batching.pick(queue, now_s)
    return "".join(each.name for each in chosen), "".join(each.name for each in queue), again_s


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
