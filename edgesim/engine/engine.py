"""The life of a request: arrival, decision, pieces, transfers, service, answers, end.

Nothing waits in a process of its own: a task is an event that is scheduled again for each stage, about five
times for a request that is sent to a server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, nan
from typing import Any, NamedTuple, Protocol

from edgesim.compute.nodes import Device, Node, Server
from edgesim.engine.clock import ARRIVAL, NORMAL, Clock, Event
from edgesim.engine.live import LiveExecution
from edgesim.engine.places import Place
from edgesim.engine.plan import DEADLINE, Plans
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
        Plans.__init__(self)
        self.clock, self.devices, self.servers, self.places = clock, devices, servers, places
        self.depths, self.stop_s, self.window, self.recorder, self.live = depths, stop_s, window, recorder, live
        self._schedule = clock.schedule
        self.open: set[Request] = set()
        self._decision: Decision | None = None
        self._on_arrival = (self._arrive,)
        self._on_leave = (self._leave,)
        self._on_waited = (self._waited,)
        self._on_ready = (self._ready,)
        self._on_cancel = (self._cancel_leaves,)
        self._on_cancel_reaches = (self._cancel_reaches,)
        self._on_device_done = (self._device_done,)
        self._on_served = (self._served,)
        self._on_ask_again = (self._ask_again,)
        self._on_reply = (self._reply,)
        self._on_gone = (self._gone,)
        self._on_reach_server = (self._reach_server,)
        self._on_back = (self._back,)
        self._on_look_again = (self._look_again,)
        self._on_batch_done = (self._batch_done,)
        for device in devices:
            self._plan_arrival(Event(device, self._on_arrival), device)

    def next_decision(self) -> Decision | None:
        """Go on to the next decision of a node without a policy; None when nothing more happens."""
        while self._decision is None and self.clock.peek() < inf:
            self.clock.step()
        decision, self._decision = self._decision, None
        return decision

    def apply(self, decision: Decision, steps: Sequence[Step]) -> None:
        """Carry out the steps that the caller decided on."""
        decision.task.todo = iter(steps)
        self._carry_out(decision.task, self.clock.now)

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

    def _plan_arrival(self, event: Event, device: Device) -> None:
        coming = next(device.requests, None)
        if coming is not None and coming[0] < self.stop_s:
            device.coming = coming
            event.callbacks = self._on_arrival
            self._schedule(event, ARRIVAL, coming[0] - self.clock.now)

    def _arrive(self, event: Event) -> None:
        device: Device = event.subject
        number = device.arrived
        device.arrived = number + 1
        request = Request(device, number, device.coming)
        now = request.arrival_s
        self.open.add(request)
        task = Task(request, device, device.root, now)
        if self.live is not None:
            task.live = self.live.begin(device.root.model, request.sample)
        self._plan_arrival(event, device)
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
        self._begin(device, task, now)

    def _release(self, device: Device, now: float) -> None:
        """The processor is free: on to the next task, past those whose deadline has struck."""
        device.busy = False
        device.last_end_s = now
        low, high = self.window
        device.served += low <= now <= high
        while len(device.queue) and not device.busy:
            self._note_queue(device, now)
            task = device.queue.pop()
            if device.aborts and task.request.deadline_s <= now:
                self._close(task, now, DEADLINE)
            else:
                self._start(device, task, now)

    def _begin(self, node: Node, task: Task, now: float) -> None:
        """Ask what to do with a task that has just reached the processor, and set to it."""
        task.t_s = now + self._open_plan(node, task, now)
        if self._decision is None:
            self._carry_out(task, now)

    def _open_plan(self, node: Node, task: Task, now: float) -> float:
        """Draw the task's costs and decide; the seconds that deciding and decoding take."""
        costs = node.costs[task.place.model]
        luck = task.request.lucks[node.slot]
        task.began_s = now
        task.costs, task.luck = costs, luck
        task.row, task.branches = costs.row(luck), costs.branch_row(luck)
        task.factor = costs.idle_factor(now - node.last_end_s)
        task.compute_s = task.encode_s = 0.0
        seconds = self._decide(node, task, now)
        if task.pending is not None:
            step, cut, _, _ = task.pending
            task.pending = None
            seconds += costs.decode_s(step.codec, cut, luck) * task.factor
        return seconds

    def _decide(self, node: Node, task: Task, now: float) -> float:
        """Ask the node's policy, or the caller; the seconds that it takes."""
        node.deciding, node.now_s = task, now
        if node.policy is None:
            self._decision = Decision(node, node.request_view, node.view, task)
            task.decide_s = 0.0
            return 0.0
        steps = node.policy.next_steps(node.request_view, node.view)
        task.todo = iter(steps if steps.__class__ is tuple and steps else _plan(node, steps))
        samples = node.decision_s
        seconds = task.decide_s = samples[int(task.luck * len(samples))]
        return seconds

    def _ask_again(self, task: Task) -> None:
        now = self.clock.now
        node = task.node
        if isinstance(node, Server) and node.batching is not None:
            self._reach_server(task)
            return
        blocks, seen = task.blocks, len(task.seen)
        task.compute_s = task.encode_s = 0.0
        task.t_s = now + self._decide(node, task, now)
        if self._decision is not None:
            return
        self._carry_out(task, now)
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
        now = self.clock.now
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


def _plan(node: Node, steps: Any) -> Sequence[Step]:
    """What a policy gave, as a plan that says how much of it is left."""
    policy = type(node.policy).__name__
    try:
        steps = tuple(steps)
    except TypeError:
        raise InputError(f"policy {policy} gave {steps!r} at {node.name}, which is no sequence of steps") from None
    if not steps:
        raise InputError(f"policy {policy} gave no step at {node.name}")
    return steps


def feedback(request: Request) -> Feedback:
    """What the device knows of a request when all work on it has ended."""
    if not request.answers:
        return Feedback(nan, -1, nan, False, request.bytes_up)
    first = min(request.answers, key=lambda answer: answer[0])
    last = max(request.answers, key=lambda answer: (answer[1], answer[0]))
    on_time = first[0] <= request.deadline_s + ON_TIME_TOLERANCE_S
    return Feedback(first[0] - request.arrival_s, last[3], last[4].confidence, on_time, request.bytes_up)
