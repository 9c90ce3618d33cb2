"""Worlds in which nodes fail or leave, and devices that give up on a server and go on alone."""

from __future__ import annotations

from math import inf
from typing import Any

from edgesim.compute.meter import Meter
from edgesim.compute.nodes import Device, Node, Server
from edgesim.engine.clock import NORMAL, REVOKED, Callbacks, Event
from edgesim.engine.endings import DEADLINE, DEVICE_DOWN, SERVER_DOWN
from edgesim.engine.imprecise_serving import ImpreciseEngine
from edgesim.engine.request import (
    COMPUTE,
    DECIDE,
    ENCODE,
    ENERGY,
    SERVER,
    SPENT_S,
    UPLINK,
    WASTED_J,
    WASTED_S,
    Cancelling,
    Request,
    Task,
)
from edgesim.engine.scheduled import share_workers
from edgesim.engine.transfers import CANCEL_BYTES, late_share
from edgesim.events.windows import Windows
from edgesim.workload.requests import Coming


class FallibleEngine(ImpreciseEngine):
    """A node that is away loses what it holds and what comes to it; it comes back empty.

    A device may keep what it sends for as long as ``timeout_s``; without an answer by then, or told that there will
    be none, it goes on alone from where it stood (SPINN, Laskaridis et al., MobiCom 2020).

    What a device does is booked when it begins; where it goes away meanwhile, the rest is taken back.  An answer that
    is on its downlink then, or comes there while it is away, is lost.
    """

    def __init__(self, *world: Any) -> None:
        super().__init__(*world)
        self._spares: dict[Request, Task] = {}
        self._alone: set[Task] = set()
        self._working: dict[Device, tuple[Request, dict[int, float], float]] = {}
        self._on_turn: Callbacks = (self._turn,)
        self._on_timeout: Callbacks = (self._time_out,)
        self._at_server = (self._on_served, self._on_reply, self._on_ask_again, self._on_gone)
        self._sent = (self._on_reach_server, self._on_lost, self._on_cancel_reaches, self._on_cancel_lost)

    # Nodes that go and come back

    def watch(self, node: Node, windows: Windows) -> None:
        """Let ``node`` be away within ``windows``."""
        self._plan_turn(node, windows, -1.0)

    def _plan_turn(self, node: Node, windows: Windows, after_s: float) -> None:
        turn_s = windows.next_edge(after_s)
        if turn_s < self.end_s:
            self._at(turn_s, NORMAL, Event((node, windows), self._on_turn))

    def _turn(self, event: Event) -> None:
        node, windows = event.subject
        now = self.clock.now
        reason = DEVICE_DOWN if node.is_device else SERVER_DOWN
        if windows.inside(now):
            self.go_away(node, now, reason)
        else:
            self.come_back(node, now, reason)
        self._plan_turn(node, windows, now)

    def go_away(self, node: Node, now: float, reason: str) -> None:
        """Drop all that the node holds; it may be away for several reasons at once."""
        node.away.append(reason)
        if len(node.away) > 1:
            return
        node.left, node.away_since_s = reason, now
        waiting = node.queue.tasks if isinstance(node, Device) else node.queue
        for task in list(waiting):
            waiting.remove(task)
            self._book_wait(node, task, now)
            self._close(task, now, reason)
        if isinstance(node, Device):
            self._drop_device(node, now, reason)
        else:
            self._drop_server(node, now, reason)  # type: ignore[arg-type]

    def come_back(self, node: Node, now: float, reason: str) -> None:
        """One reason to be away is over."""
        node.away.remove(reason)
        if node.away:
            return
        node.away_s += self._within(node.away_since_s, now)
        node.last_end_s = now
        if isinstance(node, Device):
            node.free_s = now
            meter_of(node).back(now)
        else:
            node.idle_workers = node.workers  # type: ignore[attr-defined]

    def _drop_server(self, server: Server, now: float, reason: str) -> None:
        """What is in service is lost; what has left as an answer is not."""
        self._book_work_so_far(now, server)
        pending = list(self.clock.pending())
        for event in pending:
            if event.callbacks is self._on_batch_done and event.subject[0] is server:
                self._stop_batch(event, now)
        for event in pending:
            if event.callbacks is self._on_stage and event.subject[0] is server:
                _, began_s, staged, _ = event.subject
                _spend(staged.task.request, now - began_s, 1)
                event.callbacks = REVOKED
            elif isinstance(event, Task) and event.node is server and event.callbacks in self._at_server:
                if self._at_work(event) is not None:
                    _spend(event.request, now - event.began_s, 1)
                self._lose_task(event, now, reason)
        for task in self.staged.pop(server, ()):
            self._book_wait(server, task, max(now, task.ready_s))
            self._lose_task(task, now, reason)
        if server.sharing is not None:
            self._count(server, now)
            twins = [twin for task in server.shared for twin in self._early.pop(task, ())]
            for task in [*server.shared, *twins]:
                self._lose_task(task, now, reason)
            share_workers(server)
            server.due = None
        server.idle_workers = 0

    def _stop_batch(self, event: Event, now: float) -> None:
        """A batch is booked when it begins: take back what it has not come to."""
        server, began_s, tasks = event.subject
        event.callbacks = REVOKED
        for task in tasks:
            here = task.node is server and task.callbacks in self._at_server  # and has not left before the others
            if here and task.began_s == began_s and task.t_s > now:
                _spend(task.request, now - task.t_s, len(tasks))
                server.served -= self.low_s <= task.t_s <= self.high_s

    def _drop_device(self, device: Device, now: float, reason: str) -> None:
        """What its processor works on, and what has not left it yet, is lost; what servers hold of it goes on."""
        device.free_s = inf
        self._stop_work(device, now)
        self._stop_radio(device, now)
        for event in list(self.clock.pending()):
            held = _held(event)
            if held is None or held.request.device is not device or event.callbacks is REVOKED:
                continue
            if isinstance(held, Task) and held.node is device:
                self._lose_task(held, now, reason)
            elif event.callbacks is self._on_cancel:
                event.callbacks = REVOKED
            elif held.left_s > now and event.callbacks in self._sent:
                self._recall(event, held, device)
                self._close(held, now, reason)
        if device.uplink is not None:
            for sending in device.uplink.cut_off(now):
                self._close(sending, now, reason)
        for request in [request for request in self._spares if request.device is device]:
            self._lose_task(self._spares.pop(request), now, reason)

    def _account(
        self, device: Device, request: Request, decide_s: float, compute_s: float, encode_s: float, stop: float
    ) -> None:
        super()._account(device, request, decide_s, compute_s, encode_s, stop)
        self._working[device] = request, {ENCODE: encode_s, COMPUTE: compute_s, DECIDE: decide_s}, stop
        seconds = decide_s + compute_s + encode_s
        if seconds:
            meter_of(device).spread(max(stop - seconds, self.clock.now), stop, device.compute_w * seconds)

    def _stop_work(self, device: Device, now: float) -> None:
        """Take back what has been booked of the processor's work from now on."""
        request, stages, stop = self._working.pop(device, (None, {}, now))
        if request is None or stop <= now:
            return
        request.answers = [answer for answer in request.answers if answer[0] <= now]
        sums, rest_s = request.sums, stop - now
        sums[SPENT_S] -= rest_s
        sums[ENERGY] -= device.compute_w * rest_s
        late_s = max(stop - max(now, request.deadline_s), 0.0)
        sums[WASTED_S] -= late_s
        sums[WASTED_J] -= device.compute_w * late_s
        device.busy_s -= self._within(now, stop)
        for stage, seconds in stages.items():  # the last first
            undone_s = min(seconds, rest_s)
            sums[stage] -= undone_s
            rest_s -= undone_s

    def _stop_radio(self, device: Device, now: float) -> None:
        """Correct what has been booked of transfers that are broken off, or that nobody hears to their end."""
        up, down = meter_of(device).off(now)
        for sent, start, stop, joules in (*up, *down):
            sums = sent.request.sums
            sums[ENERGY] += joules
            if stop > sent.request.deadline_s:
                sums[WASTED_J] += late_share(sent.request, start, stop) * joules
        for sent, start, stop, _ in up:
            if stop > now:
                device.up_busy_s -= self._within(start, stop)
                if isinstance(sent, Task):
                    sent.request.sums[UPLINK] -= stop - start

    def finish(self) -> None:
        for node in (*self.devices, *self.serving):
            if node.away:
                node.away_s += self._within(node.away_since_s, self.clock.now)
        super().finish()

    def _recall(self, event: Any, held: Task | Cancelling, device: Device) -> None:
        """What has not left a dying device does not arrive; its end had been told."""
        never = event.callbacks in (self._on_lost, self._on_cancel_lost)
        if not never or held.left_s >= self.end_s:
            device.uplink.gave_up(_nbytes(held), inf if never else held.t_s)
        event.callbacks = REVOKED

    def _lose_task(self, task: Task, now: float, reason: str) -> None:
        task.callbacks = REVOKED
        self._close(task, now, reason)

    def take(self, device: Device, coming: Coming) -> None:
        if not device.away:
            super().take(device, coming)
            return
        now = coming[0]
        request = Request(device, device.arrived, coming)
        device.arrived += 1
        self.open.add(request)
        self._close(Task(request, device, device.root, now), now, device.away[0])

    def _enter_server(self, task: Task) -> None:
        if task.node.away:
            self._lose_task(task, task.t_s, task.node.away[0])
        else:
            super()._enter_server(task)

    def _back(self, task: Task) -> None:
        device, now = task.request.device, task.t_s
        if device.away:
            self._lose_task(task, now, device.away[0])
            return
        spare, refused = self._spares.pop(task.request, None), task.given is None
        super()._back(task)
        if spare is not None and refused:
            self._go_alone(spare, now)
        elif spare is not None:
            self._lose_task(spare, now, task.request.reason)

    # Devices that give up on a server

    def _send_up(self, task: Task, device: Device, now: float) -> None:
        request = task.request
        if device.timeout_s < inf and request not in self._spares:
            spare = task.copy()
            spare.seen, spare.abort_s = dict(task.seen), task.abort_s
            self._spares[request] = spare
            self._at(now + device.timeout_s, NORMAL, Event(spare, self._on_timeout))
        super()._send_up(task, device, now)

    def _time_out(self, event: Event) -> None:
        spare: Task = event.subject
        if self._spares.get(spare.request) is spare:
            self._go_alone(self._spares.pop(spare.request), self.clock.now)

    def _go_alone(self, task: Task, now: float) -> None:
        """No server's answer will come any more: the device goes on from where it stood when it sent."""
        device: Device = task.node  # type: ignore[assignment]
        task.ready_s = now
        if device.aborts and task.request.deadline_s <= now:
            self._close(task, now, DEADLINE)
            return
        self._alone.add(task)
        if device.free_s > now or device.queue.tasks:
            self._let_queue(device, task, now)
        else:
            self._start(device, task, now)

    def _decide(self, node: Node, task: Task, now: float) -> float:
        if task not in self._alone:
            return super()._decide(node, task, now)
        self._alone.discard(task)
        node.deciding, node.now_s = task, now
        assert node.policy is not None
        steps = node.policy.alone(node.request_view)
        task.operations, task.at = self.compiler.program(node, task.place, task.blocks, steps).operations, 0
        return node.decision_s[int(task.luck * len(node.decision_s))]


def meter_of(device: Device) -> Meter:
    """Every device of such a world has one."""
    assert device.meter is not None
    return device.meter


def _spend(request: Request, seconds: float, batch: int) -> None:
    """Book work of a server; seconds: negative where it is taken back."""
    request.sums[SERVER] += seconds
    request.sums[SPENT_S] += seconds / batch


def _held(event: Any) -> Task | Cancelling | None:
    """The task or the message that an event is about."""
    held = event if isinstance(event, Task) else getattr(event, "subject", None)
    return held if isinstance(held, Cancelling) or held is event else None


def _nbytes(held: Task | Cancelling) -> int:
    """Payload of what a device has sent up."""
    if isinstance(held, Cancelling):
        return CANCEL_BYTES
    assert held.shipped is not None
    return held.shipped.sizes[held.request.sample] + held.shipped.server.carried_bytes
