"""What a link says of the devices that share it."""

from __future__ import annotations

from collections.abc import Iterator

from edgesim.scenario.disciplines import Airtime, Csma, Discipline, Weighted
from edgesim.scenario.links import Link
from edgesim.scenario.problems import Problem, not_among
from edgesim.scenario.scenario import Scenario


def check_links(scenario: Scenario) -> Iterator[Problem]:
    """Everything that is wrong between a cell and its devices."""
    for name, link in scenario.links.items():
        yield from _classes(scenario, name, link.discipline)
        yield from _places(name, link)


def _classes(scenario: Scenario, name: str, discipline: Discipline) -> Iterator[Problem]:
    """Weights and speeds must be of device classes on that link."""
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


def _places(name: str, link: Link) -> Iterator[Problem]:
    """Each device of a radio link has a place of its own, and with it a rate of its own."""
    own = isinstance(link.discipline, Airtime) or (isinstance(link.discipline, Csma) and link.discipline.rates == "own")
    for direction, rate in (("up", link.up), ("down", link.down)):
        if link.sharing == "cell" and getattr(rate, "of", rate).process == "radio" and not own:
            message = "found radio in a cell with a common rate, allowed: discipline airtime, or csma with rates: own"
            yield Problem(("links", name, direction, "process"), message)
