"""Carrying bytes between devices and servers, and booking what that took."""

from __future__ import annotations

from abc import abstractmethod
from math import inf

from edgesim.compute.nodes import Device, Server
from edgesim.engine.clock import DELIVERY, NORMAL, Callbacks, Event
from edgesim.engine.endings import DEADLINE, LOST
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
MOST_UNHEARD = 16
"""Acknowledgements or reports that pile up before a device hears them without being asked for what they say."""


class Transfers(Serving):
    """The part of the engine that sends.

    A plain FIFO link tells the end of a transfer when it accepts it; other links call back when they know it.  Both
    lead to ``_sent_up`` and ``_sent_down``, which book the transfer and schedule the delivery.
    """

    def __init__(self) -> None:
        super().__init__()
        self._on_reach_server: Callbacks = (self._reach_server,)
        self._on_back: Callbacks = (self._back,)
        self._on_cancel_reaches: Callbacks = (self._cancel_reaches,)
        self._on_cancel_lost: Callbacks = (self._cancel_lost,)
        self._on_lost: Callbacks = (self._lost,)
        self._on_take_back: Callbacks = (self._take_back,)

    @abstractmethod
    def _release(self, device: Device, now: float) -> None: ...
    @abstractmethod
    def _back(self, task: Task) -> None: ...

    def _leave(self, task: Task) -> None:
        """The bytes of ``task.shipped`` are ready: send them, and go on with the plan if there is more of it."""
        now = task.t_s
        device: Device = task.node  # type: ignore[assignment]
        if task.at < len(task.operations):
            traveller = task.copy()
            traveller.shipped, task.shipped = task.shipped, None
            self._send_up(traveller, device, now)
            self._walk(device, task, now)
        else:
            self._send_up(task, device, now)
            self._release(device, now)

    def _send_up(self, task: Task, device: Device, now: float) -> None:
        request = task.request
        server, codec, cut, behind, sizes, _, _, route = task.shipped  # type: ignore[misc]
        nbytes = sizes[request.sample]
        link = device.uplink
        if device.aborts and max(now, link.free_s) >= request.deadline_s:
            request.reason = DEADLINE
            task.callbacks = self._on_gone
            task.t_s = max(now, request.deadline_s)
            self._at(task.t_s, NORMAL, task)
            return
        if self.live is not None:
            task.live, nbytes = self.live.send(task.place.model, task.live, codec, cut == 0)
        nbytes += server.carried_bytes
        request.cut, request.codec = cut, codec
        request.bytes_up += nbytes
        task.node, task.place, task.blocks = server, behind, cut
        task.abort_s = inf
        if task.seen:
            task.seen = {}
        if device.aborts and link.takes_back and request.deadline_s < inf:
            self._at(request.deadline_s, NORMAL, Event(task, self._on_take_back))
        if server.aborts and request.deadline_s < inf:
            self._at(max(now, request.deadline_s), NORMAL, Event(Cancelling(request, server, route), self._on_cancel))
        if link.__class__ is FifoLink:
            before = link.wire_bytes
            start, finish = link.send(now, nbytes)
            self._sent_up(task, now, start, finish, nbytes, link.delay_s, finish - start, link.wire_bytes - before)
        else:
            link.send(task, nbytes, self._sent_up)

    def _take_back(self, event: Event) -> None:
        """The deadline strikes while a transfer may still wait for its turn on the uplink."""
        task: Task = event.subject
        request = task.request
        nbytes = request.device.uplink.take_back(task)
        if nbytes:
            request.bytes_up -= nbytes
            if not request.bytes_up:
                request.cut, request.codec = -1, ""
            self._close(task, self.clock.now, DEADLINE)

    def _sent_up(
        self,
        task: Task,
        accepted: float,
        start: float,
        finish: float,
        nbytes: int,
        delay_s: float,
        air_s: float,
        wire: int,
    ) -> None:
        task.left_s = finish
        if finish == inf:
            self._reaches(task, inf)
            return
        request = task.request
        device, sums = request.device, request.sums
        sums[UPLINK_WAIT] += start - accepted
        sums[UPLINK] += finish - start
        self._book_sending(task, start, finish, nbytes, air_s, wire)
        if delay_s == inf:
            self._lose(task, finish)
            return
        sums[PROPAGATION] += delay_s
        if device.plan is None and finish > start:
            acknowledged = device.acknowledged
            acknowledged.append((finish + 2 * delay_s, nbytes, finish - start))
            if len(acknowledged) > MOST_UNHEARD:
                device.hear_acknowledgements(accepted)
        self._reaches(task, finish + delay_s)

    def _reaches(self, task: Task, reach_s: float) -> None:
        """A task will reach a server; at inf where the rate stays 0 for ever, though its device may lose it before."""
        task.callbacks = self._on_reach_server
        task.t_s = reach_s
        self._at(reach_s, DELIVERY, task)

    def _book_sending(
        self, sent: Task | Cancelling, start: float, finish: float, nbytes: int, air_s: float, wire: int
    ) -> None:
        request = sent.request
        device, sums, seconds = request.device, request.sums, finish - start
        if device.meter is None:
            joules = device.send_w * air_s
        else:
            joules = device.meter.up.book(sent, self.clock.now, start, finish, wire, air_s)
        sums[ENERGY] += joules
        if finish > request.deadline_s:
            request.wasted_bytes += nbytes
            sums[WASTED_J] += late_share(request, start, finish) * joules
        device.up_busy_s += seconds if self.low_s <= start and finish <= self.high_s else self._within(start, finish)

    def _reply(self, task: Task) -> None:
        """An answer leaves its server."""
        now = task.t_s
        server: Server = task.node  # type: ignore[assignment]
        request = task.request
        device = request.device
        if device.plan is None:
            task.report = (now, server.front.expected_wait_s())
        nbytes = server.result_bytes
        request.bytes_down += nbytes
        link = device.downlink
        if link.__class__ is FifoLink:
            before = link.wire_bytes
            start, finish = link.send(now, nbytes)
            self._sent_down(task, now, start, finish, nbytes, link.delay_s, finish - start, link.wire_bytes - before)
        else:
            link.send(task, nbytes, self._sent_down)

    def _sent_down(
        self,
        task: Task,
        accepted: float,
        start: float,
        finish: float,
        nbytes: int,
        delay_s: float,
        air_s: float,
        wire: int,
    ) -> None:
        if finish == inf:
            task.callbacks = self._on_back
            self._at(inf, DELIVERY, task)
            return
        request = task.request
        device, sums, seconds = request.device, request.sums, finish - start
        sums[DOWNLINK_WAIT] += start - accepted
        sums[DOWNLINK] += seconds
        if device.meter is None:
            joules = device.receive_w * air_s
        else:
            joules = device.meter.down.book(task, self.clock.now, start, finish, wire, air_s)
        sums[ENERGY] += joules
        if finish > request.deadline_s:
            sums[WASTED_J] += late_share(request, start, finish) * joules
        device.down_busy_s += seconds if self.low_s <= start and finish <= self.high_s else self._within(start, finish)
        if delay_s == inf:
            self._lose(task, finish)
            return
        sums[PROPAGATION] += delay_s
        task.t_s = back_s = finish + delay_s
        if device.plan is None:
            self._tell(device, task, back_s, accepted)
        if device.ends_ahead and back_s < self.end_s:
            self._back(task)
        else:
            task.callbacks = self._on_back
            self._at(back_s, DELIVERY, task)

    def _tell(self, device: Device, task: Task, back_s: float, now: float) -> None:
        """A load report rides on an answer."""
        coming = device.coming_reports
        coming.append((back_s, task.node.role, task.report))  # type: ignore[attr-defined]
        if len(coming) > MOST_UNHEARD:
            device.hear_reports(now)

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
            now, before = self.clock.now, link.wire_bytes
            start, finish = link.send(now, CANCEL_BYTES)
            wire = link.wire_bytes - before
            self._cancel_sent(cancelling, now, start, finish, CANCEL_BYTES, link.delay_s, finish - start, wire)
        else:
            link.send(cancelling, CANCEL_BYTES, self._cancel_sent)

    def _cancel_sent(
        self,
        cancelling: Cancelling,
        accepted: float,
        start: float,
        finish: float,
        nbytes: int,
        delay_s: float,
        air_s: float,
        wire: int,
    ) -> None:
        if finish < inf:
            self._book_sending(cancelling, start, finish, nbytes, air_s, wire)
        cancelling = cancelling._replace(left_s=finish, t_s=finish + delay_s)
        if delay_s == inf:
            self._at(finish, NORMAL, Event(cancelling, self._on_cancel_lost))
        else:
            self._at(finish + delay_s, DELIVERY, Event(cancelling, self._on_cancel_reaches))

    def _cancel_lost(self, event: Event) -> None:
        cancelling: Cancelling = event.subject
        self._close(cancelling, self.clock.now, cancelling.request.reason)

    def _lose(self, task: Task, known: float) -> None:
        """The link gives up a message, which its sender knows at ``known``: what travelled with it has ended."""
        task.callbacks = self._on_lost
        task.t_s = known
        self._at(known, NORMAL, task)

    def _lost(self, task: Task) -> None:
        self._close(task, task.t_s, LOST)


def late_share(request: Request, start: float, finish: float) -> float:
    """Of a transfer that ends after the deadline: the part of its time that lies after it."""
    return (finish - max(start, request.deadline_s)) / (finish - start) if finish > start else 0.0
