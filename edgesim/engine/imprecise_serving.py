"""Servers that decide how deep to run whom: imprecise computation, a stage at a time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from edgesim.compute.imprecise import Job, plan
from edgesim.compute.nodes import Server
from edgesim.engine.clock import NORMAL, Callbacks, Event
from edgesim.engine.endings import NO_TIME
from edgesim.engine.plan import holds
from edgesim.engine.program import Branch, Give, Piece, Ship
from edgesim.engine.reporting import ReportingEngine
from edgesim.engine.request import SERVER, SERVER_WAIT, SPENT_S, Task
from edgesim.errors import InputError


@dataclass(slots=True)
class Staged:
    """A request that is run from exit to exit.

    exits: those that are left, up to the deepest one that the policy asks for.  gives: what the policy answers with.
    overhead_s: deciding and decoding, charged to the first stage.  spent_s: what its stages have taken.
    """

    task: Task
    exits: list[int]
    gives: dict[int, Give]
    overhead_s: float
    spent_s: float = 0.0


class ImpreciseEngine(ReportingEngine):
    """At the end of each stage the server plans anew (Yao et al., RTCSA 2020), and sends the answers of those that it
    runs no deeper; who cannot have an answer in time is told so.  The policy bounds the depth and may end sooner,
    where an exit is sure enough.  One worker; stages are not interrupted.
    """

    def __init__(self, *world: Any) -> None:
        super().__init__(*world)
        self._on_stage: Callbacks = (self._stage_done,)
        self.staged: dict[Server, dict[Task, Staged]] = {}

    def _let_in(self, server: Server, task: Task, now: float) -> None:
        if server.quantum is None:
            super()._let_in(server, task, now)
            return
        self.staged.setdefault(server, {})[task] = self._stage(server, task, now)
        task.ready_s = now
        server.queue_max = max(server.queue_max, len(self.staged[server]))
        if server.idle_workers:
            self._next_stage(server, now)

    def _stage(self, server: Server, task: Task, now: float) -> Staged:
        task.luck = luck = task.request.lucks[server.slot]
        costs = server.costs[task.place.model]
        task.factor = factor = costs.idle_factor(now - server.last_end_s) if costs.wakes else 1.0
        overhead_s = self._decide(server, task, now)
        if task.shipped is not None and task.shipped.decode is not None:
            overhead_s += task.shipped.decode(luck) * factor
        task.shipped = None
        if any(isinstance(each, Ship) for each in task.operations):
            raise InputError(f"{server.name}: a server with the scheduler imprecise cannot send a request on")
        gives = {each.exit: each for each in task.operations if isinstance(each, Give)}
        deepest = max([each.to for each in task.operations if isinstance(each, Piece)], default=task.blocks)
        exits = [exit for exit, block in enumerate(costs.exits) if max(task.blocks, 1) <= block <= deepest]
        return Staged(task, exits, gives, overhead_s)

    def _next_stage(self, server: Server, now: float) -> None:
        """Plan, let those go that are run no deeper, and run a stage of the most urgent of the others."""
        waiting = sorted(self.staged[server].values(), key=lambda each: each.task.request.deadline_s)
        depths = plan([self._job(server, each, now) for each in waiting], server.quantum or 0.0)
        chosen = None
        for staged, depth in zip(waiting, depths, strict=True):
            if depth:
                chosen = chosen or staged
            elif staged.task.given is not None or self._too_late(server, staged, now):
                self._let_go(server, staged, now)
        if chosen is not None:
            self._run_stage(server, chosen, now)

    def _job(self, server: Server, staged: Staged, now: float) -> Job:
        task = staged.task
        accuracy = server.accuracy[task.place.model]
        answered = task.given is not None
        already = accuracy[task.place.path, task.given[3]] if task.given is not None else 0.0
        utilities = [already, *(accuracy[task.place.path, exit] for exit in staged.exits)]
        return Job(task.request.deadline_s - now, self._stages_s(server, staged), utilities, answered)

    def _stages_s(self, server: Server, staged: Staged) -> list[float]:
        """Mean seconds of each stage that is left."""
        task = staged.task
        costs = server.costs[task.place.model]
        blocks = [task.blocks, *(costs.exits[exit] for exit in staged.exits)]
        stages_s = [
            costs.mean_piece_s(start, stop) + costs.mean_branch_s(exit)
            for (start, stop), exit in zip(pairwise(blocks), staged.exits, strict=True)
        ]
        if stages_s and not staged.spent_s:
            stages_s[0] += staged.overhead_s + (costs.mean_preprocess_s if task.blocks == 0 else 0.0)
        return stages_s

    def _too_late(self, server: Server, staged: Staged, now: float) -> bool:
        stages_s = self._stages_s(server, staged)
        return not stages_s or now + stages_s[0] > staged.task.request.deadline_s

    def _run_stage(self, server: Server, staged: Staged, now: float) -> None:
        task, exit = staged.task, staged.exits.pop(0)
        costs = server.costs[task.place.model]
        stop = costs.exits[exit]
        seconds = 0.0 if staged.spent_s else staged.overhead_s
        if stop > task.blocks:
            work_s = costs.piece_s(task.luck, task.blocks, stop, 1)
            seconds += (work_s + (costs.preprocess_s(task.luck) if task.blocks == 0 else 0.0)) * task.factor
        seconds += costs.branch_s(task.luck, exit, 1) * task.factor
        if self.live is not None:
            self.live.run(task.place.model, [task.live], stop)
        task.request.sums[SERVER_WAIT] += now - task.ready_s
        self._book_wait(server, task, now)
        task.began_s, task.blocks, task.ready_s = now, stop, now + seconds
        server.idle_workers -= 1
        self._at(now + seconds, NORMAL, Event((server, now, staged, exit), self._on_stage))

    def _stage_done(self, event: Event) -> None:
        server, start, staged, exit = event.subject
        task, now = staged.task, self.clock.now
        self._book_batch(server, start, now)
        task.request.sums[SERVER] += now - start
        task.request.sums[SPENT_S] += now - start
        staged.spent_s += now - start
        task.ready_s = now
        self._late(task.request, start, now, 1.0)
        self._see(task, Branch(exit, task.place.exits[exit] or [], None))
        depth = self.compiler.depth(task.place.model, exit)
        task.given = (now, depth, task.place.model, exit, task.seen[exit])
        give = staged.gives.get(exit)
        if not staged.exits or (give is not None and give.when is not None and holds(give.when, exit, task.seen)):
            self._let_go(server, staged, now)
        self._next_stage(server, now)

    def _let_go(self, server: Server, staged: Staged, now: float) -> None:
        """Its answer leaves, or the word that there will be none."""
        task = staged.task
        del self.staged[server][task]
        self._book_wait(server, task, now)
        task.request.sums[SERVER_WAIT] += now - task.ready_s
        server.services += 1
        server.service_s += staged.spent_s
        server.served += self.low_s <= now <= self.high_s
        task.t_s = now
        if task.given is None:
            self._turn_away(task, now, NO_TIME)
        else:
            self._reply(task)

    def _at_work(self, event: Any) -> tuple[Server, float] | None:
        return event.subject[:2] if event.callbacks is self._on_stage else super()._at_work(event)

    def _cancel_reaches(self, event: Event) -> None:
        request, server = event.subject.request, event.subject.server
        for staged in [each for each in self.staged.get(server, {}).values() if each.task.request is request]:
            if server.idle_workers or staged.task.blocks == 0:
                self._let_go(server, staged, self.clock.now)
        super()._cancel_reaches(event)

    def finish(self) -> None:
        for server, tasks in self.staged.items():
            for task in tasks:
                self._book_wait(server, task, max(self.clock.now, task.ready_s))  # later: in service
        super().finish()
