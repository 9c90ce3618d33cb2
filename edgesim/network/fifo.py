"""A link that sends one transfer after the other."""

from __future__ import annotations

import math
from typing import Any

from edgesim.network.headers import HeaderMode, wire_bytes
from edgesim.network.rate import RateProcess


class FifoLink:
    """First come, first served; what has been accepted is sent, so its finish is known at once.

    delay_s: one-way propagation; times that the link returns are those of bits leaving it, before propagation.
    ``bytes``, ``wire_bytes`` and ``transfers`` count what was accepted, ``delivered_bytes`` the payload that reaches
    the other side before ``end_s``, when the run is over; ``lost_bytes`` were cut off.
    """

    __slots__ = (
        "_bare",
        "_free_s",
        "_idle_s",
        "_left_at_s",
        "_left_bytes",
        "bytes",
        "delay_s",
        "delivered_bytes",
        "end_s",
        "header_mode",
        "lost_bytes",
        "rate",
        "transfers",
        "wire_bytes",
    )

    cancelled_bytes = 0
    takes_back = False

    def __init__(self, rate: RateProcess, delay_s: float, header_mode: HeaderMode, end_s: float = math.inf):
        self.rate = rate
        self.delay_s = delay_s
        self.header_mode = header_mode
        self._bare = header_mode == "none"
        self.end_s = end_s
        self.bytes = self.delivered_bytes = self.lost_bytes = self.wire_bytes = self.transfers = 0
        self._free_s = self._idle_s = 0.0
        self._left_at_s = self._left_bytes = 0.0  # when it was last counted, how much was not sent

    def send(self, now_s: float, payload_bytes: int) -> tuple[float, float]:
        """Accept a transfer now (times must not go back): when its first bit starts and its last bit has left (s).

        The finish is inf where the rate stays 0 for ever.
        """
        wire = payload_bytes if self._bare else wire_bytes(payload_bytes, self.header_mode)
        start_s = self._free_s
        if now_s > start_s:
            self._idle_s += now_s - start_s
            self._left_at_s = start_s = now_s
            self._left_bytes = 0.0
        self._left_bytes += wire
        self._free_s = finish_s = self.rate.finish(start_s, 8 * wire) if start_s < math.inf else math.inf
        self.bytes += payload_bytes
        if finish_s + self.delay_s < self.end_s:
            self.delivered_bytes += payload_bytes
        self.wire_bytes += wire
        self.transfers += 1
        return start_s, finish_s

    def cut_off(self, now_s: float) -> list[Any]:
        """Give up what has not left by now; it stays counted as accepted.  Empty: all ends have been told."""
        if self._free_s > now_s:
            self._free_s = self._left_at_s = now_s
            self._left_bytes = 0.0
        return []

    def gave_up(self, payload_bytes: int, arrival_s: float) -> None:
        """A transfer whose end had been told will not arrive after all."""
        if arrival_s < self.end_s:
            self.delivered_bytes -= payload_bytes
        self.lost_bytes += payload_bytes

    def queued_bytes(self, now_s: float) -> float:
        """Wire bytes accepted and not yet sent.

        This is what a device can know of its queue: the time at which the queue will be empty holds the future
        rate, and stays inside.
        """
        if self._free_s <= now_s:
            return 0.0
        self._left_bytes -= self.rate.integral(self._left_at_s, now_s) / 8
        self._left_at_s = now_s
        return max(self._left_bytes, 0.0)

    def foreseen_s(self, now_s: float, payload_bytes: int) -> float:
        """When a transfer accepted at ``now_s`` would arrive: for oracles."""
        start_s = max(now_s, self._free_s)
        if start_s == math.inf:
            return math.inf
        return self.rate.finish(start_s, 8 * wire_bytes(payload_bytes, self.header_mode)) + self.delay_s

    def busy_until(self, now_s: float) -> float:
        """Seconds spent sending up to now (not before the last send)."""
        return min(now_s, self._free_s) - self._idle_s

    @property
    def free_s(self) -> float:
        """When all that was accepted will have left: for the engine and for oracles, never for a policy's view."""
        return self._free_s
