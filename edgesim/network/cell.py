"""A cell whose rate all transfers under way share equally."""

from __future__ import annotations

from collections.abc import Hashable
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

from edgesim.network.rate import RateProcess

Flow = TypeVar("Flow", bound=Hashable)


class SharedCell(Generic[Flow]):
    """Processor sharing: each of n flows gets R(t) / n.

    In virtual time V, with dV = R(t) / n dt, every flow is served one bit a unit: a flow of b bits that joins at V
    ends at V + b, whoever joins or leaves later.  The flows are thus a heap by their virtual end, and an event
    costs O(log n).  A state machine without a clock of its own: the caller tells the time, which must not go
    back, and calls ``pop`` at ``next_finish_s`` before it adds anything later.  ``wire_bytes`` and ``transfers``
    count what has joined.
    """

    __slots__ = (
        "_busy_s",
        "_ends",
        "_heap",
        "_next_s",
        "_now_s",
        "_order",
        "_virtual",
        "rate",
        "transfers",
        "wire_bytes",
    )

    def __init__(self, rate: RateProcess):
        self.rate = rate
        self._busy_s = 0.0
        self.wire_bytes = 0.0
        self.transfers = 0
        self._heap: list[tuple[float, int, Flow]] = []
        self._ends: dict[Flow, float] = {}
        self._order = count()
        self._now_s = self._virtual = 0.0
        self._next_s: float | None = None

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, now_s: float, wire_bits: float, flow: Flow) -> None:
        """A transfer of ``wire_bits`` (headers included) joins; ``flow`` names it and must not be under way."""
        self._advance(now_s)
        end = self._virtual + wire_bits
        heappush(self._heap, (end, next(self._order), flow))
        self._ends[flow] = end
        self._next_s = None
        self.wire_bytes += wire_bits / 8
        self.transfers += 1

    def next_finish_s(self) -> float | None:
        """When the next transfer ends unless another joins; None where the cell is empty.

        inf where the rate stays 0 for ever.  Holds the future rate: for the engine, never for a policy's view.
        """
        if self._next_s is None and self._heap:
            bits = (self._heap[0][0] - self._virtual) * len(self._heap)
            self._next_s = self.rate.finish(self._now_s, bits)
        return self._next_s

    def pop(self, now_s: float) -> Flow:
        """The flow that ends at ``now_s``, which is ``next_finish_s``, leaves; of several, the one that came first."""
        end, _, flow = heappop(self._heap)
        self._busy_s += now_s - self._now_s
        self._now_s = now_s
        self._virtual = end if self._heap else 0.0  # exact, and small again whenever the cell empties
        self._next_s = None
        del self._ends[flow]
        return flow

    def left_bits(self, now_s: float, flow: Flow) -> float:
        """Wire bits of a transfer under way that have not been sent: what its device can know."""
        return max(self._ends[flow] - self._virtual_at(now_s), 0.0)

    def busy_until(self, now_s: float) -> float:
        """Seconds up to now (not before the last event) in which something was under way."""
        return self._busy_s + (max(now_s - self._now_s, 0.0) if self._heap else 0.0)

    def _advance(self, now_s: float) -> None:
        self._virtual = self._virtual_at(now_s)
        self._busy_s = self.busy_until(now_s)
        self._now_s = max(now_s, self._now_s)

    def _virtual_at(self, now_s: float) -> float:
        """A clock that adds delays may lag the last end by a rounding error: then nothing has passed."""
        if not self._heap or now_s <= self._now_s:
            return self._virtual
        return self._virtual + self.rate.integral(self._now_s, now_s) / len(self._heap)
