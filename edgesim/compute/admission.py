"""Whom a server turns away at its door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S

if TYPE_CHECKING:
    from edgesim.engine.request import Request


class Admission(Protocol):
    """Decides when a request arrives; whoever is admitted is served, whatever comes later."""

    def admit(self, request: Request, wait_s: float, service_s: float, now_s: float) -> bool:
        """Whether the request may come in.

        wait_s, service_s: what the server expects it to wait and to take, by the mean service so far.  Both are 0
        before anything has been served, so that the first requests all come in.
        """
        ...


@dataclass(frozen=True, slots=True)
class WaitLimit:
    """Turns away who would wait longer than ``max_wait_s``."""

    max_wait_s: float

    def admit(self, request: Request, wait_s: float, service_s: float, now_s: float) -> bool:
        return wait_s <= self.max_wait_s


@dataclass(frozen=True, slots=True)
class DeadlineLimit:
    """Turns away who would not be done by the deadline.

    Only this server counts: the way back to the device, which it does not know, may still make the answer late.
    """

    def admit(self, request: Request, wait_s: float, service_s: float, now_s: float) -> bool:
        return now_s + wait_s + service_s <= request.deadline_s + ON_TIME_TOLERANCE_S
