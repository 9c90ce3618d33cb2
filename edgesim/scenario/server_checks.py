"""What a server asks of the devices that send to it."""

from __future__ import annotations

from collections.abc import Iterator

from edgesim.scenario.policies import Tiers
from edgesim.scenario.problems import Problem
from edgesim.scenario.scenario import Scenario
from edgesim.scenario.server_queues import ServerQueue
from edgesim.scenario.servers import Server


def check_servers(scenario: Scenario) -> Iterator[Problem]:
    """Everything that is wrong between the servers and the rest of a scenario."""
    for name, server in scenario.servers.items():
        yield from _deadlines(scenario, name, server)
        yield from _replicas(scenario, name, server)
        yield from _scheduler(scenario, name, server)
    yield from _senders(scenario)


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


def _replicas(scenario: Scenario, name: str, server: Server) -> Iterator[Problem]:
    for other in scenario.servers:
        number = other.removeprefix(f"{name}-")
        if other != number and number.isdecimal() and int(number) < server.count > 1:
            message = f"found {server.count} replicas beside a server named {other}; allowed: other names"
            yield Problem(("servers", name, "count"), message)


def _senders(scenario: Scenario) -> Iterator[Problem]:
    """A server that plans how deep to run whom answers itself."""
    for name, policy in scenario.policies.items():
        for place, each in enumerate(policy.servers[:-1] if isinstance(policy, Tiers) else ()):
            server = scenario.servers.get(each)
            if server is not None and server.scheduler.type == "imprecise":
                key = ("policies", name, "servers", place)
                yield Problem(key, f"found {each}, whose scheduler imprecise does not send on; allowed: at the end")


def _scheduler(scenario: Scenario, name: str, server: Server) -> Iterator[Problem]:
    """Who shares has no queue and no batch; a plan is for one worker that serves one by one, by deadlines."""
    here, kind = ("servers", name), server.scheduler.type
    if kind == "in_turn":
        return
    if server.batch.max_size > 1:
        yield Problem((*here, "batch", "max_size"), f"found {server.batch.max_size} beside {kind}; allowed: 1")
    if kind == "processor_sharing" and server.queue != ServerQueue():
        yield Problem((*here, "queue"), f"found a queue beside {kind}, where nobody waits; allowed: leave it out")
    if kind == "imprecise" and server.queue.order != "edf":
        yield Problem((*here, "queue", "order"), f"found {server.queue.order} beside {kind}; allowed: edf")
    if kind == "imprecise" and server.workers > 1:
        yield Problem((*here, "workers"), f"found {server.workers} beside {kind}, which plans for one; allowed: 1")
    if kind == "imprecise" and scenario.regression:
        message = "found imprecise, which plans by accuracy, where data asks for counts; allowed: in_turn"
        yield Problem((*here, "scheduler", "type"), message)
