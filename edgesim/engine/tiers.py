"""Worlds with more than devices that reach their servers directly: routes between servers, and alike servers behind a
balancer."""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import Any

from edgesim.compute.nodes import Device, Server
from edgesim.engine.clock import DELIVERY, Callbacks, Event
from edgesim.engine.engine import Engine
from edgesim.engine.request import DOWNLINK, DOWNLINK_WAIT, PROPAGATION, UPLINK, UPLINK_WAIT, Cancelling, Request, Task
from edgesim.engine.routes import Hop
from edgesim.engine.transfers import CANCEL_BYTES


class TieredEngine(Engine):
    """Data goes on from server to server: along a route, whose hops store and forward it, or because a server's plan
    sends it on.  Answers go back the way that the data came.

    The seconds on hops between servers count as those of the uplink and the downlink do; their bytes are those of the
    hop, not of the device.

    hop_busy_s: seconds in which a hop carried something, within the measured window.
    """

    def __init__(self, *world: Any) -> None:
        super().__init__(*world)
        self.hop_busy_s: defaultdict[Hop, float] = defaultdict(float)
        self._on_hop_back: Callbacks = (self._hop_back,)

    def _send_up(self, task: Task, device: Device, now: float) -> None:
        task.ahead = task.shipped.route  # type: ignore[union-attr]
        super()._send_up(task, device, now)

    def _reach_server(self, task: Task) -> None:
        if task.ahead:
            self._hop(task)
            return
        server: Server = task.node  # type: ignore[assignment]
        if server.balancer is not None:
            there = [replica for replica in server.replicas if not replica.away] or server.replicas
            task.node = server.balancer.pick(there, task.request)
        self._enter_server(task)

    def _enter_server(self, task: Task) -> None:
        super()._reach_server(task)

    def _hop(self, task: Task) -> None:
        """Send the task over the next hop of its route."""
        hop, *rest = task.ahead
        now, sums = task.t_s, task.request.sums
        assert task.shipped is not None
        start, finish = self._cross(hop, task.request, now, task.shipped.sizes[task.request.sample])
        if finish < inf:
            sums[UPLINK_WAIT] += start - now
            sums[UPLINK] += finish - start
            sums[PROPAGATION] += hop.fifo.delay_s
        task.ahead = tuple(rest)
        task.back = (self.routes.back(hop), *task.back)
        self._reaches(task, finish + hop.fifo.delay_s)

    def _cross(self, hop: Hop, request: Request, now: float, nbytes: int) -> tuple[float, float]:
        start, finish = hop.fifo.send(now, nbytes)
        self.hop_busy_s[hop] += self._within(start, finish)
        return start, finish

    def _gone(self, task: Task) -> None:
        """A server is done with a task that it does not answer: its plan may send it on."""
        if task.node.is_device or task.shipped is None:
            super()._gone(task)
            return
        ship, request = task.shipped, task.request
        if self.live is not None:
            task.live, _ = self.live.send(task.place.model, task.live, ship.codec, ship.cut == 0)
        request.cut, request.codec = ship.cut, ship.codec
        task.node, task.place, task.blocks, task.seen = ship.server, ship.behind, ship.cut, {}
        task.ahead = ship.route
        self._hop(task)

    def _reply(self, task: Task) -> None:
        if not task.back:
            super()._reply(task)
            return
        hop, *rest = task.back
        now, sums = task.t_s, task.request.sums
        server: Server = task.node  # type: ignore[assignment]
        start, finish = self._cross(hop, task.request, now, server.result_bytes)
        if finish < inf:
            sums[DOWNLINK_WAIT] += start - now
            sums[DOWNLINK] += finish - start
            sums[PROPAGATION] += hop.fifo.delay_s
        task.back = tuple(rest)
        task.t_s = finish + hop.fifo.delay_s
        task.callbacks = self._on_hop_back
        self._at(task.t_s, DELIVERY, task)

    def _hop_back(self, task: Task) -> None:
        self._reply(task)

    def _cancel_reaches(self, event: Event) -> None:
        """A cancel message follows the route of what it cancels, and goes to every replica."""
        cancelling: Cancelling = event.subject
        request, server, ahead = cancelling[:3]
        if ahead:
            _, finish = self._cross(ahead[0], request, self.clock.now, CANCEL_BYTES)
            onward = Event(cancelling._replace(ahead=ahead[1:]), self._on_cancel_reaches)
            self._at(finish + ahead[0].fifo.delay_s, DELIVERY, onward)
            return
        for each in server.replicas:
            request.open += 1
            super()._cancel_reaches(Event(Cancelling(request, each), self._on_cancel_reaches))
        super()._cancel_reaches(event)
