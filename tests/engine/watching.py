"""Instruments that watch a run from outside, so that what the engine books can be held against what happened."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from heapq import heappop
from itertools import takewhile, tee
from math import inf
from typing import Any, NamedTuple
from unittest.mock import patch

from little_worlds import Tables, look_at_everything, run

from edgesim.compute.nodes import Device, Node, Server
from edgesim.engine.assets import Assets
from edgesim.engine.cell_link import CellPort
from edgesim.engine.clock import REVOKED
from edgesim.engine.fifo_port import FifoPort
from edgesim.engine.request import Request, Task
from edgesim.engine.simpy_clock import SimpyClock
from edgesim.engine.world import World
from edgesim.network.fifo import FifoLink
from edgesim.scenario.scenario import Scenario


class WatchedClock(SimpyClock):
    """Looks at the nodes after every event: ``waiting_s`` and ``busy_s`` are integrals over the measured window of how
    many wait, and how many workers compute; ``away``: when they were not there."""

    def __init__(self) -> None:
        super().__init__()
        plain, self.nodes = self.at, list[Node]()
        self.staged: dict[Any, Any] = {}
        self.low_s = self.high_s = 0.0
        self.waiting_s: defaultdict[str, float] = defaultdict(float)
        self.busy_s: defaultdict[str, float] = defaultdict(float)
        self.most: defaultdict[str, int] = defaultdict(int)
        self.away: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)

        def at(time_s: float, priority: int, event: Any) -> None:
            assert time_s >= self.now, f"an event at {time_s!r}, planned at {self.now!r}: the past"
            plain(time_s, priority, event)

        self.at = at

    def watch(self, world: World) -> None:
        self.nodes = [*world.devices, *world.engine.serving]
        self.staged = getattr(world.engine, "staged", {})
        self.low_s, self.high_s = world.window

    def run_until(self, end_s: float) -> None:
        queue = self._queue
        while queue and queue[0][0] < end_s:
            time_s, _, _, event = heappop(queue)
            self._look(self._now, time_s)
            self._now = time_s
            event.callbacks[0](event)  # type: ignore[index]
        self._look(self._now, end_s)
        self._now = end_s

    def _look(self, start_s: float, stop_s: float) -> None:
        """Nothing happens between the two."""
        for node in self.nodes:
            if node.away and start_s < stop_s:
                spells = self.away[node.name]
                since_s = spells.pop()[0] if spells and spells[-1][1] == start_s else start_s
                spells.append((since_s, stop_s))
        start_s, high_s = max(start_s, self.low_s), min(stop_s, self.high_s)
        for node in self.nodes:
            waiting = self._waiting(node)
            self.most[node.name] = max(self.most[node.name], waiting)
            if start_s < high_s:
                self.waiting_s[node.name] += waiting * (high_s - start_s)
                self.busy_s[node.name] += 0.0 if node.away else _busy_s(node, start_s, high_s)

    def _waiting(self, node: Node) -> int:
        """Of those that are run from exit to exit, all but the one in service wait."""
        held = len(self.staged.get(node, ()))
        in_service = node.workers - node.idle_workers if held else 0  # type: ignore[attr-defined]
        return len(node.queue) + max(held - in_service, 0)


def _busy_s(node: Node, start_s: float, stop_s: float) -> float:
    if isinstance(node, Device):
        return max(0.0, min(node.free_s, stop_s) - start_s)
    assert isinstance(node, Server)
    if node.sharing is not None:
        return min(len(node.shared), node.workers) * (stop_s - start_s)
    return (node.workers - node.idle_workers) * (stop_s - start_s)


@dataclass(eq=False)
class Sending:
    """A message that a link was given, and what the link says of it; cut_s: when its device died before it had left."""

    nbytes: int
    start_s: float = inf
    finish_s: float = inf
    delay_s: float = inf
    fate: str = ""
    cut_s: float = inf
    endless: bool = False

    @property
    def spell(self) -> tuple[float, float]:
        """When it was under way."""
        return self.start_s, min(self.finish_s, self.cut_s)

    def became(self, end_s: float) -> str:
        """delivered, lost, cancelled or in flight when the run is over."""
        if self.fate:
            return self.fate
        if self.delay_s == inf and self.finish_s < end_s:
            return "lost"
        return "delivered" if self.finish_s + self.delay_s < end_s else "in flight"


class Ledger:
    """All messages of a run, by the port or the link that took them."""

    def __init__(self) -> None:
        self.sendings: defaultdict[int, list[Sending]] = defaultdict(list)
        self._of_subject: dict[tuple[int, int], Sending] = {}
        self._kept: list[Any] = []  # so that no identity is used twice

    def bytes_of(self, link: Any, end_s: float) -> dict[str, int]:
        found = dict.fromkeys(("delivered", "lost", "cancelled", "in flight"), 0)
        for sending in self.sendings[id(link)]:
            found[sending.became(end_s)] += sending.nbytes
        return found

    def take(self, link: Any, sending: Sending) -> Sending:
        self._kept.append(link)
        self.sendings[id(link)].append(sending)
        return sending

    def cut_off(self, link: Any, now_s: float) -> None:
        for sending in self.sendings[id(link)]:
            if not sending.fate and sending.finish_s > now_s:
                sending.fate, sending.cut_s = "lost", now_s

    @contextmanager
    def open(self) -> Iterator[None]:
        """While it is open it sees what links are given."""
        ledger = self
        fifo_send = FifoLink.send

        def send(link: FifoLink, now_s: float, payload_bytes: int) -> tuple[float, float]:
            start_s, finish_s = fifo_send(link, now_s, payload_bytes)
            ledger.take(link, Sending(payload_bytes, start_s, finish_s, link.delay_s, endless=finish_s == inf))
            return start_s, finish_s

        def sends(plain: Any) -> Any:
            def send(port: Any, subject: Any, nbytes: int, done: Any) -> None:
                sending = ledger.take(port, Sending(nbytes))
                ledger._of_subject[id(port), id(subject)] = sending
                ledger._kept.append(subject)

                def told(subject: Any, accepted: float, start: float, finish: float, *rest: Any) -> None:
                    sending.endless = finish == inf
                    sending.start_s, sending.finish_s, sending.delay_s = start, finish, rest[1]
                    assert accepted <= start <= finish, "a transfer that ends before it begins"
                    done(subject, accepted, start, finish, *rest)

                plain(port, subject, nbytes, told)

            return send

        begin, take_back = CellPort._begin, CellPort.take_back

        def begins(port: CellPort, transfer: Any, now_s: float) -> None:
            ledger._of_subject[id(port), id(transfer.subject)].start_s = now_s
            begin(port, transfer, now_s)

        def takes_back(port: CellPort, subject: Any) -> int:
            nbytes = take_back(port, subject)
            if nbytes:
                ledger._of_subject[id(port), id(subject)].fate = "cancelled"
            return nbytes

        def cuts_off(plain: Any) -> Any:
            def cut_off(link: Any, now_s: float) -> list[Any]:
                ledger.cut_off(link, now_s)
                given_up: list[Any] = plain(link, now_s)
                return given_up

            return cut_off

        with ExitStack() as stack:
            changes = [(FifoLink, "send", send), (CellPort, "take_back", takes_back), (CellPort, "_begin", begins)]
            changes += [(kind, "send", sends(kind.send)) for kind in (FifoPort, CellPort)]
            changes += [(kind, "cut_off", cuts_off(kind.cut_off)) for kind in (FifoLink, FifoPort, CellPort)]
            for change in changes:
                stack.enter_context(patch.object(*change))
            yield


class Ending(NamedTuple):
    """A request as it was handed to the recorder."""

    request: Request
    end_s: float
    answers: int
    open: int


@dataclass
class Watched:
    """A run, and what was seen of it."""

    tables: Tables
    clock: WatchedClock
    ledger: Ledger
    endings: list[Ending] = field(default_factory=list)
    coming: dict[str, list[tuple[float, int, float]]] = field(default_factory=dict)
    """By device, what should have come to it: (arrival, sample, deadline after it)."""

    @property
    def world(self) -> World:
        return self.tables.world


def watch(scenario: Scenario, assets: Assets, policy: str, by_events: bool) -> Watched:
    """Run a cell under all instruments; by_events: nothing is booked ahead of its time."""
    clock, ledger = WatchedClock(), Ledger()
    seen = Watched(None, clock, ledger)  # type: ignore[arg-type]

    def prepare(world: World) -> None:
        if by_events:
            look_at_everything(world)
        clock.watch(world)
        for device in world.devices:
            device.requests, coming = tee(device.requests)
            first = [device.coming] if hasattr(device, "coming") else []
            expected = [*first, *takewhile(lambda each: each[0] < scenario.duration_s, coming)] if first else []
            seen.coming[device.name] = [each[:3] for each in expected]
        recorder: Any = world.engine.recorder
        plain = recorder.request

        def request(request: Request, end_s: float) -> None:
            seen.endings.append(Ending(request, end_s, len(request.answers), request.open))
            plain(request, end_s)

        recorder.request = request

    with ledger.open():
        seen.tables = run(scenario, assets, policy, prepare=prepare, clock=clock)
    return seen


def holders(world: World) -> Counter[Request]:
    """How many tasks and messages are left of each request, wherever they are."""
    engine: Any = world.engine
    held: list[Any] = [event for event in world.clock.pending() if isinstance(event, Task)]
    on_the_way = (engine._on_cancel_reaches, engine._on_cancel_lost)
    held += [event.subject for event in world.clock.pending() if event.callbacks in on_the_way]
    for device in world.devices:
        held += device.queue.tasks
        held += [each.subject for each in getattr(device.uplink, "accepted", ())]
        held += [each.subject for each in getattr(device.downlink, "accepted", ()) if each.subject is not None]
    for server in engine.serving:
        held += [*server.queue, *server.shared, *getattr(engine, "staged", {}).get(server, ())]
    held += getattr(engine, "_spares", {}).values()
    held += [twin for twins in getattr(engine, "_early", {}).values() for twin in twins]
    return Counter(each.request for each in held if getattr(each, "callbacks", None) is not REVOKED)
