"""A link of a device's own on which messages get lost, are jittered, or need a connection."""

from __future__ import annotations

from collections import deque
from math import inf
from typing import Any, NamedTuple

from edgesim.engine.carried import Carried
from edgesim.engine.clock import Clock
from edgesim.engine.ports import Done
from edgesim.network.headers import HeaderMode, wire_bytes
from edgesim.network.rate import RateProcess
from edgesim.network.transport import Flight, Transport


class FifoPort:
    """One message after the other, each in its flights; the next one waits for the last of them.

    Messages arrive in the order in which they were sent: one that jitter would let overtake arrives with the one
    before it, as over one connection.
    """

    takes_back = False

    __slots__ = ("_clock", "_messages", "_reached_s", "carried", "free_s", "rate", "transport")

    def __init__(self, clock: Clock, rate: RateProcess, transport: Transport, carried: Carried) -> None:
        self._clock, self.rate, self.transport, self.carried = clock, rate, transport, carried
        self.free_s = self._reached_s = 0.0
        self._messages: deque[_Message] = deque()

    @property
    def header_mode(self) -> HeaderMode:
        return self.transport.header_mode

    @property
    def delay_s(self) -> float:
        return self.transport.delay_s

    def send(self, subject: Any, nbytes: int, done: Done) -> None:
        now = self._clock.now
        start_s = max(now, self.free_s)
        flights, delay_s = self.transport.trip(start_s, nbytes)
        self.carried.accept(nbytes)
        self.carried.begin(flights)
        passed, finish_s, air_s = self._fly(start_s, flights)
        self.free_s = finish_s
        self._messages.append(_Message(wire_bytes(nbytes, self.header_mode), passed, finish_s))
        if finish_s == inf:
            done(subject, now, start_s, inf, nbytes, delay_s, 0.0, 0)
            return
        self.transport.ended(finish_s)
        if delay_s < inf:
            self._reached_s = max(self._reached_s, finish_s + delay_s)
            delay_s = self._reached_s - finish_s
        self.carried.end(nbytes, finish_s, delay_s)
        wire = sum(flight.wire_bytes for flight in flights)
        done(subject, now, start_s, finish_s, nbytes, delay_s, air_s, wire)

    def take_back(self, subject: Any) -> int:
        return 0

    def cut_off(self, now_s: float) -> list[Any]:
        self.free_s = min(self.free_s, now_s)
        self._messages.clear()
        return []

    def gave_up(self, payload_bytes: int, arrival_s: float) -> None:
        self.carried.gave_up(payload_bytes, arrival_s)

    def queued_bytes(self, now_s: float) -> float:
        messages = self._messages
        while messages and messages[0].finish_s <= now_s:
            messages.popleft()
        return sum(max(each.wire_bytes - self._sent(each, now_s), 0.0) for each in messages)

    def foreseen_s(self, now_s: float, nbytes: int) -> float:
        start_s = max(now_s, self.free_s)
        flights, delay_s = self.transport.foreseen(start_s, nbytes)
        return self._fly(start_s, flights)[1] + delay_s

    def _fly(self, start_s: float, flights: list[Flight]) -> tuple[list[_Passed], float, float]:
        """The flights with their times, when the next message may start, and seconds on the air."""
        passed, air_s = [], 0.0
        for flight in flights:
            last_s = self.rate.finish(start_s, 8 * flight.wire_bytes) if start_s < inf else inf
            passed.append(_Passed(start_s, last_s, flight.wire_bytes))
            over_s = last_s + flight.rest_s
            next_s = max(over_s, start_s + flight.cycle_s)
            air_s += (over_s if flight.silent else next_s) - start_s
            start_s = next_s
        return passed, start_s, air_s

    def _sent(self, message: _Message, now_s: float) -> float:
        """Bytes of a message that have left by now, repetitions included."""
        sent = 0.0
        for first_s, last_s, nbytes in message.passed:
            if first_s >= now_s:
                break
            sent += nbytes if last_s <= now_s else self.rate.integral(first_s, now_s) / 8
        return sent


class _Passed(NamedTuple):
    first_s: float
    last_s: float
    wire_bytes: int


class _Message(NamedTuple):
    wire_bytes: int
    passed: list[_Passed]
    finish_s: float
