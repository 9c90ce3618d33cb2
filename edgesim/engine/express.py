"""The straight way of a request, booked by its times alone.

Most requests do the same: a piece on the device, up the device's own link, a piece at the server, an answer down the
link.  Where nobody can see or change anything on that way (``engine.look_ahead``), it is walked in two strides, from
the arrival to the server and from there to the end, and only the times at which its stages end are kept;
:mod:`edgesim.engine.express_rows` derives the rest for many requests at once.  A request that finds its processor busy
or would meet its deadline on the device, and any other plan, takes the general way of
:class:`~edgesim.engine.engine.Engine`.  Both ways share links, processors and queues.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from edgesim.compute.nodes import Device, Node
from edgesim.engine.clock import DELIVERY, Callbacks, Event
from edgesim.engine.endings import END_OF_RUN
from edgesim.engine.express_rows import Books, pack
from edgesim.engine.program import Branch, Give, Piece, Ship
from edgesim.profiling.costs import Seconds
from edgesim.results.request_rows import Columns

if TYPE_CHECKING:
    from edgesim.engine.engine import Engine

ROW_GROUP = 8192


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

    def lane(self, device: Device) -> Lane | None:
        """None where the device's requests must take the general way."""
        engine = self._engine
        if device.plan is None or not (device.sends_ahead and device.ends_ahead) or engine.live is not None:
            return None
        here: tuple[Any, ...] = engine.compiler.program(device, device.root, 0, device.plan).operations
        costs = straight(here, Ship)
        if costs is None or not here[-1].server.serves_ahead:
            return None
        ship: Ship = here[-1]
        there: tuple[Any, ...] = engine.compiler.program(
            ship.server, ship.behind, ship.cut, ship.server.plan
        ).operations
        costs_there = straight(there, Give)
        if costs_there is None:
            return None
        give: Give = there[-1]
        answers = [each.answers for each in there if isinstance(each, Branch) and each.exit == give.exit]
        if give.when is not None or not answers:
            return None
        number = self._books.open(device, ship, give, answers[0])
        return Lane(engine, self._keep, number, device, ship, costs, costs_there)

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


def straight(operations: tuple[Any, ...], last: type) -> tuple[Seconds, ...] | None:
    """What pieces and branches cost that a program runs before its last operation; None where it is another one."""
    if not operations or not isinstance(operations[-1], last):
        return None
    work = operations[:-1]
    if not all(isinstance(each, Piece | Branch) for each in work):
        return None
    return tuple(each.seconds for each in work if each.seconds is not None)


class Lane:
    """The way of one device's requests."""

    __slots__ = (
        "_aborts",
        "_at",
        "_carried_bytes",
        "_costs",
        "_costs_there",
        "_decisions",
        "_decisions_there",
        "_delay_s",
        "_device",
        "_downlink",
        "_encode",
        "_end_s",
        "_engine",
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
        "_uplink",
    )

    def __init__(
        self,
        engine: Engine,
        keep: Callable[[bytes], None],
        number: int,
        device: Device,
        ship: Ship,
        costs: tuple[Seconds, ...],
        costs_there: tuple[Seconds, ...],
    ) -> None:
        server = ship.server
        self._engine, self._keep, self._number = engine, keep, number
        self._device, self._server, self._slot = device, server, server.slot
        self._at: Callable[[float, int, Any], None] = engine.clock.at
        self._end_s, self._aborts = engine.end_s, device.aborts
        self._uplink, self._downlink, self._delay_s = device.uplink, device.downlink, device.uplink.delay_s
        self._sizes, self._carried_bytes, self._result_bytes = ship.sizes, server.carried_bytes, server.result_bytes
        self._decisions, self._decisions_there = device.decision_s, server.decision_s
        self._idle_factor = _idle_factor(device, device.root.model)
        self._idle_factor_there = _idle_factor(server, ship.behind.model)
        self._costs, self._encode = costs, ship.encode
        self._costs_there = costs_there if ship.decode is None else (ship.decode, *costs_there)
        self._on_arrival: Callbacks = (self.arrive,)
        self._on_reach: Callbacks = (self._reach,)

    def arrive(self, event: Event) -> None:
        """A request arrives: book all of its way up to the server."""
        device = self._device
        coming = device.coming
        now, sample, deadline_s, lucks = coming
        number, engine = device.arrived, self._engine
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
        for seconds in self._costs:
            spent_s = seconds(luck) * factor
            t += spent_s
            compute_s += spent_s
        if self._encode is not None:
            encode_s = self._encode(luck) * factor
            t += encode_s
        deadline_at_s = now + deadline_s
        uplink = self._uplink
        if t >= self._end_s or (self._aborts and max(t, uplink.free_s) >= deadline_at_s):
            engine.take(device, coming)
            return
        device.arrived = number + 1
        device.free_s = device.last_end_s = t
        start_s, finish_s = uplink.send(t, self._sizes[sample] + self._carried_bytes)
        way = self._number, number, sample, now, deadline_at_s, decide_s, compute_s, encode_s, t, start_s, finish_s
        reach_s = finish_s + self._delay_s
        if reach_s < self._end_s:
            self._at(reach_s, DELIVERY, Event((way, reach_s, lucks[self._slot]), self._on_reach))
        else:
            self._keep(pack(*way, inf, inf, inf, inf))

    def _reach(self, event: Event) -> None:
        """A request reaches the server: book the rest of its way."""
        way, now, luck = event.subject
        server, decisions = self._server, self._decisions_there
        free_s = server.last_end_s
        begin_s = now if free_s < now else server.line_up(now)
        if begin_s == inf:
            self._keep(pack(*way, inf, inf, inf, inf))
            return
        factor = 1.0 if self._idle_factor_there is None else self._idle_factor_there(begin_s - free_s)
        t = begin_s + decisions[int(luck * len(decisions))]
        for seconds in self._costs_there:
            t += seconds(luck) * factor
        if t < self._end_s:
            server.last_end_s = t
            start_s, finish_s = self._downlink.send(t, self._result_bytes)
        else:
            server.last_end_s = start_s = finish_s = inf
        self._keep(pack(*way, begin_s, t, start_s, finish_s))


def _idle_factor(node: Node, model: str) -> Callable[[float], float] | None:
    costs = node.costs[model]
    return costs.idle_factor if costs.wakes else None
