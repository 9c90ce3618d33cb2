"""What waits for a device's processor, and in which order."""

from __future__ import annotations

from collections import deque
from typing import Literal

from edgesim.engine.request import Task

Order = Literal["fifo", "newest", "drop_oldest"]


class DeviceQueue:
    """A bounded queue of tasks.

    order: ``fifo`` serves the oldest first, ``newest`` the newest; both turn the arriving task away where
    ``bound`` tasks wait.  ``drop_oldest`` serves the oldest first and gives up the oldest for the arriving one.
    """

    __slots__ = ("_bound", "_order", "tasks")

    def __init__(self, order: Order, bound: int) -> None:
        self._order, self._bound = order, bound
        self.tasks: deque[Task] = deque()

    def __len__(self) -> int:
        return len(self.tasks)

    def push(self, task: Task) -> Task | None:
        """Queue ``task``; returns the task that is turned away or given up for it, if any."""
        tasks = self.tasks
        if len(tasks) < self._bound:
            tasks.append(task)
            return None
        if self._order != "drop_oldest" or not tasks:
            return task
        oldest = tasks.popleft()
        tasks.append(task)
        return oldest

    def pop(self) -> Task:
        return self.tasks.pop() if self._order == "newest" else self.tasks.popleft()
