"""What of a scenario's events befalls one link, node or device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from edgesim.events.factored import Factors, speed
from edgesim.events.windows import Windows, windows_of

if TYPE_CHECKING:
    from edgesim.scenario.events import Event


class Befalling:
    """The events of a scenario under one root of draws.

    Nodes are meant by their class (a device class, or a server with all its replicas) or by their own name.
    """

    def __init__(self, events: Mapping[str, Event], root: int) -> None:
        self._events, self._root = events, root

    def link(self, link: str, direction: str, entity: str) -> Factors:
        """What multiplies a link's rate in one direction; entity: the device that it belongs to, if it does."""
        return [
            (self._windows(name, entity), event.factor)
            for name, event in self._events.items()
            if event.what == "link" and event.link == link and event.direction in ("both", direction)
        ]

    def pace(self, class_name: str, name: str) -> Factors:
        """What multiplies the speed at which a node computes."""
        return [
            (self._windows(key, name), 1 / event.factor)
            for key, event in self._events.items()
            if event.what == "slow" and event.node in (class_name, name)
        ]

    def away(self, class_name: str, name: str) -> list[Windows]:
        """When a node is not there."""
        return [
            self._windows(key, name)
            for key, event in self._events.items()
            if event.what == "down" and event.node in (class_name, name)
        ]

    def arrivals(self, class_name: str, name: str) -> Factors:
        """What multiplies the rate of a device's arrivals."""
        return [
            (self._windows(key, name), event.factor)
            for key, event in self._events.items()
            if event.what == "arrivals" and event.devices in (class_name, name)
        ]

    def lost_reports(self, server: str) -> Factors:
        """When a server's reports get lost, and how probably."""
        return [
            (self._windows(key, server), event.probability)
            for key, event in self._events.items()
            if event.what == "reports" and event.server == server
        ]

    def _windows(self, event: str, entity: str) -> Windows:
        return windows_of(self._events[event], event, entity, self._root)


def hastened(times_s: Iterator[float], factors: Factors) -> Iterator[float]:
    """Arrivals at the rate times the factors: a clock runs faster or slower, and they come when it says so."""
    clock = speed(factors)
    then_s = now_s = 0.0
    for time_s in times_s:
        now_s = clock.finish(now_s, time_s - then_s)
        then_s = time_s
        yield now_s
