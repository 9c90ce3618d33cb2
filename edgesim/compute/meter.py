"""What a device's radio and battery are told of what it does."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple

from edgesim.compute.battery import Battery
from edgesim.network.radio_power import Radio, TransferPower
from edgesim.network.radio_tail import Draw, RadioTail

SHORTEST_S = 1e-6
"""A draw takes at least this long."""


class Part(NamedTuple):
    """Joules of a transfer between two times."""

    subject: Any
    start_s: float
    stop_s: float
    joules: float


class _Flow(NamedTuple):
    """A transfer under way in a cell.

    alone_s: when it would have left alone.  air_s: the way's seconds on the air when it began.
    """

    subject: Any
    start_s: float
    alone_s: float
    air_s: float
    wire_bytes: int


class Way:
    """One direction of a device's radio.

    A transfer on a link of the device's own is told when it is accepted (``book``), as its end is known then; one in a
    cell when it begins (``begin``) and again when it has ended (``book``).  Simpler than reality: the power of the
    former is even over the transfer; of the latter, what bits and packets cost is drawn as if the device were alone
    there, and what time costs as long as any is under way, in equal parts.

    missed: transfers that the device has not heard whole, as it was off.
    """

    def __init__(self, meter: Meter, power: TransferPower) -> None:
        self._meter, self._power = meter, power
        self._ahead: list[Part] = []
        self._flows: dict[int, _Flow] = {}  # by the subject's identity: two messages may be equal
        self._air_s = self._air_at_s = 0.0
        self.missed: set[Any] = set()

    def begin(self, subject: Any, now_s: float, wire_bytes: int, alone_s: float) -> None:
        """A transfer begins in a cell."""
        meter = self._meter
        if not meter.on:
            return
        if not self._flows:
            meter.draw(now_s, inf, self._power.base_w)
        flow = _Flow(subject, now_s, alone_s, self._on_air(now_s), wire_bytes)
        meter.spread(now_s, alone_s, self._power.energy_j(wire_bytes, 0.0))
        meter.transfer(now_s, now_s, inf)
        self._flows[id(subject)] = flow

    def book(self, subject: Any, now_s: float, start_s: float, stop_s: float, wire_bytes: int, air_s: float) -> float:
        """The energy of a transfer that is accepted, or has ended in a cell; none where the device is or was off."""
        meter = self._meter
        if id(subject) in self._flows:
            return self._end(subject, now_s)
        if not meter.on or start_s < now_s:
            self.missed.add(subject)
            return 0.0
        joules = self._power.energy_j(wire_bytes, air_s)
        meter.spread(start_s, stop_s, joules)
        meter.transfer(now_s, start_s, stop_s)
        self._ahead = [part for part in self._ahead if part.stop_s > now_s]
        self._ahead.append(Part(subject, start_s, stop_s, joules))
        return joules

    def off(self, now_s: float) -> list[Part]:
        """The device loses its power: what has been booked ahead in vain, negative, and what is due of flows."""
        parts = []
        for subject, start_s, stop_s, joules in self._ahead:
            rest_s = max(start_s, now_s)
            if stop_s > rest_s:
                parts.append(Part(subject, rest_s, stop_s, -joules * (stop_s - rest_s) / (stop_s - start_s)))
        on_air_s = self._on_air(now_s)
        for flow in self._flows.values():
            share = min((now_s - flow.start_s) / max(flow.alone_s - flow.start_s, SHORTEST_S), 1.0)
            joules = self._power.base_w * (on_air_s - flow.air_s)
            joules += self._power.energy_j(flow.wire_bytes, 0.0) * share
            parts.append(Part(flow.subject, flow.start_s, now_s, joules))
        self.missed.update(part.subject for part in parts)
        self._ahead.clear()
        self._flows.clear()
        return parts

    def _end(self, subject: Any, now_s: float) -> float:
        on_air_s = self._on_air(now_s)
        flow = self._flows.pop(id(subject))
        if not self._flows:
            self._meter.cut(now_s, inf, self._power.base_w)
        self._meter.end(now_s, flow.start_s, inf)
        return self._power.energy_j(flow.wire_bytes, on_air_s - flow.air_s)

    def _on_air(self, now_s: float) -> float:
        """Seconds up to now in which any flow was under way, divided among those of the moment."""
        if self._flows:
            self._air_s += (now_s - self._air_at_s) / len(self._flows)
        self._air_at_s = now_s
        return self._air_s


class Meter:
    """The radio, and the battery if there is one, of one device; ``window_s``: in which tails count.

    on: whether the device has power.  told: called when the battery has been told of a draw.  readings: the battery's
    counters at the window's start and end.
    """

    def __init__(self, radio: Radio, battery: Battery | None, window_s: tuple[float, float]) -> None:
        self.battery = battery
        self.up, self.down = Way(self, radio.send), Way(self, radio.receive)
        self._tail = RadioTail(radio, window_s) if radio.tail_s or radio.promotion_s else None
        self.on = True
        self.told: Callable[[], None] = lambda: None
        self.readings: list[Reading] = []

    def tail_j(self, now_s: float) -> float:
        """J of tails and promotions within the window."""
        return 0.0 if self._tail is None else self._tail.energy_j(now_s)

    def off(self, now_s: float) -> tuple[list[Part], list[Part]]:
        """The device loses its power; what changes in what was booked of transfers up and down."""
        self.on = False
        if self._tail is not None:
            self._tail.off(now_s)
        if self.battery is not None:
            self.battery.off(now_s)
        return self.up.off(now_s), self.down.off(now_s)

    def back(self, now_s: float) -> None:
        """The device has power again."""
        self.on = True
        if self.battery is not None:
            self.battery.on(now_s)

    def read(self, now_s: float) -> None:
        """Note what the battery's counters say."""
        battery = self.battery
        assert battery is not None
        self.readings.append(Reading(battery.level_j(now_s), battery.harvested_j, battery.spilled_j, battery.drawn_j))

    def spread(self, start_s: float, stop_s: float, joules: float) -> None:
        """Draw so much, evenly between two times."""
        stop_s = max(stop_s, start_s + SHORTEST_S)
        if joules and stop_s < inf:
            self.draw(start_s, stop_s, joules / (stop_s - start_s))

    def draw(self, start_s: float, stop_s: float, watts: float) -> None:
        if self.battery is not None:
            self.battery.draw(start_s, stop_s, watts)
            self.told()

    def cut(self, now_s: float, stop_s: float, watts: float) -> None:
        """A draw under way ends now."""
        if self.battery is not None:
            self.battery.cut(now_s, stop_s, watts)

    def transfer(self, now_s: float, start_s: float, stop_s: float) -> None:
        if self._tail is not None:
            self._pass_on(self._tail.transfer(now_s, start_s, stop_s))

    def end(self, now_s: float, start_s: float, stop_s: float) -> None:
        """A transfer that was told so ends now."""
        if self._tail is not None:
            self._pass_on(self._tail.cut(now_s, start_s, stop_s))

    def _pass_on(self, draws: list[Draw]) -> None:
        if self.battery is None or not draws:
            return
        for draw in draws:
            self.battery.draw(*draw)
        self.told()


class Reading(NamedTuple):
    """The counters of a battery at a time."""

    level_j: float
    harvested_j: float
    spilled_j: float
    drawn_j: float
