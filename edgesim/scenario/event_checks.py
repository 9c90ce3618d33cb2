"""What events, connections and fallbacks name, against what there is."""

from __future__ import annotations

from collections.abc import Iterator

from edgesim.scenario.policies import Tiers
from edgesim.scenario.problems import Problem, is_one_of, not_among
from edgesim.scenario.scenario import Scenario


def check_events(scenario: Scenario) -> Iterator[Problem]:
    """Names in events that name nothing."""
    devices = {name: device.count for name, device in scenario.devices.items()}
    servers = {name: server.count if server.count > 1 else 0 for name, server in scenario.servers.items()}
    nodes = servers | devices
    for name, event in scenario.events.items():
        here = ("events", name)
        if event.what == "link" and event.link not in scenario.links:
            yield Problem((*here, "link"), not_among(event.link, scenario.links, "a name in links"))
        if event.what in ("slow", "down") and not is_one_of(event.node, nodes):
            yield Problem((*here, "node"), not_among(event.node, nodes, "a server, a device class, or NAME-NUMBER"))
        if event.what == "arrivals" and not is_one_of(event.devices, devices):
            yield Problem((*here, "devices"), not_among(event.devices, devices, "a device class, or NAME-NUMBER"))
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
