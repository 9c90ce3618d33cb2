"""Connections that must be opened, and that start slowly."""

from __future__ import annotations

from math import inf

from edgesim.network.transport import Flight, Packets

INITIAL_WINDOW = 10
"""Packets in the first flight (RFC 6928)."""


class ColdConnection:
    """Handshake and slow start (RFC 5681).

    Of a cold connection the first packet follows ``handshake_rtts`` round trips; then flights of 10, 20, 40, ...
    packets leave, a round trip after each other or as soon as the link has sent the one before.  From where the link
    is never idle between two flights the rate alone rules, as with a warm connection.  After ``idle_s`` without a
    message it is cold again: opened anew, with the first window (RFC 5681 restarts the window after one
    retransmission timeout; that the connection is closed as well is assumed).

    Simpler than TCP: the window has no upper bound and losses do not shrink it, acknowledgements all come at once, and
    all messages of a device and a direction share a connection, whichever server they go to.
    """

    def __init__(self, round_trip_s: float, handshake_rtts: int, idle_s: float) -> None:
        self._round_trip_s, self._handshake_rtts, self._idle_s = round_trip_s, handshake_rtts, idle_s
        self._window = INITIAL_WINDOW
        self._used_s = -inf

    def flights(self, start_s: float, packets: Packets) -> list[Flight]:
        """See :class:`~edgesim.network.transport.Connection`."""
        flights = []
        if start_s - self._used_s > self._idle_s:
            self._window = INITIAL_WINDOW
            if self._handshake_rtts:
                flights.append(Flight(0, self._handshake_rtts * self._round_trip_s))
        self._used_s = start_s
        sent = 0
        while sent < packets.total:
            following = min(sent + self._window, packets.total)
            last = following == packets.total
            flights.append(Flight(packets.between(sent, following), 0.0, 0.0 if last else self._round_trip_s))
            if following - sent == self._window:
                self._window *= 2
            sent = following
        return flights

    def ended(self, finish_s: float) -> None:
        """A message has left."""
        self._used_s = max(self._used_s, finish_s)
