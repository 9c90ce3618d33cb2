"""What the life of a request needs of a runtime, and the events that it schedules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

Callbacks = tuple[Callable[[Any], None], ...]


def _nothing(event: Any) -> None:
    pass


REVOKED: Callbacks = (_nothing,)
"""The callbacks of an event that must not happen any more."""

DELIVERY, NORMAL, ARRIVAL = 0, 1, 2
"""Order of events at one instant: deliveries, then deadlines and all else, then arrivals."""


class Clock(Protocol):
    """The time, and events at a later time: simpy's is :class:`edgesim.engine.simpy_clock.SimpyClock`."""

    @property
    def now(self) -> float: ...
    def at(self, time_s: float, priority: int, event: Any) -> None:
        """Let ``event`` happen at ``time_s``, which is not in the past."""

    def step(self) -> None: ...
    def peek(self) -> float: ...
    def pending(self) -> Iterable[Any]:
        """All events that are to come, in no order."""


class Event:
    """Something that happens once, about ``subject``."""

    __slots__ = ("_ok", "callbacks", "subject")

    callbacks: Callbacks | None

    def __init__(self, subject: Any, callbacks: Callbacks) -> None:
        self._ok = True
        self.subject = subject
        self.callbacks = callbacks
