"""What devices hear of their servers' load: with answers, every so often, or not at all."""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

from edgesim.compute.nodes import Device, Server
from edgesim.engine.clock import NORMAL, Callbacks, Event
from edgesim.engine.request import Task
from edgesim.engine.scheduled import ScheduledEngine
from edgesim.events.factored import Factors
from edgesim.network.fifo import FifoLink
from edgesim.workload.random import generator

REPORT_BYTES = 8
"""Payload of a load report: one number."""


class Report(NamedTuple):
    """A message to a device.  said: (when it was made, expected wait).  number: counts those of its server."""

    device: Device
    role: str
    said: tuple[float, float]
    number: int


class ReportingEngine(ScheduledEngine):
    """Servers may also report in messages of their own, which take the devices' downlinks as answers do; a report may
    get lost, be it one of these or the one that rides on an answer.  Simpler than reality: hearing one of these costs a
    device no energy."""

    def __init__(self, *world: Any) -> None:
        super().__init__(*world)
        self._on_report: Callbacks = (self._report,)
        self._lossy: dict[str, tuple[Factors, int]] = {}

    def lose_reports(self, server: Server, factors: Factors, root: int) -> None:
        """Let reports of ``server`` get lost within windows, each with its probability; root: of the draws."""
        self._lossy[server.role] = factors, root

    def report_every(self, server: Server, period_s: float) -> None:
        """Let ``server`` tell its load to the devices that send to it."""
        self._at(period_s, NORMAL, Event((server, period_s, 1), self._on_report))

    def _report(self, event: Event) -> None:
        server, period_s, number = event.subject
        now = self.clock.now
        if not server.away:
            report = (now, server.expected_wait_s())
            for device in self.devices:
                if device.entry == server.role and device.plan is None and not device.away:
                    self._send_report(device, server.role, report, number)
        if now + period_s < self.stop_s:
            self._at((number + 1) * period_s, NORMAL, Event((server, period_s, number + 1), self._on_report))

    def _send_report(self, device: Device, role: str, report: tuple[float, float], number: int) -> None:
        link, about = device.downlink, Report(device, role, report, number)
        if isinstance(link, FifoLink):
            start, finish = link.send(report[0], REPORT_BYTES)
            self._report_sent(about, report[0], start, finish, REPORT_BYTES, link.delay_s)
        else:
            link.send(None, REPORT_BYTES, lambda _, *times: self._report_sent(about, *times))

    def _report_sent(
        self, report: Report, accepted: float, start: float, finish: float, nbytes: int, delay_s: float, *_: float
    ) -> None:
        if finish == inf:  # as for answers
            return
        device, role, said, number = report
        device.down_busy_s += self._within(start, finish)
        if not self._loses(role, device, said[0], f"report {number}"):
            device.coming_reports.append((finish + delay_s, role, said))

    def _tell(self, device: Device, task: Task, back_s: float, now: float) -> None:
        role: str = task.node.role  # type: ignore[attr-defined]
        if not self._loses(role, device, task.report[0], f"answer {task.request.number}"):
            super()._tell(device, task, back_s, now)

    def _loses(self, role: str, device: Device, made_s: float, message: str) -> bool:
        factors, root = self._lossy.get(role, ((), 0))
        probability = max((chance for windows, chance in factors if windows.inside(made_s)), default=0.0)
        return probability > 0 and generator(root, "lost reports", role, device.name, message).random() < probability
