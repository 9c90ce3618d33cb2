"""What policies see: the views of DESIGN, over the engine's own objects.

One view a node, bound anew for each decision, so that a decision makes no object.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING

from edgesim.outcomes.path import Path
from edgesim.policies.base import Seen

if TYPE_CHECKING:
    from edgesim.compute.nodes import Device, Node
    from edgesim.engine.request import Task
    from edgesim.engine.truth import Truth


class TaskView:
    """A request as its holder may see it (``policies.base.RequestView``)."""

    __slots__ = ("_exact", "now_s", "task")

    task: Task
    now_s: float

    def __init__(self, deadline_exact: bool) -> None:
        self._exact = deadline_exact

    @property
    def model(self) -> str:
        return self.task.place.model

    @property
    def blocks_done(self) -> int:
        return self.task.blocks

    @property
    def path(self) -> Path:
        return self.task.place.path

    @property
    def age_s(self) -> float:
        return self.now_s - self.task.request.arrival_s

    @property
    def scores(self) -> Mapping[int, Seen]:
        return {index: Seen(*scores[:4]) for index, scores in self.task.seen.items()}

    @property
    def time_left_s(self) -> float | None:
        if not self._exact:
            return None
        return self.task.request.deadline_s - self.now_s


class NodeView:
    """What a node can know now (``policies.base.View``)."""

    __slots__ = ("_truth", "node", "now_s")

    now_s: float

    def __init__(self, node: Node, truth: Truth | None) -> None:
        self.node = node
        self._truth = truth

    @property
    def queue_length(self) -> int:
        return len(self.node.queue)  # type: ignore[attr-defined]

    @property
    def truth(self) -> Truth:
        if self._truth is None:
            raise AttributeError("only a policy with needs = Needs(truth=True) sees the truth")
        return self._truth


class DeviceView(NodeView):
    """A device's view: its uplink and what servers reported."""

    __slots__ = ()

    node: Device

    @property
    def queued_bytes(self) -> float:
        return self.node.uplink.queued_bytes(self.now_s)

    @property
    def rate_bps(self) -> float:
        device = self.node
        acknowledged = device.acknowledged
        while acknowledged and acknowledged[0][0] <= self.now_s:
            _, bits, seconds = acknowledged.popleft()
            device.estimator.observe(bits, seconds)
        return device.estimator.rate_bps

    def server_wait_s(self, server: str) -> float:
        report = self.node.reports.get(server)
        return report[1] if report else 0.0

    def report_age_s(self, server: str) -> float:
        report = self.node.reports.get(server)
        return self.now_s - report[0] if report else inf


class ServerView(NodeView):
    """A server's view: its own queue.  It has no uplink and waits for nobody."""

    __slots__ = ()

    queued_bytes = 0.0
    rate_bps = inf

    def server_wait_s(self, server: str) -> float:
        return 0.0

    def report_age_s(self, server: str) -> float:
        return 0.0


