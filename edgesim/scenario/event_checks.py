"""What events, connections and fallbacks name, against what there is."""

from __future__ import annotations

from collections.abc import Iterator

from edgesim.scenario.policies import Tiers
from edgesim.scenario.problems import Problem, not_among
from edgesim.scenario.scenario import Scenario


def check_events(scenario: Scenario) -> Iterator[Problem]:
    """Names in events that name nothing."""
    devices, servers = _devices(scenario), _servers(scenario)
    for name, event in scenario.events.items():
        here = ("events", name)
        if event.what == "link" and event.link not in scenario.links:
            yield Problem((*here, "link"), not_among(event.link, scenario.links, "a name in links"))
        if event.what in ("slow", "down") and event.node not in devices + servers:
            yield Problem((*here, "node"), not_among(event.node, devices + servers, "a server or a device"))
        if event.what == "arrivals" and event.devices not in devices:
            yield Problem((*here, "devices"), not_among(event.devices, devices, "a device class or a device"))
        if event.what == "reports" and event.server not in scenario.servers:
            yield Problem((*here, "server"), not_among(event.server, scenario.servers, "a name in servers"))


def check_connections(scenario: Scenario) -> Iterator[Problem]:
    """Connections to what is no server, and policies of tiers that no connection joins."""
    for name, connection in scenario.connections.items():
        for place, server in enumerate(connection.between):
            if server not in scenario.servers:
                key = ("connections", name, "between", place)
                yield Problem(key, not_among(server, scenario.servers, "a name in servers"))
        link = scenario.links.get(connection.link)
        here = ("connections", name, "link")
        if link is None:
            yield Problem(here, not_among(connection.link, scenario.links, "a name in links"))
        elif link.sharing != "fifo" or link.jitter_ms or link.loss is not None or link.connection != "warm":
            message = (
                f"found '{connection.link}', allowed between servers: a link of sharing fifo without jitter or loss, "
            )
            yield Problem(here, f"{message}and warm")
    for name, policy in scenario.policies.items():
        if isinstance(policy, Tiers):
            for place, server in enumerate(policy.servers):
                if server not in scenario.servers:
                    key = ("policies", name, "servers", place)
                    yield Problem(key, not_among(server, scenario.servers, "a name in servers"))


def _devices(scenario: Scenario) -> list[str]:
    return [
        each
        for name, device in scenario.devices.items()
        for each in (name, *(f"{name}-{number}" for number in range(device.count)))
    ]


def _servers(scenario: Scenario) -> list[str]:
    return [
        each
        for name, server in scenario.servers.items()
        for each in (name, *(f"{name}-{number}" for number in range(server.count) if server.count > 1))
    ]
