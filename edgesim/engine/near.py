"""Servers near base stations: a moving device's requests go to the one beside the station that serves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgesim.engine.clock import Clock

if TYPE_CHECKING:
    from edgesim.engine.request import Request


class NearestReplica:
    """A balancer: the replica that is named by the site which serves the device when its bytes arrive.

    The first one where the site names none, or the device's link has no sites.  A request that is served elsewhere when
    its device moves on ends there; its answer takes the device's new way at once, what carries it between stations is
    not simulated.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def pick(self, replicas: Sequence[Any], request: Request) -> Any:
        near = request.device.near
        name = near(self._clock.now) if near is not None else None
        return next((replica for replica in replicas if replica.name == name), replicas[0])
