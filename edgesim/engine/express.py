"""The straight way of a request, booked by its times alone.

Most requests do the same: a piece on the device, up the device's own link, a piece at the server, an answer down the
link; or they are answered on the device.  Where nobody can see or change anything on that way
(``engine.look_ahead``), it is walked in one stride from the arrival to the server and in another one from there to the
end, and only the times at which its stages end are kept; :mod:`edgesim.engine.express_rows` derives the rest for many
requests at once.  A request that finds its processor busy or would meet its deadline on the device, and any other
plan, takes the general way of :class:`~edgesim.engine.engine.Engine`.  Both ways share links, processors and queues.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from edgesim.compute.nodes import Device, Node
from edgesim.engine.clock import DELIVERY, Callbacks, Event
from edgesim.engine.endings import END_OF_RUN
from edgesim.engine.express_rows import Books, pack
from edgesim.engine.program import Operation, Ship
from edgesim.engine.straight import SENT, Segment, Way, way_of
from edgesim.results.request_rows import Columns

if TYPE_CHECKING:
    from edgesim.engine.engine import Engine

ROW_GROUP = 8192
NEVER = (inf, inf, inf, inf)
"""Begin and end of a service, first and last bit of its answer, where it does not come to that."""


@runtime_checkable
class ColumnRecorder(Protocol):
    """A recorder that takes many requests as columns, too (``results.request_rows``); codes: its numbers for words."""

    codes: dict[str, int]

    def requests(self, kept: Columns) -> None: ...


class Express:
    """Lanes for those devices of an engine whose requests go straight, and the times that these have kept."""

    def __init__(self, engine: Engine, recorder: ColumnRecorder) -> None:
        self._engine, self._recorder = engine, recorder
        self._kept: list[bytes] = []
        self._books = Books(recorder.codes, (engine.low_s, engine.high_s), engine.end_s, END_OF_RUN)
        self._ways: dict[int, tuple[Sequence[Operation], Way | None]] = {}

    def lane(self, device: Device) -> Lane | None:
        """None where the device's requests must take the general way."""
        if device.plan is None or not device.ends_ahead or self._engine.live is not None:
            return None
        way = self._way(device)
        if way is None:
            return None
        if way.ship is not None and not (device.sends_ahead and way.ship.server.serves_ahead):
            return None
        return Lane(self._engine, self._keep, self._books.open(device, way), device, way)

    def _way(self, device: Device) -> Way | None:
        """Devices that share their program share the way."""
        assert device.plan is not None
        operations = self._engine.compiler.program(device, device.root, 0, device.plan).operations
        if id(operations) not in self._ways:
            self._ways[id(operations)] = operations, way_of(self._engine.compiler, operations)
        return self._ways[id(operations)][1]

    def _keep(self, row: bytes) -> None:
        self._kept.append(row)
        if len(self._kept) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._kept:
            self._recorder.requests(self._books.enter(b"".join(self._kept)))
            self._kept.clear()

    def close(self) -> None:
        """The run is over: record what is left, and let the nodes know what they have done."""
        self._flush()
        self._books.close()


class Lane:
    """The way of one device's requests."""

    __slots__ = (
        "_aborts",
        "_at",
        "_carried_bytes",
        "_decisions",
        "_decisions_there",
        "_decode",
        "_delay_s",
        "_device",
        "_downlink",
        "_encode",
        "_end_s",
        "_engine",
        "_here",
        "_idle_factor",
        "_idle_factor_there",
        "_keep",
        "_number",
        "_on_arrival",
        "_on_reach",
        "_result_bytes",
        "_server",
        "_sizes",
        "_slot",
        "_there",
        "_uplink",
    )

    def __init__(self, engine: Engine, keep: Callable[[bytes], None], number: int, device: Device, way: Way) -> None:
        self._engine, self._keep, self._number, self._device = engine, keep, number, device
        self._at: Callable[[float, int, Any], None] = engine.clock.at
        self._end_s, self._aborts = engine.end_s, device.aborts
        self._here, self._decisions = way.here, device.decision_s
        self._idle_factor = _idle_factor(device, device.root.model)
        self._on_arrival: Callbacks = (self.arrive,)
        if way.ship is not None:
            self._lead_on(way.ship, way.there)

    def _lead_on(self, ship: Ship, there: Sequence[Segment]) -> None:
        server, device = ship.server, self._device
        self._server, self._slot, self._decisions_there = server, server.slot, server.decision_s
        self._sizes, self._carried_bytes, self._result_bytes = ship.sizes, server.carried_bytes, server.result_bytes
        self._uplink, self._downlink, self._delay_s = device.uplink, device.downlink, device.uplink.delay_s
        self._encode, self._decode, self._there = ship.encode, ship.decode, there
        self._idle_factor_there = _idle_factor(server, ship.behind.model)
        self._on_reach: Callbacks = (self._reach,)

    def arrive(self, event: Event) -> None:
        """A request arrives: book all of its way up to its answer here, or to the server."""
        device, engine = self._device, self._engine
        coming = device.coming
        now, sample, deadline_s, lucks = coming
        event.callbacks = self._on_arrival
        engine.plan_arrival(event, device)
        if device.free_s > now:
            engine.take(device, coming)
            return
        luck, decisions = lucks[0], self._decisions
        factor = 1.0 if self._idle_factor is None else self._idle_factor(now - device.last_end_s)
        decide_s = decisions[int(luck * len(decisions))]
        t = now + decide_s
        compute_s = encode_s = 0.0
        end = SENT
        for costs, sure, answer in self._here:
            for seconds in costs:
                spent_s = seconds(luck) * factor
                t += spent_s
                compute_s += spent_s
            if sure is None or sure[sample]:
                end = answer
                break
        settled_s = t
        if end == SENT:
            if self._encode is not None:
                encode_s = self._encode(luck) * factor
                t += encode_s
            settled_s = max(t, self._uplink.free_s)
        deadline_at_s = now + deadline_s
        if t >= self._end_s or (self._aborts and settled_s >= deadline_at_s):
            engine.take(device, coming)
            return
        number = device.arrived
        device.arrived = number + 1
        device.free_s = device.last_end_s = t
        so_far = self._number, number, sample, now, deadline_at_s, decide_s, compute_s, encode_s, t
        if end != SENT:
            self._keep(pack(*so_far, inf, inf, *NEVER, end))
            return
        start_s, finish_s = self._uplink.send(t, self._sizes[sample] + self._carried_bytes)
        reach_s = finish_s + self._delay_s
        if reach_s < self._end_s:
            subject = (*so_far, start_s, finish_s), reach_s, sample, lucks[self._slot]
            self._at(reach_s, DELIVERY, Event(subject, self._on_reach))
        else:
            self._keep(pack(*so_far, start_s, finish_s, *NEVER, SENT))

    def _reach(self, event: Event) -> None:
        """A request reaches the server: book the rest of its way."""
        so_far, now, sample, luck = event.subject
        server, decisions = self._server, self._decisions_there
        free_s = server.last_end_s
        begin_s = now if free_s < now else server.line_up(now)
        if begin_s == inf:
            self._keep(pack(*so_far, *NEVER, SENT))
            return
        factor = 1.0 if self._idle_factor_there is None else self._idle_factor_there(begin_s - free_s)
        t = begin_s + decisions[int(luck * len(decisions))]
        if self._decode is not None:
            t += self._decode(luck) * factor
        end = SENT
        for costs, sure, answer in self._there:
            for seconds in costs:
                t += seconds(luck) * factor
            if sure is None or sure[sample]:
                end = answer
                break
        if t < self._end_s:
            server.last_end_s = t
            start_s, finish_s = self._downlink.send(t, self._result_bytes)
        else:
            server.last_end_s = start_s = finish_s = inf
        self._keep(pack(*so_far, begin_s, t, start_s, finish_s, end))


def _idle_factor(node: Node, model: str) -> Callable[[float], float] | None:
    costs = node.costs[model]
    return costs.idle_factor if costs.wakes else None
