"""A cell that serves its transfers in turn, a packet of each."""

from __future__ import annotations

from collections import deque
from typing import Generic

from edgesim.network.cell import Flow
from edgesim.network.rate import RateProcess


class RoundRobinCell(Generic[Flow]):
    """Packet-wise round robin: every flow in turn sends ``quantum_bytes`` at the full rate, the last time what is left.

    Deficit round robin (Shreedhar and Varghese 1995) where no packet is larger than the quantum.  A packet is not
    interrupted, and who joins is last in turn.  As the quantum goes to 0 this becomes processor sharing; with a real
    one n equal flows end one packet after the other instead of all at once.  Each packet is an event of O(1).
    """

    __slots__ = ("_left", "_next_s", "_quantum_bits", "_since_s", "_turns", "rate")

    def __init__(self, rate: RateProcess, quantum_bytes: int):
        self.rate = rate
        self._quantum_bits = 8.0 * quantum_bytes
        self._turns: deque[Flow] = deque()
        self._left: dict[Flow, float] = {}  # bits, the packet on its way included
        self._since_s = 0.0
        self._next_s: float | None = None

    def __len__(self) -> int:
        return len(self._turns)

    def add(self, now_s: float, wire_bits: float, flow: Flow) -> None:
        """A transfer of ``wire_bits`` (headers included) joins; ``flow`` names it and must not be under way."""
        if not self._turns:
            self._since_s = max(now_s, self._since_s)
        self._turns.append(flow)
        self._left[flow] = wire_bits

    def next_event_s(self) -> float | None:
        """When the packet on its way ends: see :class:`~edgesim.network.cell.Cell`."""
        if self._next_s is None and self._turns:
            packet_bits = min(self._left[self._turns[0]], self._quantum_bits)
            self._next_s = self.rate.finish(self._since_s, packet_bits)
        return self._next_s

    def pop(self, now_s: float) -> Flow | None:
        self._since_s, self._next_s = now_s, None
        flow = self._turns.popleft()
        left = self._left[flow] - self._quantum_bits
        if left <= 0:
            del self._left[flow]
            return flow
        self._left[flow] = left
        self._turns.append(flow)
        return None

    def remove(self, now_s: float, flow: Flow) -> None:
        if flow == self._turns[0]:
            self._since_s, self._next_s = now_s, None
        self._turns.remove(flow)
        del self._left[flow]

    def left_bits(self, now_s: float, flow: Flow) -> float:
        left = self._left[flow]
        if flow == self._turns[0] and now_s > self._since_s:
            left = max(left - self.rate.integral(self._since_s, now_s), 0.0)
        return left
