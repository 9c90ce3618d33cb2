"""Orders and bound of a device's queue (rule 12)."""

from __future__ import annotations

from typing import Any

import pytest

from edgesim.compute.device_queue import DeviceQueue


def pushed(order: Any, bound: int, count: int) -> tuple[DeviceQueue, list[Any]]:
    """A queue that 0, 1, ... came to, and what each push turned away."""
    queue = DeviceQueue(order, bound)
    return queue, [queue.push(task) for task in range(count)]  # type: ignore[arg-type]


def drained(queue: DeviceQueue) -> list[Any]:
    return [queue.pop() for _ in range(len(queue))]


@pytest.mark.parametrize(
    ("order", "lost", "left"),
    [
        ("fifo", [None, None, None, 3, 4], [0, 1, 2]),
        ("newest", [None, None, None, 3, 4], [2, 1, 0]),
        ("drop_oldest", [None, None, None, 0, 1], [2, 3, 4]),
    ],
)
def test_order_and_bound(order: str, lost: list[Any], left: list[int]) -> None:
    queue, turned_away = pushed(order, 3, 5)
    assert turned_away == lost
    assert len(queue) == 3
    assert drained(queue) == left


@pytest.mark.parametrize("order", ["fifo", "newest", "drop_oldest"])
def test_below_the_bound_nothing_is_lost(order: str) -> None:
    queue, turned_away = pushed(order, 1000, 50)
    assert turned_away == [None] * 50
    assert sorted(drained(queue)) == list(range(50))


def test_a_queue_without_places_turns_everything_away() -> None:
    for order in ("fifo", "newest", "drop_oldest"):
        queue, turned_away = pushed(order, 0, 2)
        assert turned_away == [0, 1] and len(queue) == 0
