"""What a link says of the devices that share it."""

from __future__ import annotations

from collections.abc import Iterator

from edgesim.scenario.disciplines import Csma, Discipline, Weighted
from edgesim.scenario.problems import Problem, not_among
from edgesim.scenario.scenario import Scenario


def check_links(scenario: Scenario) -> Iterator[Problem]:
    """Weights and speeds must be of device classes on that link."""
    for name, link in scenario.links.items():
        yield from _classes(scenario, name, link.discipline)


def _classes(scenario: Scenario, name: str, discipline: Discipline) -> Iterator[Problem]:
    if isinstance(discipline, Weighted):
        key, classes = "weights", discipline.weights
    elif isinstance(discipline, Csma):
        key, classes = "speeds", discipline.speeds or {}
    else:
        return
    users = [each for each, device in scenario.devices.items() if device.link == name]
    for each in classes:
        if each not in users:
            message = not_among(each, users, "a class of devices on this link")
            yield Problem(("links", name, "discipline", key, each), message)
