"""Nodes: places that compute.  Devices hold requests of their own; servers serve what is sent to them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from edgesim.compute.server_queue import FifoQueue, ServerQueue
from edgesim.network.headers import wire_bytes
from edgesim.profiling.costs import Costs

if TYPE_CHECKING:
    from edgesim.compute.admission import Admission
    from edgesim.compute.balancing import Balancer
    from edgesim.compute.batching import Batching
    from edgesim.compute.device_queue import DeviceQueue
    from edgesim.compute.meter import Meter
    from edgesim.engine.clock import Event
    from edgesim.engine.places import Place
    from edgesim.engine.program import Program
    from edgesim.engine.request import Task
    from edgesim.network.cell import SharedCell
    from edgesim.network.estimators import Estimator
    from edgesim.outcomes.path import Path
    from edgesim.policies.base import Policy
    from edgesim.policies.steps import Step
    from edgesim.workload.requests import Coming


Report = tuple[float, float]
"""(when a server made it, the wait in seconds that it told)."""


class Node:
    """What devices and servers share.

    costs: by model.  policy: None where decisions come from outside (``Engine.next_decision``).
    plan: the steps of every request, where the policy says so beforehand; it looks at nothing then.
    decision_s: measured decision times, one of which each decision draws.  aborts: what happens at the deadline.
    programs: plans made ready, by identity, place and blocks run before.
    slot: where a request keeps its luck at this node.  deciding, now_s: the task that its views show, and when.
    last_end_s: when the node last computed.  busy_s, served: worker seconds and services within the measured window.
    queue_area_s: seconds that requests have waited in its queue within the window.
    entry: the server where routes of what it sends begin: a device's own, a server itself; empty: none.
    away: why it is not there, while it is not; left: why it was not the last time, and away_since_s: since when.
    away_s: how long it was not there, within the window.
    """

    __slots__ = (
        "aborts",
        "away",
        "away_s",
        "away_since_s",
        "busy_s",
        "costs",
        "decision_s",
        "deciding",
        "entry",
        "is_device",
        "last_end_s",
        "left",
        "name",
        "now_s",
        "plan",
        "policy",
        "programs",
        "queue",
        "queue_area_s",
        "queue_max",
        "request_view",
        "served",
        "slot",
        "view",
    )

    queue: Any
    request_view: Any
    view: Any
    deciding: Task
    now_s: float

    def __init__(
        self, name: str, slot: int, is_device: bool, costs: Mapping[str, Costs], policy: Policy | None, aborts: bool
    ) -> None:
        self.name, self.slot, self.is_device = name, slot, is_device
        self.costs, self.policy, self.aborts = costs, policy, aborts
        self.plan: tuple[Step, ...] | None = None
        self.decision_s: list[float] = [0.0]
        self.entry = ""
        self.away: list[str] = []
        self.left = ""
        self.away_s = self.away_since_s = 0.0
        self.programs: dict[tuple[int, Place, int], Program] = {}
        self.last_end_s = -inf
        self.busy_s = 0.0
        self.served = 0
        self.queue_max = 0
        self.queue_area_s = 0.0


class Device(Node):
    """An IoT device: one processor, a queue, a radio, a stream of requests.

    requests: what is still to come.  coming: the next of them.
    free_s: when its processor is, or will be, free; infinite while that is not known.  releasing: whether an event
    stands at that time, as somebody waits for it.
    sends_ahead, ends_ahead: whether a send, or a request's end, may be booked before its time, as nobody could see or
    change anything meanwhile: see ``engine.look_ahead``.
    reports: by server, (when it was made, the wait it told).  coming_reports: those that are on their way, (when they
    arrive, server, report).
    acknowledged: transfers whose end is not known yet, (when it will be, payload bytes, seconds).
    timeout_s: how long it waits for an answer before it goes on alone.  priority: of its requests at servers.
    near: the server beside the base station that serves it at a time, where its link has some.
    compute_w, send_w, receive_w: power above idle.  meter: counts what the radio spends, where that is more than fixed
    watts, or where transfers may be broken off; otherwise None.
    up_busy_s, down_busy_s: transfer time on links of its own.
    """

    __slots__ = (
        "acknowledged",
        "arrived",
        "coming",
        "coming_reports",
        "compute_w",
        "down_busy_s",
        "downlink",
        "ends_ahead",
        "estimator",
        "free_s",
        "learns",
        "meter",
        "near",
        "priority",
        "receive_w",
        "releasing",
        "reports",
        "requests",
        "root",
        "send_w",
        "sends_ahead",
        "timeout_s",
        "up_busy_s",
        "uplink",
    )

    queue: DeviceQueue
    uplink: Any
    downlink: Any
    estimator: Estimator
    requests: Iterator[Coming]
    coming: Coming
    compute_w: float
    send_w: float
    receive_w: float
    root: Any

    def __init__(
        self, name: str, costs: Mapping[str, Costs], policy: Policy | None, aborts: bool, learns: bool
    ) -> None:
        super().__init__(name, 0, True, costs, policy, aborts)
        self.free_s = 0.0
        self.releasing = self.sends_ahead = self.ends_ahead = False
        self.arrived = 0
        self.timeout_s = inf
        self.priority = 0
        self.near: Callable[[float], str | None] | None = None
        self.learns = learns
        self.compute_w = self.send_w = self.receive_w = 0.0
        self.meter: Meter | None = None
        self.up_busy_s = self.down_busy_s = 0.0
        self.reports: dict[str, Report] = {}
        self.coming_reports: deque[tuple[float, str, Report]] = deque()
        self.acknowledged: deque[tuple[float, int, float]] = deque()

    def hear_reports(self, now_s: float) -> dict[str, Report]:
        """The last report of each server that has arrived by now."""
        coming = self.coming_reports
        while coming and coming[0][0] <= now_s:
            _, server, report = coming.popleft()
            self.reports[server] = report
        return self.reports

    def hear_acknowledgements(self, now_s: float) -> None:
        """Tell the estimator of the transfers that are known to have ended by now."""
        acknowledged, observe, mode = self.acknowledged, self.estimator.observe, self.uplink.header_mode
        while acknowledged and acknowledged[0][0] <= now_s:
            _, payload_bytes, seconds = acknowledged.popleft()
            observe(8 * wire_bytes(payload_bytes, mode), seconds)


class Server(Node):
    """An edge server: k workers and one queue.

    carried_bytes: what is sent along with each request: see ``World``.
    serves_ahead: whether all that becomes of a request here may be booked when it comes, as nobody could see or change
    anything meanwhile: see ``engine.look_ahead``.  begins_s: when those begin that wait, if that is so.
    admission: whom it turns away.  quantum, accuracy: of imprecise computation; accuracy by model, (path, exit).
     sharing, shared, due: its tasks, where all are served at once, what work each
    brought, and the event at which the next one ends.
    replicas, balancer: what stands behind a server that only hands requests on.  front: that server, for a replica, or
    itself; role: the front's name, which is the one that policies know.
    """

    __slots__ = (
        "accuracy",
        "admission",
        "balancer",
        "batches",
        "batching",
        "begins_s",
        "carried_bytes",
        "due",
        "front",
        "idle_workers",
        "quantum",
        "replicas",
        "result_bytes",
        "role",
        "service_s",
        "services",
        "serves_ahead",
        "shared",
        "sharing",
        "workers",
    )

    def __init__(
        self,
        name: str,
        slot: int,
        costs: Mapping[str, Costs],
        policy: Policy | None,
        aborts: bool,
        workers: int,
        result_bytes: int,
        batching: Batching | None,
    ) -> None:
        super().__init__(name, slot, False, costs, policy, aborts)
        self.workers = self.idle_workers = workers
        self.result_bytes = result_bytes
        self.carried_bytes = 0
        self.batching = batching
        self.queue: ServerQueue = FifoQueue(inf)
        self.admission: Admission | None = None
        self.quantum: float | None = None
        self.accuracy: dict[str, Mapping[tuple[Path, int], float]] = {}
        self.sharing: SharedCell[Task] | None = None
        self.shared: dict[Task, float] = {}
        self.due: Event | None = None
        self.serves_ahead = False
        self.begins_s: deque[float] = deque()
        self.front = self
        self.role = self.entry = name
        self.replicas: Sequence[Server] = ()
        self.balancer: Balancer | None = None
        self.batches = self.services = 0
        self.service_s = 0.0

    def line_up(self, now_s: float) -> float:
        """When the only worker begins with what comes now, if it serves ahead."""
        free_s = self.last_end_s
        if free_s < now_s:
            return now_s
        waiting = self.begins_s  # who begins now still waits: deliveries of an instant come before ends of services
        while waiting and waiting[0] < now_s:
            waiting.popleft()
        waiting.append(free_s)
        if len(waiting) > self.queue_max:
            self.queue_max = len(waiting)
        return free_s

    def mean_service_s(self) -> float:
        """Of what has been served so far; 0 before."""
        return self.service_s / self.services if self.services else 0.0

    def expected_wait_s(self) -> float:
        """What a request that came now would wait, by the mean service so far: the load report.

        The requests in service are taken to be half done.  Of replicas, the one with the shortest wait counts.
        """
        if self.replicas:
            return min(replica.expected_wait_s() for replica in self.replicas)
        if self.idle_workers or not self.services:
            return 0.0
        return (len(self.queue) + 0.5) * self.service_s / self.services / self.workers
