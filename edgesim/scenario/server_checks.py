"""What a server asks of the devices that send to it."""

from __future__ import annotations

from collections.abc import Iterator

from edgesim.scenario.problems import Problem
from edgesim.scenario.scenario import Scenario
from edgesim.scenario.servers import Server


def check_servers(scenario: Scenario) -> Iterator[Problem]:
    """Everything that is wrong between the servers and the rest of a scenario."""
    for name, server in scenario.servers.items():
        yield from _deadlines(scenario, name, server)
        yield from _not_simulated(name, server)


def _deadlines(scenario: Scenario, name: str, server: Server) -> Iterator[Problem]:
    """A server can act on a deadline only if the request may say it."""
    for key in server.asks_deadlines():
        for device_name, device in scenario.devices.items():
            known = device.deadline.known if device.deadline is not None else "none"
            if device.server == name and known != "exact":
                yield Problem(
                    ("servers", name, *key),
                    f"needs the deadline of every request, found '{known}' at devices.{device_name}.deadline.known; "
                    "allowed: exact there",
                )


def _not_simulated(name: str, server: Server) -> Iterator[Problem]:
    if server.queue.order != "fifo":
        message = f"found {server.queue.order}, which is not simulated yet; allowed: fifo"
        yield Problem(("servers", name, "queue", "order"), message)
    if server.queue.bound is not None:
        message = f"found {server.queue.bound}, which is not simulated yet; allowed: null"
        yield Problem(("servers", name, "queue", "bound"), message)
