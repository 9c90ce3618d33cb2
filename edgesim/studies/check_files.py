"""Reading the files and presets behind links, arrivals and batteries once, so that an error in them names its key."""

from __future__ import annotations

from edgesim.compute.build import build_battery
from edgesim.errors import InputError
from edgesim.network.build import build_rate
from edgesim.scenario.scenario import Scenario
from edgesim.workload.arrivals import read_arrival_trace


def check_files(scenario: Scenario) -> None:
    """Refuse bad traces, unknown link presets, moments that no process has, bad arrival times, bad harvests."""
    for name, link in scenario.links.items():
        for direction, rate in (("up", link.up), ("down", link.down)):
            try:
                build_rate(rate, scenario.seed, "check", name, direction)
            except InputError as error:
                raise scenario.error(f"links.{name}.{direction}", str(error)) from error
    for name, device in scenario.devices.items():
        if device.arrivals.process == "trace":
            try:
                read_arrival_trace(device.arrivals.file)
            except InputError as error:
                raise scenario.error(f"devices.{name}.arrivals.file", str(error)) from error
        if device.battery is not None:
            try:
                build_battery(device.battery, 0.0, scenario.seed, "check", name)
            except InputError as error:
                raise scenario.error(f"devices.{name}.battery.harvest", str(error)) from error
