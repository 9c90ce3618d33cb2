"""Worlds whose devices run on batteries."""

from __future__ import annotations

from functools import partial
from typing import Any

from edgesim.compute.battery import Battery
from edgesim.compute.nodes import Device, Node
from edgesim.engine.clock import NORMAL, Callbacks, Event
from edgesim.engine.endings import BATTERY_EMPTY
from edgesim.engine.fallible import FallibleEngine, meter_of

FORESIGHT_S = 600.0
"""A battery is looked at this often, or when by all that is known it will be empty."""


class BatteryEngine(FallibleEngine):
    """A device whose battery falls to the cut-off goes away, and comes back when it has risen to the restart level."""

    def __init__(self, *world: Any) -> None:
        super().__init__(*world)
        self._looks: dict[Device, tuple[float, Event]] = {}
        self._on_look: Callbacks = (self._look,)
        self._on_restart: Callbacks = (self._restart,)
        self._on_read: Callbacks = (self._read,)
        for device in self.devices:
            if meter_of(device).battery is not None:
                meter_of(device).told = partial(self._draw_told, device)
                self._plan_look(device, 0.0)
                for time_s in (self.low_s, self.high_s):
                    self._at(time_s, NORMAL, Event(device, self._on_read))

    def come_back(self, node: Node, now: float, reason: str) -> None:
        super().come_back(node, now, reason)
        if isinstance(node, Device) and node in self._looks and not node.away:
            self._plan_look(node, now)

    def finish(self) -> None:
        for device in self._looks:
            while len(meter_of(device).readings) < 2:
                meter_of(device).read(self.clock.now)
        super().finish()

    def _plan_look(self, device: Device, time_s: float) -> None:
        event = Event(device, self._on_look)
        self._looks[device] = time_s, event
        self._at(time_s, NORMAL, event)

    def _draw_told(self, device: Device) -> None:
        """The battery may be empty before the next look."""
        look_s, _ = self._looks[device]
        empty_s = _battery(device).empty_s(self.clock.now, look_s)
        if empty_s < look_s:
            self._plan_look(device, empty_s)

    def _look(self, event: Event) -> None:
        device: Device = event.subject
        if self._looks[device][1] is not event or device.away:
            return
        now, battery = self.clock.now, _battery(device)
        until_s = min(now + FORESIGHT_S, self.end_s)
        look_s = min(battery.empty_s(now, until_s), until_s)
        if look_s > now:
            self._plan_look(device, look_s)
            return
        self.go_away(device, now, BATTERY_EMPTY)
        restart_s = battery.restart_s(now, self.end_s)
        if restart_s < self.end_s:
            self._at(restart_s, NORMAL, Event(device, self._on_restart))

    def _restart(self, event: Event) -> None:
        self.come_back(event.subject, self.clock.now, BATTERY_EMPTY)

    def _read(self, event: Event) -> None:
        meter_of(event.subject).read(self.clock.now)


def _battery(device: Device) -> Battery:
    battery = meter_of(device).battery
    assert battery is not None
    return battery
