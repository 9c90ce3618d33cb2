"""Which of a server's waiting requests are served together."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf

from edgesim.engine.request import Task


@dataclass(frozen=True, slots=True)
class Batching:
    """Dynamic batching: a batch leaves when it has ``max_size`` requests or its oldest has waited ``max_wait_s``.

    Only requests for the same model and the same next block go together; the oldest request says which.
    """

    max_size: int
    max_wait_s: float

    def pick(self, queue: deque[Task], now_s: float) -> tuple[list[Task], float]:
        """The batch to serve now, taken out of ``queue``; or no task and the time to look again.

        The time is infinite where the queue is empty.
        """
        if not queue:
            return [], inf
        oldest = queue[0]
        key = (oldest.place.model, oldest.blocks)
        chosen = []
        for task in queue:
            if (task.place.model, task.blocks) == key:
                chosen.append(task)
                if len(chosen) == self.max_size:
                    break
        due = oldest.ready_s + self.max_wait_s
        if len(chosen) < self.max_size and now_s < due:
            return [], due
        taken = set(map(id, chosen))
        rest = [task for task in queue if id(task) not in taken]
        queue.clear()
        queue.extend(rest)
        return chosen, inf
