"""One direction of a cell on the engine's clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import Any, NamedTuple

from edgesim.compute.meter import Way
from edgesim.engine.carried import Carried
from edgesim.engine.clock import DELIVERY, NORMAL, Clock, Event
from edgesim.engine.ports import Done
from edgesim.network.cell import Cell
from edgesim.network.headers import HeaderMode, wire_bytes
from edgesim.network.rate import RateProcess
from edgesim.network.transport import Flight, Transport


class Access(NamedTuple):
    """What a device has of a cell.

    join: (now, wire bits, transfer): a flight of it joins, with the device's share.
    rate, part: alone it would send at ``part`` of ``rate``.
    """

    join: Callable[[float, float, Transfer], None]
    rate: RateProcess
    part: float


class CellLink:
    """All transfers of a direction, of all devices of the cell; ``carried`` counts them."""

    def __init__(self, clock: Clock, cell: Cell[Transfer], window: tuple[float, float], carried: Carried) -> None:
        self.clock, self.cell, self.window, self.carried = clock, cell, window, carried
        self._under_way = 0
        self._busy_s = 0.0
        self._busy_since_s = 0.0
        self._due: Event | None = None

    def begin(self, now_s: float) -> None:
        """A transfer begins."""
        if not self._under_way:
            self._busy_since_s = now_s
        self._under_way += 1

    def end(self, now_s: float) -> None:
        """A transfer has ended."""
        self._under_way -= 1
        if not self._under_way:
            self._busy_s += self._busy_within(now_s)

    def busy_s(self, now_s: float) -> float:
        """Seconds of ``window`` up to now in which any transfer was under way."""
        return self._busy_s + (self._busy_within(now_s) if self._under_way else 0.0)

    def _busy_within(self, until_s: float) -> float:
        low, high = self.window
        return max(0.0, min(until_s, high) - max(self._busy_since_s, low))

    def plan(self) -> None:
        """Schedule what happens next in the cell; what was scheduled before is void."""
        event_s = self.cell.next_event_s()
        self._due = None
        if event_s is not None and event_s < inf:
            self._due = Event(None, (self._happens,))
            self.clock.at(max(event_s, self.clock.now), DELIVERY, self._due)

    def _happens(self, event: Event) -> None:
        if event is not self._due:
            return
        now_s = self.cell.next_event_s()
        assert now_s is not None
        transfer = self.cell.pop(now_s)
        if transfer is not None:
            transfer.port.flown(transfer, now_s)
        self.plan()


class Transfer:
    """A payload on its way through a cell.

    coming: the flights that have not left.  flight: the one under way, with when it began; gone_bytes: those before.
    """

    __slots__ = (
        "accepted_s",
        "air_s",
        "begun",
        "coming",
        "delay_s",
        "done",
        "flight",
        "flight_s",
        "gone_bytes",
        "nbytes",
        "port",
        "start_s",
        "subject",
        "wire_bytes",
    )

    coming: Iterator[Flight]
    flight: Flight | None
    flight_s: float
    start_s: float
    delay_s: float
    air_s: float
    wire_bytes: int

    def __init__(self, port: CellPort, subject: Any, nbytes: int, accepted_s: float, done: Done) -> None:
        self.port, self.subject, self.nbytes, self.accepted_s, self.done = port, subject, nbytes, accepted_s, done
        self.gone_bytes = 0
        self.begun = False
        self.flight = None


class CellPort:
    """A device's access to a direction of its cell.

    in_turn: messages of the device wait for each other, as in a station that contends for the channel with its oldest
    frame; otherwise all that it has accepted are flows of the cell at the same time.  Messages that take part at the
    same time, or are jittered, may overtake each other.

    radio: is told when a transfer of a request begins.
    """

    free_s = 0.0
    radio: Way | None = None

    def __init__(self, link: CellLink, access: Access, transport: Transport, in_turn: bool) -> None:
        self.link, self.access, self.transport = link, access, transport
        self.takes_back = in_turn
        self.accepted: dict[Transfer, None] = {}
        self._sending = 0
        self._air_s = self._air_at_s = 0.0
        self._on_rested = (self._rested,)

    @property
    def rate(self) -> RateProcess:
        return self.access.rate

    @property
    def header_mode(self) -> HeaderMode:
        return self.transport.header_mode

    @property
    def delay_s(self) -> float:
        return self.transport.delay_s

    def send(self, subject: Any, nbytes: int, done: Done) -> None:
        now = self.link.clock.now
        transfer = Transfer(self, subject, nbytes, now, done)
        self.accepted[transfer] = None
        self.link.carried.accept(nbytes)
        if not (self.takes_back and self._sending):
            self._begin(transfer, now)
            self.link.plan()

    def take_back(self, subject: Any) -> int:
        for transfer in self.accepted:
            if transfer.subject is subject and not transfer.begun:
                del self.accepted[transfer]
                self.link.carried.cancel(transfer.nbytes)
                return transfer.nbytes
        return 0

    def queued_bytes(self, now_s: float) -> float:
        return sum(self._unsent(transfer, now_s) for transfer in self.accepted)

    def foreseen_s(self, now_s: float, nbytes: int) -> float:
        flights, delay_s = self.transport.foreseen(now_s, nbytes)
        for flight in flights:
            bits = 8 * flight.wire_bytes / self.access.part
            last_s = self.access.rate.finish(now_s, bits) if now_s < inf else inf
            now_s = max(last_s + flight.rest_s, now_s + flight.cycle_s)
        return now_s + delay_s

    def flown(self, transfer: Transfer, now_s: float) -> None:
        """The flight of a transfer that was under way has left."""
        flight = transfer.flight
        assert flight is not None
        transfer.flight = None
        transfer.gone_bytes += flight.wire_bytes
        next_s = max(now_s + flight.rest_s, transfer.flight_s + flight.cycle_s)
        if next_s > now_s:
            clock = self.link.clock
            clock.at(max(next_s, clock.now), NORMAL, Event((transfer, next_s), self._on_rested))
        else:
            self._fly(transfer, now_s)

    def _rested(self, event: Event) -> None:
        transfer, now_s = event.subject
        if transfer in self.accepted:
            self._fly(transfer, now_s)
            self.link.plan()

    def cut_off(self, now_s: float) -> list[Any]:
        given_up = list(self.accepted)
        for transfer in given_up:
            if transfer.flight is not None and transfer.flight.wire_bytes:
                self.link.cell.remove(now_s, transfer)
            self.link.carried.end(transfer.nbytes, now_s, inf)
        self._on_air(now_s)
        for _ in range(self._sending):
            self.link.end(now_s)
        self._sending = 0
        self.accepted.clear()
        self.link.plan()
        return [transfer.subject for transfer in given_up]

    def _begin(self, transfer: Transfer, now_s: float) -> None:
        flights, transfer.delay_s = self.transport.trip(now_s, transfer.nbytes)
        transfer.coming = iter(flights)
        transfer.begun, transfer.start_s = True, now_s
        self.link.carried.begin(flights)
        self.link.begin(now_s)
        transfer.air_s = self._on_air(now_s)
        self._sending += 1
        transfer.wire_bytes = sum(flight.wire_bytes for flight in flights)
        if self.radio is not None and transfer.subject is not None:
            alone_s = self.foreseen_s(now_s, transfer.nbytes) - self.delay_s
            self.radio.begin(transfer.subject, self.link.clock.now, transfer.wire_bytes, alone_s)
        self._fly(transfer, now_s)

    def _fly(self, transfer: Transfer, now_s: float) -> None:
        """The next flight leaves; after the last one the transfer has ended."""
        flight = next(transfer.coming, None)
        if flight is None:
            self._end(transfer, now_s)
            return
        transfer.flight, transfer.flight_s = flight, now_s
        if flight.wire_bytes:
            self.access.join(now_s, 8 * flight.wire_bytes, transfer)
        else:
            self.flown(transfer, now_s)

    def _end(self, transfer: Transfer, now_s: float) -> None:
        air_s = self._on_air(now_s) - transfer.air_s
        self._sending -= 1
        del self.accepted[transfer]
        self.transport.ended(now_s)
        self.link.end(now_s)
        self.link.carried.end(transfer.nbytes, now_s, transfer.delay_s)
        transfer.done(
            transfer.subject,
            transfer.accepted_s,
            transfer.start_s,
            now_s,
            transfer.nbytes,
            transfer.delay_s,
            air_s,
            transfer.wire_bytes,
        )
        if self.takes_back and self.accepted:
            self._begin(next(iter(self.accepted)), now_s)

    def _on_air(self, now_s: float) -> float:
        """Seconds up to now in which the device was sending, divided among its transfers of the moment."""
        if self._sending:
            self._air_s += (now_s - self._air_at_s) / self._sending
        self._air_at_s = now_s
        return self._air_s

    def _unsent(self, transfer: Transfer, now_s: float) -> float:
        left: float = wire_bytes(transfer.nbytes, self.header_mode) - transfer.gone_bytes
        if transfer.flight is not None and transfer.flight.wire_bytes:
            left -= transfer.flight.wire_bytes - self.link.cell.left_bits(now_s, transfer) / 8
        return max(left, 0.0)
