"""Reading the files and presets behind links and nodes once, so that what is wrong with them names its key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edgesim.compute.build import build_battery, build_speed
from edgesim.errors import InputError
from edgesim.network.build import build_rate
from edgesim.scenario.scenario import Scenario
from edgesim.workload.arrival_trace import read_arrival_trace


def check_files(scenario: Scenario) -> None:
    """Refuse bad traces, unknown link presets, moments that no process has, bad arrival times, harvests and loads."""
    for name, link in scenario.links.items():
        for direction, rate in (("up", link.up), ("down", link.down)):
            with _naming(scenario, f"links.{name}.{direction}"):
                build_rate(rate, scenario.seed, "check", name, direction, horizon_s=scenario.duration_s)
    for name, device in scenario.devices.items():
        if device.arrivals.process == "trace":
            with _naming(scenario, f"devices.{name}.arrivals.file"):
                read_arrival_trace(device.arrivals.file)
        if device.battery is not None:
            with _naming(scenario, f"devices.{name}.battery.harvest"):
                build_battery(device.battery, 0.0, scenario.seed, "check", name)
    for room, nodes in (("devices", scenario.devices), ("servers", scenario.servers)):
        for name, node in nodes.items():
            if node.processor.load is not None:
                with _naming(scenario, f"{room}.{name}.processor.load"):
                    build_speed(node.processor.load, scenario.seed, "check", name)


@contextmanager
def _naming(scenario: Scenario, key: str) -> Iterator[None]:
    """An InputError from within names the key."""
    try:
        yield
    except InputError as error:
        raise scenario.error(key, str(error)) from error
