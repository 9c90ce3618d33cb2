"""The life of a request: arrival, decision, pieces, transfers, service, answers, end.

Nothing waits in a process of its own: a task is an event that is scheduled again for each stage, about five
times for a request that is sent to a server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, nan
from typing import NamedTuple, Protocol

from edgesim.compute.nodes import Device, Node, Server
from edgesim.engine.clock import ARRIVAL, NORMAL, Clock, Event
from edgesim.engine.live import LiveExecution
from edgesim.engine.places import Place
from edgesim.engine.plan import DEADLINE
from edgesim.engine.program import Compiler
from edgesim.engine.request import DEVICE_WAIT, Cancelling, Request, Task
from edgesim.engine.transfers import Transfers
from edgesim.errors import InputError
from edgesim.policies.base import Feedback, RequestView, View
from edgesim.policies.steps import Step
from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S

QUEUE_FULL = "queue full"
END_OF_RUN = "end of run"


class Recorder(Protocol):
    def request(self, request: Request, end_s: float) -> None:
        """Called once for each request, when all work on it has ended or the run has."""


class Decision(NamedTuple):
    """A node asks what to do with a request."""

    node: Node
    request: RequestView
    view: View
    task: Task


class Engine(Transfers):
    """Runs a world.

    devices, servers: the nodes.  places: the root place of each model.  depths: for each model the rank of its
    exits over all models.  stop_s: when arrivals stop.  window: the measured window, absolute.
    live: executes partitions inside the run (None: answers come from tables).

    ``run`` goes through to the end, asking the nodes' policies.  A node without a policy asks the caller
    instead: ``next_decision`` and ``apply`` are the same loop, a decision at a time.
    """

    def __init__(
        self,
        clock: Clock,
        devices: Sequence[Device],
        servers: Mapping[str, Server],
        places: Mapping[str, Place],
        depths: Mapping[str, tuple[int, ...]],
        stop_s: float,
        window: tuple[float, float],
        recorder: Recorder,
        live: LiveExecution | None = None,
    ) -> None:
        super().__init__()
        self.clock, self.devices, self.servers = clock, devices, servers
        self.stop_s, self.window, self.recorder, self.live = stop_s, window, recorder, live
        self.compiler = Compiler(servers, places, depths)
        self._schedule = clock.schedule
        self.open: set[Request] = set()
        self._on_arrival = (self._arrive,)
        self._on_ready = (self._ready,)
        for device in devices:
            self._plan_arrival(Event(device, self._on_arrival), device, 0.0)

    def next_decision(self) -> Decision | None:
        """Go on to the next decision of a node without a policy; None when nothing more happens."""
        while self._undecided is None and self.clock.peek() < inf:
            self.clock.step()
        task, self._undecided = self._undecided, None
        return None if task is None else Decision(task.node, task.node.request_view, task.node.view, task)

    def apply(self, decision: Decision, steps: Sequence[Step]) -> None:
        """Carry out the steps that the caller decided on."""
        node, task = decision.node, decision.task
        task.operations, task.at = self.compiler.program(node, task.place, task.blocks, tuple(steps)).operations, 0
        self._walk(node, task, task.t_s, self.clock.now)

    def finish(self) -> None:
        """End the run now: what is still open is unfinished."""
        for node in (*self.servers.values(), *self.devices):
            self._note_queue(node, self.clock.now)
        for request in sorted(self.open, key=lambda each: (each.arrival_s, each.device.name, each.number)):
            request.answers = [answer for answer in request.answers if answer[0] <= self.clock.now]
            request.reason = END_OF_RUN
            self.recorder.request(request, self.clock.now)
        self.open.clear()

    # Arrivals and the device's processor

    def _plan_arrival(self, event: Event, device: Device, now: float) -> None:
        coming = next(device.requests, None)
        if coming is not None and coming[0] < self.stop_s:
            device.coming = coming
            event.callbacks = self._on_arrival
            self._schedule(event, ARRIVAL, coming[0] - now)

    def _arrive(self, event: Event) -> None:
        device: Device = event.subject
        request = Request(device, device.arrived, device.coming)
        device.arrived += 1
        now = request.arrival_s
        self.open.add(request)
        task = Task(request, device, device.root, now)
        if self.live is not None:
            task.live = self.live.begin(device.root.model, request.sample)
        self._plan_arrival(event, device, now)
        if device.busy:
            self._let_queue(device, task, now)
        else:
            self._start(device, task, now)

    def _let_queue(self, device: Device, task: Task, now: float) -> None:
        """The processor is busy: the task waits, unless the queue is full."""
        self._note_queue(device, now)
        lost = device.queue.push(task)
        if len(device.queue) > device.queue_max:
            device.queue_max = len(device.queue)
        if lost is not None:
            self._close(lost, now, QUEUE_FULL)

    def _start(self, device: Device, task: Task, now: float) -> None:
        device.busy = True
        task.request.sums[DEVICE_WAIT] += now - task.ready_s
        if device.aborts:
            task.abort_s = task.request.deadline_s
        self._work(device, task, now)

    def _release(self, device: Device, now: float) -> None:
        """The processor is free: on to the next task, past those whose deadline has struck."""
        device.busy = False
        device.last_end_s = now
        low, high = self.window
        if low <= now <= high:
            device.served += 1
        while device.queue.tasks and not device.busy:
            self._note_queue(device, now)
            task = device.queue.pop()
            if device.aborts and task.request.deadline_s <= now:
                self._close(task, now, DEADLINE)
            else:
                self._start(device, task, now)

    def _ask_again(self, task: Task) -> None:
        now = task.t_s
        node = task.node
        if isinstance(node, Server) and node.batching is not None:
            self._reach_server(task)
            return
        blocks, seen = task.blocks, len(task.seen)
        decide_s = self._decide(node, task, now)
        if self._undecided is not None:
            task.t_s = now
            return
        self._walk(node, task, now + decide_s, now, decide_s)
        if task.callbacks is self._on_ask_again and (task.blocks, len(task.seen)) == (blocks, seen):
            raise InputError(f"policy {type(node.policy).__name__} at {node.name}: a second plan that leads nowhere")

    def _waited(self, task: Task) -> None:
        """A task gives the processor back, to return later."""
        now = self.clock.now
        device: Device = task.node  # type: ignore[assignment]
        self._release(device, now)
        task.callbacks = self._on_ready
        self._schedule(task, NORMAL, task.ready_s - now)

    def _ready(self, task: Task) -> None:
        now = self.clock.now
        device: Device = task.node  # type: ignore[assignment]
        if device.busy:
            self._let_queue(device, task, now)
        else:
            self._start(device, task, now)

    # Ends

    def _device_done(self, task: Task) -> None:
        now = task.t_s
        self._close(task, now, task.request.reason)
        self._release(task.node, now)  # type: ignore[arg-type]

    def _back(self, task: Task) -> None:
        """A server's answer reaches its device."""
        now = self.clock.now
        request = task.request
        assert task.given is not None
        request.answers.append((now, *task.given[1:]))  # type: ignore[arg-type]
        request.device.reports[task.node.name] = task.report
        self._close(task, now, request.reason)

    def _close(self, task: Task | Cancelling, now: float, reason: str) -> None:
        """One task of a request has ended; with the last one, the request has."""
        request = task.request
        request.reason = reason
        request.open -= 1
        if request.open:
            return
        self.open.discard(request)
        self.recorder.request(request, now)
        device = request.device
        if device.learns:
            assert device.policy is not None
            device.policy.learn(feedback(request))


def feedback(request: Request) -> Feedback:
    """What the device knows of a request when all work on it has ended."""
    if not request.answers:
        return Feedback(nan, -1, nan, False, request.bytes_up)
    first = min(request.answers, key=lambda answer: answer[0])
    last = max(request.answers, key=lambda answer: (answer[1], answer[0]))
    on_time = first[0] <= request.deadline_s + ON_TIME_TOLERANCE_S
    return Feedback(first[0] - request.arrival_s, last[3], last[4].confidence, on_time, request.bytes_up)
