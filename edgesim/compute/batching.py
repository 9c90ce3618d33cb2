"""Which of a server's waiting requests are served together."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from math import inf

from edgesim.engine.request import Task


@dataclass(frozen=True, slots=True)
class Batching:
    """Dynamic batching: a batch leaves when it has ``max_size`` requests or its oldest has waited ``max_wait_s``.

    Only requests for the same model and the same next block go together.  A kind whose batch is full need not wait
    for an older request of another kind that is not due.
    """

    max_size: int
    max_wait_s: float

    def pick(self, queue: deque[Task], now_s: float) -> tuple[list[Task], float]:
        """The batch to serve now, taken out of ``queue``; or no task and the time to look again.

        The time is infinite where the queue is empty.
        """
        if not queue:
            return [], inf
        due_s = queue[0].ready_s + self.max_wait_s
        chosen = self._with_oldest(queue) if now_s >= due_s else self._first_full(queue)
        if not chosen:
            return [], due_s
        taken = set(map(id, chosen))
        rest = [task for task in queue if id(task) not in taken]
        queue.clear()
        queue.extend(rest)
        return chosen, inf

    def _with_oldest(self, queue: deque[Task]) -> list[Task]:
        kind = _kind(queue[0])
        return list(islice((task for task in queue if _kind(task) == kind), self.max_size))

    def _first_full(self, queue: deque[Task]) -> list[Task]:
        kinds: dict[tuple[str, int], list[Task]] = {}
        for task in queue:
            alike = kinds.setdefault(_kind(task), [])
            alike.append(task)
            if len(alike) == self.max_size:
                return alike
        return []


def _kind(task: Task) -> tuple[str, int]:
    return task.place.model, task.blocks
