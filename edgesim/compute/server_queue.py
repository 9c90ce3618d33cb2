"""What waits for a server's workers, and in which order."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from math import inf
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from edgesim.engine.request import Task

Order = Literal["fifo", "priority", "edf"]


class ServerQueue(Protocol):
    """Waiting tasks; iteration goes in the order of service.  A task in service is not interrupted by a better one."""

    def push(self, task: Task) -> Task | None:
        """Queue ``task``.  Where ``bound`` tasks wait already, the one that would be served last is turned away."""
        ...

    def popleft(self) -> Task:
        """The task to serve next leaves; IndexError where none waits."""
        ...

    def remove(self, task: Task) -> None:
        """This task leaves out of its turn: it joins a batch, or was cancelled.  ValueError where it does not wait."""
        ...

    def __iter__(self) -> Iterator[Task]: ...
    def __len__(self) -> int: ...


def server_queue(order: Order, bound: int | None) -> ServerQueue:
    """The queue of an order.

    ``fifo`` serves who came first, ``edf`` whose request's absolute deadline is earliest (earliest deadline first, Liu
    and Layland 1973, here without interruption), ``priority`` whose request's ``priority`` is smallest, as 0 is the
    most urgent.  Among equals, who came first.  bound: most tasks that may wait; None: no bound.
    """
    most = inf if bound is None else bound
    return FifoQueue(most) if order == "fifo" else OrderedQueue(URGENCY[order], most)


class FifoQueue(deque["Task"]):
    """A deque that knows its bound: ``append`` does not ask for it."""

    __slots__ = ("_bound",)

    def __init__(self, bound: float) -> None:
        super().__init__()
        self._bound = bound

    def push(self, task: Task) -> Task | None:
        if len(self) >= self._bound:
            return task
        self.append(task)
        return None


class OrderedQueue:
    """Tasks by urgency, the least value first.

    A sorted list: O(log n) comparisons an event, and moving the tasks behind, which is one copy of memory.
    """

    __slots__ = ("_bound", "_count", "_entries", "_urgency")

    def __init__(self, urgency: Callable[[Task], float], bound: float) -> None:
        self._urgency, self._bound = urgency, bound
        self._count = count()
        self._entries: list[tuple[float, int, Task]] = []

    def push(self, task: Task) -> Task | None:
        insort(self._entries, (self._urgency(task), next(self._count), task))
        return self._entries.pop()[2] if len(self._entries) > self._bound else None

    def popleft(self) -> Task:
        return self._entries.pop(0)[2]

    def remove(self, task: Task) -> None:
        del self._entries[[waiting is task for waiting in self].index(True)]

    def __iter__(self) -> Iterator[Task]:
        return (task for _, _, task in self._entries)

    def __len__(self) -> int:
        return len(self._entries)


URGENCY: dict[str, Callable[[Task], float]] = {
    "priority": attrgetter("request.priority"),
    "edf": attrgetter("request.deadline_s"),
}
