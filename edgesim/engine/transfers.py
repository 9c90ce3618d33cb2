"""Carrying bytes between devices and servers, and booking what that took."""

from __future__ import annotations

from math import inf
from operator import length_hint

from edgesim.compute.nodes import Device, Server
from edgesim.engine.clock import DELIVERY, NORMAL, Callbacks, Event
from edgesim.engine.plan import DEADLINE
from edgesim.engine.request import (
    DOWNLINK,
    DOWNLINK_WAIT,
    ENERGY,
    PROPAGATION,
    UPLINK,
    UPLINK_WAIT,
    WASTED_J,
    Cancelling,
    Request,
    Task,
)
from edgesim.engine.serving import Serving
from edgesim.network.fifo import FifoLink

CANCEL_BYTES = 8
"""Payload of a cancel message: the number of the request."""
MOST_UNHEARD = 64
"""Acknowledgements that pile up before a device hears them without being asked for its link's rate."""


class Transfers(Serving):
    """The part of the engine that sends.

    A FIFO link tells the end of a transfer when it accepts it, a cell when it comes; both lead to
    ``_sent_up`` and ``_sent_down``, which book the transfer and schedule the delivery.
    """

    _on_reach_server: Callbacks
    _on_back: Callbacks
    _on_cancel_reaches: Callbacks

    def _release(self, device: Device, now: float) -> None:
        raise NotImplementedError

    def _leave(self, task: Task) -> None:
        """The bytes of ``task.pending`` are ready: send them, and go on with the plan if there is more of it."""
        now = self.clock.now
        device: Device = task.node  # type: ignore[assignment]
        if length_hint(task.todo):
            traveller = task.copy()
            traveller.pending, task.pending = task.pending, None
            self._send_up(traveller, device, now)
            self._carry_out(task, now)
        else:
            self._send_up(task, device, now)
            self._release(device, now)

    def _send_up(self, task: Task, device: Device, now: float) -> None:
        request = task.request
        assert task.pending is not None
        step, cut, behind, nbytes = task.pending
        server = self.servers[step.to]
        link = device.uplink
        is_fifo = link.__class__ is FifoLink
        if device.aborts and max(now, link.free_s if is_fifo else now) >= request.deadline_s:
            request.reason = DEADLINE
            task.callbacks = self._on_gone
            self._schedule(task, NORMAL, max(0.0, request.deadline_s - now))
            return
        if self.live is not None:
            task.live, nbytes = self.live.send(task.place.model, task.live, step.codec, cut == 0)
        request.cut, request.codec = cut, step.codec
        request.bytes_up += nbytes
        task.node, task.place, task.blocks = server, behind, cut
        task.abort_s, task.seen = inf, {}
        if server.aborts and request.deadline_s < inf:
            wait_s = max(0.0, request.deadline_s - now)
            self._schedule(Event(Cancelling(request, server), self._on_cancel), NORMAL, wait_s)
        if is_fifo:
            start, finish = link.send(now, nbytes)
            self._sent_up(task, now, start, finish, nbytes)
        else:
            link.send(task, nbytes, self._sent_up)

    def _sent_up(self, task: Task, accepted: float, start: float, finish: float, nbytes: int) -> None:
        if finish == inf:
            return
        request = task.request
        device, sums = request.device, request.sums
        seconds, delay_s = finish - start, device.uplink.delay_s
        sums[UPLINK_WAIT] += start - accepted
        sums[UPLINK] += seconds
        sums[PROPAGATION] += delay_s
        self._book_sending(request, start, finish, nbytes)
        if seconds > 0:
            device.acknowledged.append((finish + 2 * delay_s, nbytes, seconds))
            if len(device.acknowledged) > MOST_UNHEARD:
                device.hear_acknowledgements(self.clock.now)
        task.callbacks = self._on_reach_server
        self._schedule(task, DELIVERY, finish + delay_s - self.clock.now)

    def _book_sending(self, request: Request, start: float, finish: float, nbytes: int) -> None:
        device, sums = request.device, request.sums
        sums[ENERGY] += device.send_w * (finish - start)
        if finish > request.deadline_s:
            request.wasted_bytes += nbytes
            sums[WASTED_J] += device.send_w * (finish - max(start, request.deadline_s))
        low, high = self.window
        if finish > low and start < high:
            device.up_busy_s += min(finish, high) - max(start, low)

    def _reply(self, task: Task) -> None:
        """An answer leaves its server."""
        now = self.clock.now
        server: Server = task.node  # type: ignore[assignment]
        request = task.request
        task.report = (now, server.expected_wait_s())
        request.bytes_down += server.result_bytes
        link = request.device.downlink
        if link.__class__ is FifoLink:
            start, finish = link.send(now, server.result_bytes)
            self._sent_down(task, now, start, finish, server.result_bytes)
        else:
            link.send(task, server.result_bytes, self._sent_down)

    def _sent_down(self, task: Task, accepted: float, start: float, finish: float, nbytes: int) -> None:
        if finish == inf:
            return
        request = task.request
        device, sums = request.device, request.sums
        delay_s = device.downlink.delay_s
        sums[DOWNLINK_WAIT] += start - accepted
        sums[DOWNLINK] += finish - start
        sums[PROPAGATION] += delay_s
        sums[ENERGY] += device.receive_w * (finish - start)
        if finish > request.deadline_s:
            sums[WASTED_J] += device.receive_w * (finish - max(start, request.deadline_s))
        low, high = self.window
        if finish > low and start < high:
            device.down_busy_s += min(finish, high) - max(start, low)
        task.callbacks = self._on_back
        self._schedule(task, DELIVERY, finish + delay_s - self.clock.now)

    def _cancel_leaves(self, event: Event) -> None:
        """A cancel message is sent; where the request has ended meanwhile, none is."""
        cancelling: Cancelling = event.subject
        request = cancelling.request
        if not request.open:
            return
        request.open += 1
        request.bytes_up += CANCEL_BYTES
        link = request.device.uplink
        if link.__class__ is FifoLink:
            now = self.clock.now
            start, finish = link.send(now, CANCEL_BYTES)
            self._cancel_sent(cancelling, now, start, finish, CANCEL_BYTES)
        else:
            link.send(cancelling, CANCEL_BYTES, self._cancel_sent)

    def _cancel_sent(self, cancelling: Cancelling, accepted: float, start: float, finish: float, nbytes: int) -> None:
        if finish == inf:
            return
        request = cancelling.request
        self._book_sending(request, start, finish, nbytes)
        event = Event(cancelling, self._on_cancel_reaches)
        self._schedule(event, DELIVERY, finish + request.device.uplink.delay_s - self.clock.now)
