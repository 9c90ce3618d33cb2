"""What becomes of a message on a link: the flights in which its bytes leave, and when they arrive, if they do.

A message is cut into packets of 1,448 payload bytes.  Of a warm connection without losses they all leave at once.  A
cold connection adds round trips before and between them, losses add flights, jitter adds delay.  How long a flight
takes is the link's to say, be it a queue of the device's own or a cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from math import inf, log, sqrt
from typing import NamedTuple, Protocol

import numpy as np

from edgesim.network.headers import HEADER_BYTES, SEGMENT_BYTES, HeaderMode, wire_bytes
from edgesim.workload.random import draws


class Flight(NamedTuple):
    """Bytes that leave in one go.

    The next flight leaves ``rest_s`` after its last bit, and no sooner than ``cycle_s`` after its first one; silent:
    while it waits for that the radio is off.
    """

    wire_bytes: int
    rest_s: float = 0.0
    cycle_s: float = 0.0
    silent: bool = False


class Trip(NamedTuple):
    """flights: at least one.  delay_s: from the end of the last flight to the other side; inf: it was given up."""

    flights: list[Flight]
    delay_s: float


class Packets(NamedTuple):
    """Wire bytes of a message's packets: ``total`` of them, all ``full`` but the last."""

    total: int
    full: int
    last: int

    def between(self, start: int, stop: int) -> int:
        """Wire bytes of packets ``start`` to ``stop`` - 1."""
        if stop <= start:
            return 0
        return (stop - start - 1) * self.full + (self.last if stop == self.total else self.full)


def packets_of(payload_bytes: int, mode: HeaderMode) -> Packets:
    total = max(-(-payload_bytes // SEGMENT_BYTES), 1)
    full = SEGMENT_BYTES + (HEADER_BYTES if mode == "tcp" else 0)
    return Packets(total, full, wire_bytes(payload_bytes, mode) - (total - 1) * full)


class Losses(Protocol):
    def rounds(self, number: int, packets: Packets) -> tuple[list[tuple[int, int]], bool]:
        """For message ``number``: (wire bytes sent, bursts of lost packets) of each round, and whether it was given
        up after the last one."""
        ...


class Connection(Protocol):
    def flights(self, start_s: float, packets: Packets) -> list[Flight]:
        """How a message that starts at ``start_s`` leaves if nothing is lost; the connection grows warmer by it."""
        ...

    def ended(self, finish_s: float) -> None:
        """A message has left."""


class Transport:
    """One direction between a device and its link.

    Messages are numbered from 0 in the order in which they start, and luck is drawn for a number: what a policy sends
    decides which message meets the luck of number k, and nothing else.
    jitter: delays beyond ``delay_s``, a draw for each message.  losses, connection: None for none and a warm one.
    """

    def __init__(
        self,
        header_mode: HeaderMode,
        delay_s: float,
        jitter: Iterator[float] | None = None,
        losses: Losses | None = None,
        connection: Connection | None = None,
    ) -> None:
        self.header_mode, self.delay_s = header_mode, delay_s
        self._jitter, self._losses, self._connection = jitter, losses, connection
        self._number = 0

    def trip(self, start_s: float, payload_bytes: int) -> Trip:
        """What becomes of the next message."""
        delay_s = self.delay_s if self._jitter is None else self.delay_s + next(self._jitter)
        number, self._number = self._number, self._number + 1
        if self._losses is None and self._connection is None:
            return Trip([Flight(wire_bytes(payload_bytes, self.header_mode))], delay_s)
        packets = packets_of(payload_bytes, self.header_mode)
        flights = _flights(self._connection, start_s, packets)
        if self._losses is None:
            return Trip(flights, delay_s)
        rounds, given_up = self._losses.rounds(number, packets)
        round_trip_s = 2 * self.delay_s
        flights[-1] = flights[-1]._replace(rest_s=flights[-1].rest_s + rounds[0][1] * round_trip_s)
        flights += [Flight(sent, bursts * round_trip_s) for sent, bursts in rounds[1:]]
        return Trip(flights, inf if given_up else delay_s)

    def foreseen(self, start_s: float, payload_bytes: int) -> Trip:
        """The next message without losses and jitter: for oracles, which know a link's rate and not its luck."""
        packets = packets_of(payload_bytes, self.header_mode)
        return Trip(_flights(copy(self._connection), start_s, packets), self.delay_s)

    def ended(self, finish_s: float) -> None:
        """A message has left at ``finish_s``."""
        if self._connection is not None:
            self._connection.ended(finish_s)


def _flights(connection: Connection | None, start_s: float, packets: Packets) -> list[Flight]:
    if connection is None:
        return [Flight(packets.between(0, packets.total))]
    return connection.flights(start_s, packets)


def jitter(jitter_s: float, root: int, *key: str | int) -> Iterator[float]:
    """Log-normal delays with mean and standard deviation ``jitter_s``, keyed by (root seed, key, number).

    The shape is assumed: round-trip times have a floor and a long tail.
    """
    sigma = sqrt(log(2))
    mu = log(jitter_s) - sigma**2 / 2
    return draws(lambda rng, size: np.exp(mu + sigma * rng.standard_normal(size)), root, "jitter", *key)
