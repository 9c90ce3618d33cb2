"""Which of a server's waiting requests are served together."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from math import inf
from operator import attrgetter

from edgesim.compute.server_queue import ServerQueue
from edgesim.engine.request import Task

Waiting = ServerQueue | deque[Task]
READY_S = attrgetter("ready_s")


@dataclass(frozen=True, slots=True)
class Batching:
    """Dynamic batching: a batch leaves when it has ``max_size`` requests or its oldest has waited ``max_wait_s``.

    Only requests for the same model and the same next block go together.  A kind whose batch is full need not wait
    for an older request of another kind that is not due.
    """

    max_size: int
    max_wait_s: float

    def pick(self, queue: Waiting, now_s: float) -> tuple[list[Task], float]:
        """The batch to serve now, taken out of ``queue``; or no task and the time to look again.

        Tasks are taken in the queue's order.  Once the oldest is due, whoever is first leads the next batch, which
        the oldest need not be.  The time is infinite where the queue is empty.
        """
        if not queue:
            return [], inf
        due_s = min(map(READY_S, queue)) + self.max_wait_s
        chosen = self._with_first(queue) if now_s >= due_s else self._first_full(queue)
        if not chosen:
            return [], due_s
        for task in chosen:
            queue.remove(task)
        return chosen, inf

    def _with_first(self, queue: Waiting) -> list[Task]:
        kind = _kind(next(iter(queue)))
        return list(islice((task for task in queue if _kind(task) == kind), self.max_size))

    def _first_full(self, queue: Waiting) -> list[Task]:
        kinds: dict[tuple[str, int], list[Task]] = {}
        for task in queue:
            alike = kinds.setdefault(_kind(task), [])
            alike.append(task)
            if len(alike) == self.max_size:
                return alike
        return []


def _kind(task: Task) -> tuple[str, int]:
    return task.place.model, task.blocks
