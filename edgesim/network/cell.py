"""A cell whose rate all transfers under way share at the same time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import Generic, NamedTuple, Protocol, TypeVar

from edgesim.network.rate import RateProcess

Flow = TypeVar("Flow", bound=Hashable)


class Share(NamedTuple):
    """What a flow gets of its cell, which serves it ``speed`` x R(t) / (sum of all loads) bits a second.

    (1, 1): an equal part.  (w, w): a part by weight.  (r, 1): an equal part of the time, at a rate r of its own.
    (1, 1 / r): as many bits as the others, though at rate r they take it more of the time.
    (0, 0): nothing for now, and in nobody's way.
    """

    speed: float = 1.0
    load: float = 1.0


EQUAL = Share()


class Cell(Protocol[Flow]):
    """A state machine without a clock of its own.

    The caller tells the time, which must not go back, and calls ``pop`` at ``next_event_s`` before it adds anything
    later.
    """

    @property
    def rate(self) -> RateProcess: ...
    def __len__(self) -> int: ...
    def next_event_s(self) -> float | None:
        """When something happens next unless another flow joins; None where the cell is empty, inf if never.

        Holds the future rate: for the engine, never for a policy's view.
        """
        ...

    def pop(self, now_s: float) -> Flow | None:
        """Let happen what happens at ``now_s``, which is ``next_event_s``: the flow that ends, if one does."""
        ...

    def remove(self, now_s: float, flow: Flow) -> None:
        """A transfer under way is given up."""
        ...

    def left_bits(self, now_s: float, flow: Flow) -> float:
        """Wire bits of a transfer under way that have not been sent: what its device can know."""
        ...


class SharedCell(Generic[Flow]):
    """Generalised processor sharing (Parekh and Gallager 1993): see :class:`Share` for what each flow gets.

    In virtual time V, with dV = e(n) R(t) / (sum of loads) dt, a flow is served ``speed`` bits a unit: one of b bits
    that joins at V ends at V + b / speed, whoever joins or leaves later.  The flows are thus a heap by their virtual
    end, and an event costs O(log n).  Of several that end at once the one that came first leaves first.
    efficiency: e(n), the part of the rate that is left where n flows contend (1: nothing is lost).
    """

    __slots__ = (
        "_contending",
        "_efficiency",
        "_flows",
        "_heap",
        "_load",
        "_next_s",
        "_now_s",
        "_order",
        "_virtual",
        "rate",
    )

    def __init__(self, rate: RateProcess, efficiency: Callable[[int], float] | None = None):
        self.rate = rate
        self._efficiency = efficiency
        self._heap: list[tuple[float, int, Flow]] = []
        self._flows: dict[Flow, _Place] = {}
        self._order = count()
        self._now_s = self._virtual = self._load = 0.0
        self._contending = 0
        self._next_s: float | None = None

    def __len__(self) -> int:
        return len(self._flows)

    def add(self, now_s: float, wire_bits: float, flow: Flow, share: Share = EQUAL) -> None:
        """A transfer of ``wire_bits`` (headers included) joins; ``flow`` names it and must not be under way."""
        self._advance(now_s)
        self._put(flow, wire_bits, next(self._order), share)

    def change(self, now_s: float, flow: Flow, share: Share) -> None:
        """From now on ``flow`` gets another share."""
        self._advance(now_s)
        place = self._flows[flow]
        left = self._left(place, self._virtual)
        self._drop(flow)
        self._put(flow, left, place.order, share)
        if len(self._heap) > 2 * len(self._flows) + 64:
            self._heap = [(each.end, each.order, flow) for flow, each in self._flows.items()]
            heapify(self._heap)

    def next_event_s(self) -> float | None:
        if self._next_s is None and self._flows:
            end = self._first().end
            bits = (end - self._virtual) * self._load / self._useful() if end < inf else inf
            self._next_s = self.rate.finish(self._now_s, bits) if bits < inf else inf
        return self._next_s

    def pop(self, now_s: float) -> Flow | None:
        self._first()
        end, _, flow = heappop(self._heap)
        self._drop(flow)
        self._now_s = now_s
        self._virtual = end if self._flows else 0.0  # exact, and small again whenever the cell empties
        return flow

    def remove(self, now_s: float, flow: Flow) -> None:
        self._advance(now_s)
        self._drop(flow)
        if not self._flows:
            self._heap.clear()
            self._virtual = 0.0

    def left_bits(self, now_s: float, flow: Flow) -> float:
        return max(self._left(self._flows[flow], self._virtual_at(now_s)), 0.0)

    def _put(self, flow: Flow, bits: float, order: int, share: Share) -> None:
        end = self._virtual + bits / share.speed if share.speed else inf
        self._flows[flow] = _Place(end, order, share, bits)
        heappush(self._heap, (end, order, flow))
        self._load += share.load
        self._contending += share.load > 0
        self._next_s = None

    def _drop(self, flow: Flow) -> None:
        load = self._flows.pop(flow).share.load
        self._contending -= load > 0
        self._load = self._load - load if self._contending else 0.0
        self._next_s = None

    def _first(self) -> _Place:
        """The flow that ends first; what the heap still holds of earlier shares is thrown away."""
        while True:
            end, order, flow = self._heap[0]
            place = self._flows.get(flow)
            if place is not None and (place.end, place.order) == (end, order):
                return place
            heappop(self._heap)

    def _left(self, place: _Place, virtual: float) -> float:
        return (place.end - virtual) * place.share.speed if place.share.speed else place.bits

    def _useful(self) -> float:
        return 1.0 if self._efficiency is None else self._efficiency(self._contending)

    def _advance(self, now_s: float) -> None:
        self._virtual = self._virtual_at(now_s)
        self._now_s = max(now_s, self._now_s)

    def _virtual_at(self, now_s: float) -> float:
        """A clock that adds delays may lag the last end by a rounding error: then nothing has passed."""
        if not self._contending or now_s <= self._now_s:
            return self._virtual
        return self._virtual + self.rate.integral(self._now_s, now_s) * self._useful() / self._load


class _Place(NamedTuple):
    """Where a flow stands: its virtual end, its turn among equals, its share, and its bits when it got that share."""

    end: float
    order: int
    share: Share
    bits: float
