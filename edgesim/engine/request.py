"""Requests, and what a node holds of them."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from edgesim.engine.clock import Callbacks
from edgesim.outcomes.scores import Scores

if TYPE_CHECKING:
    from edgesim.compute.nodes import Device, Node, Server
    from edgesim.engine.places import Place
    from edgesim.engine.program import Operation, Ship
    from edgesim.engine.routes import Route
    from edgesim.workload.requests import Coming

(
    DEVICE_WAIT,
    DECIDE,
    COMPUTE,
    ENCODE,
    UPLINK_WAIT,
    UPLINK,
    PROPAGATION,
    SERVER_WAIT,
    SERVER,
    DOWNLINK_WAIT,
    DOWNLINK,
    ENERGY,
    WASTED_S,
    WASTED_J,
    SPENT_S,
) = range(15)
"""Positions in :attr:`Request.sums`."""
_ZERO = [0.0] * 15

GivenAnswer = tuple[float, int, str, int, Scores]
"""(absolute time at the device, depth, model, exit, scores)."""


class Request:
    """One sample at one device, with an arrival and a deadline, and what has become of it so far.

    deadline_s: absolute, infinite where there is none.  open: how many nodes or links still work on it.
    lucks: the quantile of its costs at each node, by the node's slot.
    called_off: servers that have been told that it is no longer wanted.
    sums: seconds and joules by stage, see the positions above; ``SPENT_S`` is computing time, its share of a batch.
    """

    __slots__ = (
        "answers",
        "arrival_s",
        "bytes_down",
        "bytes_up",
        "called_off",
        "codec",
        "cut",
        "deadline_s",
        "device",
        "lucks",
        "number",
        "open",
        "reason",
        "sample",
        "sums",
        "wasted_bytes",
    )

    @property
    def priority(self) -> int:
        return self.device.priority

    def __init__(self, device: Device, number: int, coming: Coming) -> None:
        self.device = device
        self.number = number
        self.arrival_s, self.sample, deadline_s, self.lucks = coming
        self.deadline_s = self.arrival_s + deadline_s
        self.open = 1
        self.answers: list[GivenAnswer] = []
        self.sums = _ZERO[:]
        self.bytes_up = self.bytes_down = self.wasted_bytes = 0
        self.called_off: tuple[Server, ...] = ()
        self.cut = -1
        self.codec = self.reason = ""


class Cancelling(NamedTuple):
    """A message that what ``server`` still has queued of ``request`` is no longer wanted.

    ahead: hops to pass.  left_s, t_s: when its last bit has left the device, and when it has crossed the device's link.
    """

    request: Request
    server: Server
    ahead: Route = ()
    left_s: float = 0.0
    t_s: float = 0.0


class Task:
    """A request as one node or link holds it: an event that is scheduled again for each stage.

    It has what simpy asks of an event (``callbacks``, ``_ok``) and nothing else, which saves an object
    and a generator for every stage.  A request has one task, and one more for each copy that is under way
    while its node goes on.

    ready_s, began_s: when it began to wait, and to be worked on.  blocks: run so far.  place: where its data has
    come to.  operations, at, t_s: its plan, the next operation, and how far it has been walked in time.  luck, factor:
    this node's draw of costs for this request.  seen: scores of the exits that were run here.  given: a server's answer
    that has not left.  shipped: the sending whose bytes are ready, or have just come.  report: (time, expected wait)
    of a server.  left_s: when its last bit has left the device.  ahead, back: hops between servers that its data must
    pass, and that its answer will pass.
    """

    __slots__ = (
        "abort_s",
        "ahead",
        "at",
        "back",
        "began_s",
        "blocks",
        "callbacks",
        "factor",
        "given",
        "left_s",
        "live",
        "luck",
        "node",
        "operations",
        "place",
        "ready_s",
        "report",
        "request",
        "seen",
        "shipped",
        "t_s",
    )

    _ok = True
    callbacks: Callbacks | None
    operations: tuple[Operation, ...]
    at: int
    luck: float
    factor: float
    t_s: float
    began_s: float
    report: tuple[float, float]
    ahead: Route

    def __init__(self, request: Request, node: Node, place: Place, ready_s: float) -> None:
        self.request = request
        self.node = node
        self.place = place
        self.ready_s = ready_s
        self.blocks = 0
        self.abort_s = inf
        self.left_s = 0.0
        self.seen: dict[int, Scores] = {}
        self.given: GivenAnswer | None = None
        self.shipped: Ship | None = None
        self.live: Any = None
        self.back: Route = ()

    def copy(self) -> Task:
        """The same state of the same request, to travel on its own; the request stays open for it."""
        twin = Task(self.request, self.node, self.place, self.ready_s)
        twin.blocks, twin.live, twin.given, twin.back = self.blocks, self.live, self.given, self.back
        twin.began_s, twin.left_s = self.began_s, self.left_s
        self.request.open += 1
        return twin
