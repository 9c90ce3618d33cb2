"""What policies see: the views of DESIGN, over the engine's own objects.

One view a node, which shows what the node is deciding on, so that a decision makes no object.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING

from edgesim.outcomes.path import Path
from edgesim.policies.base import Seen

if TYPE_CHECKING:
    from edgesim.compute.nodes import Device, Node
    from edgesim.engine.truth import Truth


class TaskView:
    """The request that a node decides on, as its holder may see it (``policies.base.RequestView``)."""

    __slots__ = ("_exact", "_node")

    def __init__(self, node: Node, deadline_exact: bool) -> None:
        self._node = node
        self._exact = deadline_exact

    @property
    def model(self) -> str:
        return self._node.deciding.place.model

    @property
    def blocks_done(self) -> int:
        return self._node.deciding.blocks

    @property
    def path(self) -> Path:
        return self._node.deciding.place.path

    @property
    def age_s(self) -> float:
        return self._node.now_s - self._node.deciding.request.arrival_s

    @property
    def scores(self) -> Mapping[int, Seen]:
        return {index: Seen(*scores[:4]) for index, scores in self._node.deciding.seen.items()}

    @property
    def time_left_s(self) -> float | None:
        if not self._exact:
            return None
        return self._node.deciding.request.deadline_s - self._node.now_s


class NodeView:
    """What a node can know now (``policies.base.View``)."""

    __slots__ = ("_node", "_truth")

    def __init__(self, node: Node, truth: Truth | None) -> None:
        self._node = node
        self._truth = truth

    @property
    def now_s(self) -> float:
        return self._node.now_s

    @property
    def queue_length(self) -> int:
        return len(self._node.queue)

    @property
    def battery_share(self) -> float | None:
        return None

    @property
    def truth(self) -> Truth:
        if self._truth is None:
            raise AttributeError("only a policy with needs = Needs(truth=True) sees the truth")
        return self._truth


class DeviceView(NodeView):
    """A device's view: its uplink and what servers reported."""

    __slots__ = ()

    _node: Device

    @property
    def queued_bytes(self) -> float:
        return self._node.uplink.queued_bytes(self._node.now_s)

    @property
    def rate_bps(self) -> float:
        self._node.hear_acknowledgements(self._node.now_s)
        return self._node.estimator.rate_bps

    @property
    def battery_share(self) -> float | None:
        meter = self._node.meter
        return None if meter is None or meter.battery is None else meter.battery.share(self._node.now_s)

    def server_wait_s(self, server: str) -> float:
        report = self._node.hear_reports(self._node.now_s).get(server)
        return report[1] if report else 0.0

    def report_age_s(self, server: str) -> float:
        report = self._node.hear_reports(self._node.now_s).get(server)
        return self._node.now_s - report[0] if report else inf


class ServerView(NodeView):
    """A server's view: its own queue.  It has no uplink and waits for nobody."""

    __slots__ = ()

    queued_bytes = 0.0
    rate_bps = inf

    def server_wait_s(self, server: str) -> float:
        return 0.0

    def report_age_s(self, server: str) -> float:
        return 0.0
