"""Servers that choose: whom they let in, who is next, how the workers are shared, what they tell of their load."""

from __future__ import annotations

from math import inf
from typing import Any

from edgesim.compute.nodes import Node, Server
from edgesim.compute.processor_sharing import shared_workers
from edgesim.engine.clock import NORMAL, Callbacks, Event
from edgesim.engine.endings import REJECTED
from edgesim.engine.request import Task
from edgesim.engine.tiers import TieredEngine


class ScheduledEngine(TieredEngine):
    """A request that is turned away is told so by a message as long as an answer.

    Under processor sharing, answers that a plan gives on the way leave when its service ends.
    """

    def __init__(self, *world: Any) -> None:
        super().__init__(*world)
        self._on_shared: Callbacks = (self._shared,)
        self._early: dict[Task, list[Task]] = {}
        self._counted_s: dict[Server, float] = {}

    def _enter_server(self, task: Task) -> None:
        server: Server = task.node  # type: ignore[assignment]
        now = task.t_s
        admission = server.admission
        if admission is not None:
            wait_s, service_s = server.expected_wait_s(), server.mean_service_s()
            if not admission.admit(task.request, wait_s, service_s, now):
                self._turn_away(task, now)
                return
        self._let_in(server, task, now)

    def _let_in(self, server: Server, task: Task, now: float) -> None:
        if server.sharing is None:
            super()._enter_server(task)
        else:
            self._work(server, task, now)

    def _turn_away(self, task: Task, now: float, reason: str = REJECTED) -> None:
        task.t_s, task.given = now, None
        task.request.reason = reason
        self._reply(task)

    def _back(self, task: Task) -> None:
        if task.given is None:
            self._close(task, task.t_s, task.request.reason)
        else:
            super()._back(task)

    # Processor sharing

    def _then(self, node: Node, task: Task, t: float) -> None:
        if node.is_device or node.sharing is None:  # type: ignore[attr-defined]
            super()._then(node, task, t)
            return
        server: Server = node  # type: ignore[assignment]
        now = self.clock.now
        self._count(server, now)
        server.sharing.add(now, t - now, task)  # type: ignore[union-attr]
        server.shared[task] = t - now
        self._plan_sharing(server)

    def _plan_sharing(self, server: Server) -> None:
        """Schedule who ends next; what was scheduled before is void."""
        assert server.sharing is not None
        next_s = server.sharing.next_event_s()
        server.due = Event(server, self._on_shared)
        if next_s is not None and next_s < inf:
            self._at(max(next_s, self.clock.now), NORMAL, server.due)

    def _shared(self, event: Event) -> None:
        server: Server = event.subject
        if event is not server.due:
            return
        now = self.clock.now
        self._count(server, now)
        task = server.sharing.pop(now)  # type: ignore[union-attr]
        self._plan_sharing(server)
        if task is None:
            return
        task.t_s = now
        if task.callbacks is self._on_served:
            self._shared_out(server, task, now)
        else:
            del server.shared[task]
            task.callbacks[0](task)  # type: ignore[index]

    def _shared_out(self, server: Server, task: Task, now: float) -> None:
        """A plan has been carried out to its end."""
        seconds, work_s = now - task.began_s, server.shared.pop(task)
        self._book_service(server, task, task.began_s, now, seconds / work_s if work_s else 1.0)
        server.batches += self.low_s <= now <= self.high_s
        server.last_end_s = now
        for twin in self._early.pop(task, ()):
            twin.t_s = now
            self._reply(twin)
        if task.given is None:
            self._gone(task)
        else:
            self._reply(task)

    def _count(self, server: Server, now: float) -> None:
        """Book the work of the time since the number of tasks changed."""
        since_s = self._counted_s.get(server, 0.0)
        server.busy_s += min(len(server.shared), server.workers) * self._within(since_s, now)
        self._counted_s[server] = now

    def _emit(self, task: Task, t: float) -> None:
        if task.node.is_device or task.node.sharing is None:  # type: ignore[attr-defined]
            super()._emit(task, t)
            return
        twin = task.copy()
        task.given = None
        self._early.setdefault(task, []).append(twin)

    def finish(self) -> None:
        for server in self.serving:
            if server.sharing is not None:
                self._count(server, self.clock.now)
        super().finish()


def share_workers(server: Server) -> None:
    """Let the workers of a server serve all its tasks at once."""
    server.sharing = shared_workers(server.workers)
    server.shared = {}
