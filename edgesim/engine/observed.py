"""Worlds that tell what their nodes and links did from when to when.  A plain run is built of none of this."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any

from edgesim.compute.nodes import Device, Node, Server
from edgesim.engine.cell_link import CellPort, Transfer
from edgesim.engine.clock import Event
from edgesim.engine.engine import Engine
from edgesim.engine.request import Cancelling, Request, Task
from edgesim.engine.routes import Hop
from edgesim.engine.world import World

if TYPE_CHECKING:
    from edgesim.engine.on_battery import BatteryEngine as _AnyEngine
else:
    _AnyEngine = object

WORK, QUEUE, TRANSFER, AWAY = "work", "queue", "transfer", "away"
"""What a node or a link does with a request: see ``Span``."""


@dataclass(slots=True)
class Span:
    """Something that lasted.

    kind: work on it, waiting for its turn, being sent, or that a node was away.  what: in a word.  request: None where
    it is nobody's.  batch: the number of the batch that it was served in, 0 for none.
    """

    kind: str
    what: str
    request: Request | None
    start_s: float
    stop_s: float
    batch: int = 0
    args: Mapping[str, Any] = field(default_factory=dict)


class Observation:
    """What was seen of a run.

    spans: by the node, the link of a device's own, the direction of a cell or the hop between servers, zero lengths
    left out.  ends: when all work on a request had ended.  levels_j: by device, (time, what its battery held) whenever
    the run itself looked at it: to look at it in between would round it otherwise.
    """

    def __init__(self) -> None:
        self.spans: defaultdict[Any, list[Span]] = defaultdict(list)
        self.ends: dict[Request, float] = {}
        self.levels_j: defaultdict[Device, list[tuple[float, float]]] = defaultdict(list)

    def add(self, place: Any, span: Span) -> None:
        if span.stop_s > span.start_s:
            self.spans[place].append(span)

    def cut(self, place: Any, now_s: float) -> None:
        """What was foreseen there for later does not happen."""
        self.spans[place] = [span for span in self.spans[place] if span.start_s < now_s]
        for span in self.spans[place]:
            span.stop_s = min(span.stop_s, now_s)


class Observing(_AnyEngine):
    """In front of a kind of engine: every booking is noted and passed on, and nothing is done otherwise.

    Requests that go straight are booked one by one, as their columns at once hold no stages that could be noted.
    """

    def __init__(self, *world: Any) -> None:
        self.seen = Observation()
        self._serving: dict[Task, tuple[Server, float]] = {}
        self._free_s: defaultdict[Node, float] = defaultdict(float)
        self._batches = self._batch = 0
        super().__init__(*world)
        self._express = None
        for device in self.devices:
            self._note_level(device)

    # Requests

    def _close(self, task: Task | Cancelling, now: float, reason: str) -> None:
        super()._close(task, now, reason)
        ends, request = self.seen.ends, task.request
        ends[request] = max(now, ends.get(request, now))  # what is booked ahead may not be the last to end

    def finish(self) -> None:
        now, seen = self.clock.now, self.seen
        seen.ends.update(dict.fromkeys(self.open, now))
        for node in (*self.devices, *self.serving):
            if node.away:
                seen.add(node, Span(AWAY, node.away[0], None, node.away_since_s, now))
            self._stop_serving(node, now)
        for device in self.devices:
            for port in (device.uplink, device.downlink):
                self._note_under_way(port, now)
        super().finish()
        for place in list(seen.spans):
            seen.cut(place, now)

    # Nodes

    def _account(
        self, device: Device, request: Request, decide_s: float, compute_s: float, encode_s: float, stop: float
    ) -> None:
        super()._account(device, request, decide_s, compute_s, encode_s, stop)
        free_s = self._free_s[device]  # what is subtracted from the end may be off by a rounding error
        computed_s = max(stop - encode_s, free_s)
        decided_s = max(computed_s - compute_s, free_s)
        self._free_s[device] = stop
        for what, start_s, stop_s in (
            ("decide", max(decided_s - decide_s, free_s), decided_s),
            ("compute", decided_s, computed_s),
            ("encode", computed_s, stop),
        ):
            self.seen.add(device, Span(WORK, what, request, start_s, stop_s))

    def _book_wait(self, node: Node, task: Task, now: float) -> None:
        super()._book_wait(node, task, now)
        self.seen.add(node, Span(QUEUE, "wait", task.request, task.ready_s, now))

    def _work(self, node: Node, task: Task, now: float) -> None:
        if isinstance(node, Server):
            self._serving[task] = node, now
        super()._work(node, task, now)

    def _serve_batch(self, server: Server, tasks: list[Task], now: float) -> None:
        self._batches += 1
        self._batch = self._batches
        super()._serve_batch(server, tasks, now)
        self._batch = 0

    def _book_service(self, server: Server, task: Task, start: float, stop: float, batch: float) -> None:
        super()._book_service(server, task, start, stop, batch)
        self._serving.pop(task, None)
        args = {"batch": batch} if self._batch else {}
        self.seen.add(server, Span(WORK, "serve", task.request, start, stop, self._batch, args))

    def _run_stage(self, server: Server, staged: Any, now: float) -> None:
        self._serving[staged.task] = server, now
        super()._run_stage(server, staged, now)

    def _stage_done(self, event: Event) -> None:
        server, start, staged, exit = event.subject
        del self._serving[staged.task]
        self.seen.add(server, Span(WORK, "serve", staged.task.request, start, self.clock.now, args={"exit": exit}))
        super()._stage_done(event)

    def _stop_serving(self, node: Node, now: float) -> None:
        """What is in service goes no further."""
        for task, (server, start) in list(self._serving.items()):
            if server is node:
                del self._serving[task]
                self.seen.add(node, Span(WORK, "serve", task.request, start, now))

    def go_away(self, node: Node, now: float, reason: str) -> None:
        if not node.away:
            self._stop_serving(node, now)
            self.seen.cut(node, now)
            self._free_s[node] = now
            if isinstance(node, Device) and node.uplink is not None:
                if carrier(node.uplink) is node.uplink:  # a cell tells of no end beforehand
                    self.seen.cut(node.uplink, now)
                self._note_under_way(node.uplink, now)
        super().go_away(node, now, reason)
        self._note_level(node)

    def come_back(self, node: Node, now: float, reason: str) -> None:
        super().come_back(node, now, reason)
        if not node.away:
            self.seen.add(node, Span(AWAY, node.left, None, node.away_since_s, now))
            self._note_level(node)

    def _draw_told(self, device: Device) -> None:
        super()._draw_told(device)
        self._note_level(device)

    def _note_level(self, node: Node) -> None:
        """The battery has just been told the time, so that to read it changes nothing."""
        if isinstance(node, Device) and node.meter is not None and node.meter.battery is not None:
            now = self.clock.now
            self.seen.levels_j[node].append((now, node.meter.battery.level_j(now)))

    # Links

    def _sent_up(self, task: Task, *times: Any) -> None:
        assert task.shipped is not None
        args = {"cut": task.shipped.cut, "codec": task.shipped.codec}
        self._note_transfer(task.request.device.uplink, "send", task.request, args, *times)
        super()._sent_up(task, *times)

    def _sent_down(self, task: Task, *times: Any) -> None:
        self._note_transfer(task.request.device.downlink, "answer", task.request, {}, *times)
        super()._sent_down(task, *times)

    def _cancel_sent(self, cancelling: Cancelling, *times: Any) -> None:
        self._note_transfer(cancelling.request.device.uplink, "cancel", cancelling.request, {}, *times)
        super()._cancel_sent(cancelling, *times)

    def _report_sent(self, report: Any, *times: Any) -> None:
        self._note_transfer(report.device.downlink, "report", None, {}, *times)
        super()._report_sent(report, *times)

    def _cross(self, hop: Hop, request: Request, now: float, nbytes: int) -> tuple[float, float]:
        start, finish = super()._cross(hop, request, now, nbytes)
        self._note_transfer(hop, "pass on", request, {}, now, start, finish, nbytes)
        return start, finish

    def _note_transfer(
        self,
        port: Any,
        what: str,
        request: Request | None,
        args: Mapping[str, Any],
        accepted: float,
        start: float,
        finish: float,
        nbytes: int,
        *_: Any,
    ) -> None:
        place, said = carrier(port), {**args, "bytes": nbytes}
        if finish == inf:
            said["endless"] = True
        self.seen.add(place, Span(QUEUE, "wait", request, accepted, start))
        self.seen.add(place, Span(TRANSFER, what, request, start, finish, args=said))

    def _take_back(self, event: Event) -> None:
        port, now = event.subject.request.device.uplink, self.clock.now
        taken = [each for each in port.accepted if each.subject is event.subject and not each.begun]
        super()._take_back(event)
        for transfer in taken:
            self._note_broken_off(port, transfer, now)

    def _note_under_way(self, port: Any, now: float) -> None:
        """Of a cell: what it has accepted, and nobody has been told the end of."""
        for transfer in getattr(port, "accepted", ()):
            self._note_broken_off(port, transfer, now)

    def _note_broken_off(self, port: CellPort, transfer: Transfer, now: float) -> None:
        subject = transfer.subject
        request = None if subject is None else subject.request
        if request is None:
            what = "report"
        elif isinstance(subject, Cancelling):
            what = "cancel"
        else:
            what = "send" if port is request.device.uplink else "answer"
        start = transfer.start_s if transfer.begun else now
        self._note_transfer(port, what, request, {}, transfer.accepted_s, start, now, transfer.nbytes)


def carrier(port: Any) -> Any:
    """What is busy while a port sends: itself, or a direction of its cell."""
    return port.link if isinstance(port, CellPort) else port


@cache
def observed(kind: type[Engine]) -> type[Engine]:
    """The same kind of engine, observed."""
    return type(f"Observed{kind.__name__}", (Observing, kind), {})


class ObservedWorld(World):
    """A world whose engine is observed."""

    def _built_as(self, kind: type[Engine]) -> type[Engine]:
        return observed(kind)

    @property
    def seen(self) -> Observation:
        assert isinstance(self.engine, Observing)
        return self.engine.seen
