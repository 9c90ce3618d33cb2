"""One direction of a cell: the shared rate of :class:`~edgesim.network.cell.SharedCell` on the engine's clock."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from edgesim.engine.clock import DELIVERY, Clock, Event
from edgesim.network.cell import SharedCell
from edgesim.network.headers import HeaderMode, wire_bytes
from edgesim.network.rate import RateProcess

Done = Callable[[Any, float, float, float, int], None]
"""(subject, accepted, start, finish, payload bytes) of a transfer; times in seconds, before propagation."""


class CellLink:
    """All transfers of a direction, of all devices of the cell.

    ``bytes``, ``transfers`` count payload and transfers.
    """

    def __init__(
        self, clock: Clock, rate: RateProcess, delay_s: float, header_mode: HeaderMode, window: tuple[float, float]
    ) -> None:
        self.clock, self.delay_s, self.header_mode, self.window = clock, delay_s, header_mode, window
        self.cell: SharedCell[Transfer] = SharedCell(rate)
        self.bytes = self.wire_bytes = self.transfers = 0
        self._busy_s = 0.0
        self._busy_since_s = 0.0
        self._due: Event | None = None

    @property
    def rate(self) -> RateProcess:
        return self.cell.rate

    def send(self, transfer: Transfer) -> None:
        now = self.clock.now
        wire = wire_bytes(transfer.nbytes, self.header_mode)
        if not len(self.cell):
            self._busy_since_s = now
        self.cell.add(now, 8 * wire, transfer)
        self.bytes += transfer.nbytes
        self.wire_bytes += wire
        self.transfers += 1
        self._plan()

    def busy_s(self, now_s: float) -> float:
        """Seconds of ``window`` up to now in which any transfer was under way."""
        return self._busy_s + (self._busy_within(now_s) if len(self.cell) else 0.0)

    def _busy_within(self, until_s: float) -> float:
        low, high = self.window
        return max(0.0, min(until_s, high) - max(self._busy_since_s, low))

    def _plan(self) -> None:
        """Schedule the next end; the one that was scheduled before is void."""
        finish_s = self.cell.next_finish_s()
        self._due = None
        if finish_s is not None and finish_s < inf:
            self._due = Event(None, (self._end,))
            self.clock.at(max(finish_s, self.clock.now), DELIVERY, self._due)

    def _end(self, event: Event) -> None:
        if event is not self._due:
            return
        finish_s = self.cell.next_finish_s()
        assert finish_s is not None
        transfer = self.cell.pop(finish_s)
        if not len(self.cell):
            self._busy_s += self._busy_within(finish_s)
        del transfer.port.under_way[transfer]
        transfer.done(transfer.subject, transfer.start_s, transfer.start_s, finish_s, transfer.nbytes)
        self._plan()


class Transfer:
    """A payload on its way through a cell."""

    __slots__ = ("done", "nbytes", "port", "start_s", "subject")

    def __init__(self, port: CellPort, subject: Any, nbytes: int, start_s: float, done: Done) -> None:
        self.port, self.subject, self.nbytes, self.start_s, self.done = port, subject, nbytes, start_s, done


class CellPort:
    """A device's access to a direction of its cell."""

    __slots__ = ("link", "under_way")

    def __init__(self, link: CellLink) -> None:
        self.link = link
        self.under_way: dict[Transfer, None] = {}

    @property
    def delay_s(self) -> float:
        return self.link.delay_s

    @property
    def rate(self) -> RateProcess:
        return self.link.rate

    @property
    def header_mode(self) -> HeaderMode:
        return self.link.header_mode

    def send(self, subject: Any, nbytes: int, done: Done) -> None:
        transfer = Transfer(self, subject, nbytes, self.link.clock.now, done)
        self.under_way[transfer] = None
        self.link.send(transfer)

    def queued_bytes(self, now_s: float) -> float:
        """Wire bytes of this device that are not sent yet."""
        return sum(self.link.cell.left_bits(now_s, transfer) for transfer in self.under_way) / 8
