"""What a scenario says of a server's queue, door and workers, put into the server."""

from __future__ import annotations

from edgesim.compute.admission import Admission, DeadlineLimit, WaitLimit
from edgesim.compute.balancing import Balancer, balancer
from edgesim.compute.nodes import Server
from edgesim.compute.server_queue import server_queue
from edgesim.engine.clock import Clock
from edgesim.engine.near import NearestReplica
from edgesim.engine.scheduled import share_workers
from edgesim.scenario.servers import Server as Spec


def furnish(server: Server, spec: Spec) -> None:
    """Queue, admission and scheduler."""
    server.queue = server_queue(spec.queue.order, spec.queue.bound)
    server.admission = _admission(spec)
    if spec.scheduler.type == "processor_sharing":
        share_workers(server)
    elif spec.scheduler.type == "imprecise":
        server.quantum = spec.scheduler.quantum


def chooses(spec: Spec) -> bool:
    """Whether such a server does more than to serve who comes first."""
    plain = Spec()
    return (spec.queue, spec.admission, spec.scheduler) != (plain.queue, plain.admission, plain.scheduler)


def build_balancer(spec: Spec, root: int, name: str, clock: Clock) -> Balancer:
    """What stands before the replicas of a server."""
    return NearestReplica(clock) if spec.balance == "nearest" else balancer(spec.balance, root, name)


def _admission(spec: Spec) -> Admission | None:
    if spec.admission is None:
        return None
    return WaitLimit(spec.admission.max_wait_ms / 1e3) if spec.admission.type == "max_wait" else DeadlineLimit()
