"""The life of a request: arrival, decision, pieces, transfers, service, answers, end.

Nothing waits in a process of its own: a task is an event that is scheduled again for each stage that somebody else
could see or change, as a rule three times for a request that is sent to a server: it arrives, it reaches the server,
it has been served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, nan
from typing import NamedTuple, Protocol

from edgesim.compute.nodes import Device, Node, Server
from edgesim.engine.clock import ARRIVAL, NORMAL, Clock, Event
from edgesim.engine.endings import DEADLINE, END_OF_RUN, QUEUE_FULL
from edgesim.engine.express import ColumnRecorder, Express
from edgesim.engine.live import LiveExecution
from edgesim.engine.places import Place
from edgesim.engine.plan import leads_nowhere
from edgesim.engine.program import Compiler
from edgesim.engine.request import DEVICE_WAIT, Cancelling, Request, Task
from edgesim.engine.routes import Routes
from edgesim.engine.transfers import Transfers
from edgesim.policies.base import Feedback, RequestView, View
from edgesim.policies.steps import Step
from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S
from edgesim.workload.requests import Coming


class Recorder(Protocol):
    def request(self, request: Request, end_s: float) -> None:
        """Called once for each request, when the end of all work on it is settled, or the run is over."""


class Decision(NamedTuple):
    """A node asks what to do with a request."""

    node: Node
    request: RequestView
    view: View
    task: Task


class Engine(Transfers):
    """Runs a world.

    devices, servers: the nodes.  places: the root place of each model.  depths: for each model the rank of its
    exits over all models.  limits_s: when arrivals stop, and when the run is over.  window: the measured window.
    live: executes partitions inside the run (None: answers come from tables).  routes: between servers.

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
        limits_s: tuple[float, float],
        window: tuple[float, float],
        recorder: Recorder,
        live: LiveExecution | None = None,
        routes: Routes | None = None,
    ) -> None:
        super().__init__()
        self.clock, self.devices, self.servers = clock, devices, servers
        self.stop_s, self.end_s = limits_s
        self.low_s, self.high_s = window
        self.recorder, self.live = recorder, live
        self.serving = [each for server in servers.values() for each in (server.replicas or (server,))]
        self.routes = routes or Routes()
        self.compiler = Compiler(servers, places, depths, self.routes)
        self._at = clock.at
        self.open: set[Request] = set()
        self._express = Express(self, recorder) if isinstance(recorder, ColumnRecorder) else None
        self._on_arrival = (self._arrive,)
        self._on_first_arrival = (self._arrive_first,)
        self._on_ready = (self._ready,)
        self._on_release = (self._next_task,)
        for device in devices:
            self.plan_arrival(Event(device, self._on_first_arrival), device)

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
        self._walk(node, task, task.t_s)

    def finish(self) -> None:
        """End the run now: what is still open is unfinished."""
        self._book_work_so_far(self.clock.now)
        for server in self.serving:
            for task in server.queue:
                self._book_wait(server, task, self.clock.now)
        for device in self.devices:
            for task in device.queue.tasks:
                self._book_wait(device, task, self.clock.now)
        for request in sorted(self.open, key=lambda each: (each.arrival_s, each.device.name, each.number)):
            request.answers = [answer for answer in request.answers if answer[0] <= self.clock.now]
            request.reason = END_OF_RUN
            self.recorder.request(request, self.clock.now)
        self.open.clear()
        if self._express is not None:
            self._express.close()

    # Arrivals and the device's processor

    def plan_arrival(self, event: Event, device: Device) -> None:
        coming = next(device.requests, None)
        if coming is not None and coming[0] < self.stop_s:
            device.coming = coming
            self._at(coming[0], ARRIVAL, event)

    def _arrive_first(self, event: Event) -> None:
        """A device's first request: find out which way all of them go."""
        lane = self._express.lane(event.subject) if self._express else None
        arrive = self._arrive if lane is None else lane.arrive
        arrive(event)

    def _arrive(self, event: Event) -> None:
        device: Device = event.subject
        coming = device.coming
        event.callbacks = self._on_arrival
        self.plan_arrival(event, device)
        self.take(device, coming)

    def take(self, device: Device, coming: Coming) -> None:
        """A request has arrived."""
        now = coming[0]
        request = Request(device, device.arrived, coming)
        device.arrived += 1
        self.open.add(request)
        task = Task(request, device, device.root, now)
        if self.live is not None:
            task.live = self.live.begin(device.root.model, request.sample)
        if device.free_s > now:
            self._let_queue(device, task, now)
        else:
            self._start(device, task, now)

    def _let_queue(self, device: Device, task: Task, now: float) -> None:
        """The processor is busy: the task waits, unless the queue is full."""
        lost = device.queue.push(task)
        if len(device.queue) > device.queue_max:
            device.queue_max = len(device.queue)
        if lost is not None:
            self._book_wait(device, lost, now)
            self._close(lost, now, QUEUE_FULL)
        self._plan_release(device)

    def _start(self, device: Device, task: Task, now: float) -> None:
        device.free_s = inf
        if device.aborts:
            task.abort_s = task.request.deadline_s
        self._work(device, task, now)

    def _release(self, device: Device, free_s: float) -> None:
        """It is settled when the processor is free."""
        device.free_s = device.last_end_s = free_s
        if self.low_s <= free_s <= self.high_s:
            device.served += 1
        if device.queue.tasks:
            self._plan_release(device)

    def _plan_release(self, device: Device) -> None:
        """Wake those who wait for the processor when it is free, if that is settled."""
        if device.queue.tasks and not device.releasing and device.free_s < inf:
            device.releasing = True
            self._at(device.free_s, NORMAL, Event(device, self._on_release))

    def _next_task(self, event: Event) -> None:
        """The processor is free: on to the next task, past those whose deadline has struck."""
        device: Device = event.subject
        device.releasing = False
        now = self.clock.now
        while device.queue.tasks and device.free_s <= now:
            task = device.queue.pop()
            self._book_wait(device, task, now)
            if device.aborts and task.request.deadline_s <= now:
                self._close(task, now, DEADLINE)
            else:
                task.request.sums[DEVICE_WAIT] += now - task.ready_s
                self._start(device, task, now)
        self._plan_release(device)

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
        self._walk(node, task, now + decide_s, decide_s)
        if task.callbacks is self._on_ask_again and (task.blocks, len(task.seen)) == (blocks, seen):
            raise leads_nowhere(node)

    def _waited(self, task: Task) -> None:
        """A task gives the processor back, to return later."""
        device: Device = task.node  # type: ignore[assignment]
        self._release(device, task.t_s)
        task.callbacks = self._on_ready
        self._at(task.ready_s, NORMAL, task)

    def _ready(self, task: Task) -> None:
        now = task.ready_s
        device: Device = task.node  # type: ignore[assignment]
        if device.free_s > now or device.queue.tasks:
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
        now = task.t_s
        request = task.request
        assert task.given is not None
        request.answers.append((now, *task.given[1:]))  # type: ignore[arg-type]
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
