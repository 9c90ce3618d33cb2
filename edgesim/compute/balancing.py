"""Which of a server's replicas a request goes to."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import numpy as np

from edgesim.workload.random import generator

if TYPE_CHECKING:
    from edgesim.engine.request import Request

Rule = Literal["round_robin", "least_work", "two_choices", "random"]
CHUNK = 64


class Replica(Protocol):
    """What a balancer sees of a replica, at the moment at which it picks."""

    @property
    def queue(self) -> Sized: ...
    @property
    def workers(self) -> int: ...
    @property
    def idle_workers(self) -> int: ...


AnyReplica = TypeVar("AnyReplica", bound=Replica)


def load(replica: Replica) -> float:
    """Requests that wait or are in service, a worker."""
    return (len(replica.queue) + replica.workers - replica.idle_workers) / replica.workers


class Balancer(Protocol):
    """Stands before the replicas and sends each request on at once, for good."""

    def pick(self, replicas: Sequence[AnyReplica], request: Request) -> AnyReplica:
        """The replica that serves ``request``, out of those that are there now, at least one."""
        ...


def balancer(rule: Rule, root: int, server: str) -> Balancer:
    """The balancer before the replicas of ``server``; root: of all draws."""
    if rule == "round_robin":
        return RoundRobin()
    if rule == "least_work":
        return LeastWork()
    draws = RequestDraws(root, server)
    return TwoChoices(draws) if rule == "two_choices" else RandomReplica(draws)


class RoundRobin:
    """One after the other."""

    def __init__(self) -> None:
        self._picked = 0

    def pick(self, replicas: Sequence[AnyReplica], request: Request) -> AnyReplica:
        self._picked += 1
        return replicas[(self._picked - 1) % len(replicas)]


class LeastWork:
    """The least loaded, of several the first (join the shortest queue: work is counted in requests)."""

    def pick(self, replicas: Sequence[AnyReplica], request: Request) -> AnyReplica:
        return min(replicas, key=load)


class RequestDraws:
    """A uniform number of each request at one server, the same whenever and in whatever order it is asked for."""

    def __init__(self, root: int, server: str) -> None:
        self._root, self._server = root, server
        self._last: dict[str, tuple[int, np.ndarray]] = {}

    def uniform(self, request: Request) -> float:
        """In [0, 1), keyed by server, device and the request's number."""
        device = request.device.name
        chunk, place = divmod(request.number, CHUNK)
        at, drawn = self._last.get(device, (-1, None))
        if at != chunk or drawn is None:
            drawn = generator(self._root, "balance", self._server, device, chunk).random(CHUNK)
            self._last[device] = chunk, drawn
        return float(drawn[place])


class RandomReplica:
    """Any, all alike."""

    def __init__(self, draws: RequestDraws) -> None:
        self._draws = draws

    def pick(self, replicas: Sequence[AnyReplica], request: Request) -> AnyReplica:
        return replicas[int(self._draws.uniform(request) * len(replicas))]


class TwoChoices:
    """Of two different ones drawn at random the less loaded (Mitzenmacher 2001), of two alike the first drawn."""

    def __init__(self, draws: RequestDraws) -> None:
        self._draws = draws

    def pick(self, replicas: Sequence[AnyReplica], request: Request) -> AnyReplica:
        count = len(replicas)
        if count == 1:
            return replicas[0]
        first, second = divmod(int(self._draws.uniform(request) * count * (count - 1)), count - 1)
        return min(replicas[first], replicas[second + (second >= first)], key=load)
