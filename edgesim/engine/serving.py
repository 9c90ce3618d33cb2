"""What servers do: queue, decode, run, answer; one request at a time or in batches."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from math import inf
from typing import Any

from edgesim.compute.nodes import Server
from edgesim.engine.clock import NORMAL, Callbacks, Event
from edgesim.engine.endings import CANCELLED
from edgesim.engine.plan import ENDED, FINISHED, OPEN, Plans, leads_nowhere
from edgesim.engine.program import Branch, Give, Operation, Piece, Ship
from edgesim.engine.request import SERVER, SERVER_WAIT, SPENT_S, Cancelling, Task

Stage = tuple[int, list[Operation]]
"""(blocks to run up to, what follows there)."""


def stages(blocks: int, operations: Iterable[Operation]) -> list[Stage]:
    """A plan as stages: pieces, each with the operations that follow it."""
    found: list[Stage] = [(blocks, [])]
    for operation in operations:
        if isinstance(operation, Piece):
            found.append((operation.to, []))
        else:
            found[-1][1].append(operation)
    return found if found[0][1] or len(found) == 1 else found[1:]


class Serving(Plans):
    """The part of the engine that serves."""

    def __init__(self) -> None:
        super().__init__()
        self._on_gone: Callbacks = (self._gone,)
        self._on_look_again: Callbacks = (self._look_again,)
        self._on_batch_done: Callbacks = (self._batch_done,)

    def _turn_away(self, task: Task, now: float) -> None:
        """A full queue: only servers of ``ScheduledEngine`` have a bound."""
        raise NotImplementedError

    @abstractmethod
    def _close(self, task: Task | Cancelling, now: float, reason: str) -> None: ...

    def _reach_server(self, task: Task) -> None:
        now = task.t_s
        server: Server = task.node  # type: ignore[assignment]
        task.ready_s = now
        if server.serves_ahead:
            self._serve_ahead(server, task, now)
            return
        if server in task.request.called_off:
            self._close(task, now, CANCELLED)
            return
        if server.idle_workers and server.batching is None:
            self._serve(server, task, now)
            return
        turned_away = server.queue.push(task)
        if len(server.queue) > server.queue_max:
            server.queue_max = len(server.queue)
        if turned_away is not None:
            self._book_wait(server, turned_away, now)
            self._turn_away(turned_away, now)
        if server.batching is not None:
            self._serve_batches(server, now)

    def _serve_ahead(self, server: Server, task: Task, now: float) -> None:
        """The only worker takes requests as they come: what it does next is settled."""
        begin_s = server.line_up(now)
        if begin_s > now:
            if begin_s == inf:  # not before the run is over
                server.queue.push(task)
                return
            self._book_wait(server, task, begin_s)
            task.request.sums[SERVER_WAIT] += begin_s - now
        server.idle_workers -= 1
        self._work(server, task, begin_s)

    def _take_worker(self, server: Server, now: float) -> None:
        """A node is not idle while another of its workers computes."""
        server.idle_workers -= 1
        if server.idle_workers + 1 < server.workers:
            server.last_end_s = now

    def _serve(self, server: Server, task: Task, now: float) -> None:
        self._take_worker(server, now)
        task.request.sums[SERVER_WAIT] += now - task.ready_s
        self._work(server, task, now)

    def _served(self, task: Task) -> None:
        """A worker has carried out a plan to its end."""
        now = task.t_s
        server: Server = task.node  # type: ignore[assignment]
        self._book_service(server, task, task.began_s, now, 1)
        self._book_batch(server, task.began_s, now)
        if server.queue:  # first, as the load report that leaves with the answer must not take the worker for idle
            following = server.queue.popleft()
            self._book_wait(server, following, now)
            self._serve(server, following, now)
        if task.given is None:
            self._gone(task)
        else:
            self._reply(task)

    def _at_work(self, event: Any) -> tuple[Server, float] | None:
        """The server, and since when, if ``event`` is one at which a worker of its will be free."""
        if event.callbacks is self._on_batch_done:
            return event.subject[:2]
        if isinstance(event, Task) and event.callbacks in (self._on_served, self._on_ask_again):
            node = event.node
            if isinstance(node, Server) and node.batching is None:
                return node, event.began_s
        return None

    def _book_work_so_far(self, now: float, only: Server | None = None) -> None:
        """Book what workers have computed who are not done ``now``, when it is over."""
        for event in self.clock.pending():
            at_work = self._at_work(event)
            if at_work is not None and only in (None, at_work[0]):
                at_work[0].busy_s += self._within(at_work[1], now)

    def _book_batch(self, server: Server, start: float, stop: float) -> None:
        """A worker is free again."""
        low, high = self.low_s, self.high_s
        if low <= start and stop <= high:
            server.busy_s += stop - start
            server.batches += 1
        else:
            server.busy_s += self._within(start, stop)
            server.batches += low <= stop <= high
        server.last_end_s = stop
        server.idle_workers += 1

    def _book_service(self, server: Server, task: Task, start: float, stop: float, batch: float) -> None:
        seconds = stop - start
        share_s = seconds / batch
        server.services += 1
        server.service_s += share_s
        server.served += self.low_s <= stop <= self.high_s
        request = task.request
        sums = request.sums
        sums[SERVER] += seconds
        sums[SPENT_S] += share_s
        if stop > request.deadline_s:
            self._late(request, start, stop, 1 / batch)

    def _cancel_reaches(self, event: Event) -> None:
        """Drop what is queued of a request, or comes later: in a cell the message may have overtaken it.

        A batch in service is not interrupted.
        """
        cancelling: Cancelling = event.subject
        request, server = cancelling.request, cancelling.server
        now = self.clock.now
        request.called_off += (server,)
        for task in [task for task in server.queue if task.request is request]:
            server.queue.remove(task)
            self._book_wait(server, task, now)
            self._close(task, now, CANCELLED)
        self._close(cancelling, now, request.reason)

    def _look_again(self, event: Event) -> None:
        self._serve_batches(event.subject, self.clock.now)

    def _serve_batches(self, server: Server, now: float) -> None:
        """Start as many batches as the workers and the batching rule allow."""
        assert server.batching is not None
        while server.idle_workers:
            tasks, look_again_s = server.batching.pick(server.queue, now)
            if not tasks:
                if look_again_s < inf:
                    self._at(look_again_s, NORMAL, Event(server, self._on_look_again))
                return
            self._take_worker(server, now)
            self._serve_batch(server, tasks, now)

    def _serve_batch(self, server: Server, tasks: list[Task], now: float) -> None:
        """Walk through the plans of a batch together, each stage ending at the next block where one of them halts."""
        t = now
        for task in tasks:
            task.request.sums[SERVER_WAIT] += now - task.ready_s
            self._book_wait(server, task, now)
            t += self._join_batch(server, task, now)
        blocks = tasks[0].blocks
        todo = {task: stages(blocks, task.operations) for task in tasks}
        costs, luck, factor = server.costs[tasks[0].place.model], tasks[0].luck, tasks[0].factor
        while todo:
            stop = min(left[0][0] for left in todo.values())
            seconds = costs.piece_s(luck, blocks, stop, len(todo))
            if blocks == 0 < stop:
                seconds += sum(costs.preprocess_s(task.luck) for task in todo)
            blocks = stop
            if self.live is not None:
                self.live.run(tasks[0].place.model, [task.live for task in todo], stop)
            halted = {task: left.pop(0)[1] for task, left in todo.items() if left[0][0] == stop}
            wanted = Counter(each.exit for each in chain(*halted.values()) if isinstance(each, Branch))
            seconds += sum(costs.branch_s(luck, index, count) for index, count in wanted.items())
            t += seconds * factor
            survivors = {task: left for task, left in todo.items() if task not in halted}
            for task, operations in halted.items():
                task.blocks, task.t_s = stop, t
                if self._halt(server, task, operations, bool(todo[task]), now, len(tasks)):
                    survivors[task] = todo[task]
            if survivors and len(survivors) < len(todo):
                t += costs.gather_s(len(survivors)) * factor
            todo = survivors
        self._at(t, NORMAL, Event((server, now, tasks), self._on_batch_done))

    def _join_batch(self, server: Server, task: Task, now: float) -> float:
        """Draw the task's costs and decide; the seconds that deciding and decoding take."""
        task.luck = luck = task.request.lucks[server.slot]
        task.began_s = now
        task.factor = factor = server.costs[task.place.model].idle_factor(now - server.last_end_s)
        seconds = self._decide(server, task, now)
        shipped, task.shipped = task.shipped, None
        if shipped is not None and shipped.decode is not None:
            seconds += shipped.decode(luck) * factor
        return seconds

    def _halt(
        self, server: Server, task: Task, operations: list[Operation], more: bool, now: float, batch: int
    ) -> bool:
        """Take the exits and answers at a stage's end; whether the task goes on with its batch."""
        state = OPEN
        for operation in operations:
            if task.given is not None:
                self._emit(task, task.t_s)
            if isinstance(operation, Branch):
                self._see(task, operation)
                state = OPEN
            elif isinstance(operation, Give):
                state = self._give(task, operation, task.t_s)
            elif isinstance(operation, Ship):
                task.shipped, state = operation, FINISHED
                if operation.encode is not None:
                    task.t_s += operation.encode(task.luck) * task.factor
            else:
                state = self._other(task, operation, task.t_s)
            if state == ENDED:
                break
        if state != ENDED and more:
            if task.given is not None:
                self._emit(task, task.t_s)
            return True
        self._book_service(server, task, now, task.t_s, batch)
        if state == OPEN:
            if not any(isinstance(each, Piece | Branch) for each in task.operations):
                raise leads_nowhere(server)
            task.callbacks = self._on_ask_again
        else:
            task.callbacks = self._on_gone if task.given is None else self._on_reply
        self._at(task.t_s, NORMAL, task)
        return False

    def _batch_done(self, event: Event) -> None:
        server, began_s, _ = event.subject
        now = self.clock.now
        self._book_batch(server, began_s, now)
        self._serve_batches(server, now)

    def _gone(self, task: Task) -> None:
        """A request was given up."""
        self._close(task, task.t_s, task.request.reason)
