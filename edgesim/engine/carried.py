"""Bytes that a link was given, and what has become of them."""

from __future__ import annotations

from math import inf

from edgesim.network.transport import Flight


class Carried:
    """Counts of one direction of a link over the whole run.

    bytes, transfers: what it was given.  wire_bytes: what it sends for that, headers and repetitions included.
    Of the payload, ``delivered_bytes`` reach the other side, ``lost_bytes`` are given up and ``cancelled_bytes`` are
    taken back before they begin to leave, all that before the run is over (``end_s``); the rest is in flight then.
    """

    __slots__ = ("bytes", "cancelled_bytes", "delivered_bytes", "end_s", "lost_bytes", "transfers", "wire_bytes")

    def __init__(self, end_s: float) -> None:
        self.end_s = end_s
        self.bytes = self.wire_bytes = self.transfers = 0
        self.delivered_bytes = self.lost_bytes = self.cancelled_bytes = 0

    def accept(self, payload_bytes: int) -> None:
        """The link is given a message."""
        self.bytes += payload_bytes
        self.transfers += 1

    def begin(self, flights: list[Flight]) -> None:
        """A message begins to leave, in these flights."""
        self.wire_bytes += sum(flight.wire_bytes for flight in flights)

    def gave_up(self, payload_bytes: int, arrival_s: float) -> None:
        """A message whose end had been told will not arrive after all."""
        if arrival_s < self.end_s:
            self.delivered_bytes -= payload_bytes
        self.lost_bytes += payload_bytes

    def end(self, payload_bytes: int, finish_s: float, delay_s: float) -> None:
        """It has left or, with a ``delay_s`` of inf, been given up, at ``finish_s``."""
        if delay_s == inf:
            self.lost_bytes += payload_bytes if finish_s < self.end_s else 0
        elif finish_s + delay_s < self.end_s:
            self.delivered_bytes += payload_bytes

    def cancel(self, payload_bytes: int) -> None:
        """It is taken back before it began."""
        self.cancelled_bytes += payload_bytes
