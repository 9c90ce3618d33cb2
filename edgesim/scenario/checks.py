"""What a scenario must agree on with itself, beyond the shape of each key."""

from __future__ import annotations

from collections.abc import Iterator

from edgesim.scenario.depths import Depth, beyond
from edgesim.scenario.event_checks import check_connections, check_events
from edgesim.scenario.link_checks import check_links
from edgesim.scenario.models import ImportedModel, SyntheticModel
from edgesim.scenario.policy_checks import check_policies
from edgesim.scenario.problems import Problem, not_among
from edgesim.scenario.radio_checks import check_radio
from edgesim.scenario.scenario import Scenario
from edgesim.scenario.server_checks import check_servers


def check(scenario: Scenario) -> Iterator[Problem]:
    """Everything that is wrong between the keys of a scenario whose keys are right one by one."""
    yield from _devices(scenario)
    yield from check_radio(scenario)
    yield from check_links(scenario)
    yield from check_servers(scenario)
    yield from check_connections(scenario)
    yield from check_events(scenario)
    yield from _models(scenario)
    yield from _processors(scenario)
    yield from check_policies(scenario)
    yield from beyond(scenario, _synthetic_depths(scenario))


def _devices(scenario: Scenario) -> Iterator[Problem]:
    for name, device in scenario.devices.items():
        here = ("devices", name)
        if device.link is not None and device.link not in scenario.links:
            yield Problem((*here, "link"), not_among(device.link, scenario.links, "a name in links"))
        if device.server is not None and device.server not in scenario.servers:
            yield Problem((*here, "server"), not_among(device.server, scenario.servers, "a name in servers"))
        if (device.link is None) != (device.server is None):
            yield Problem(here, "found one of link and server, allowed: both or neither")
        if device.battery is not None and device.power is None:
            yield Problem((*here, "battery"), "found a battery without power, allowed: both, or power alone")
        if name in scenario.servers:
            yield Problem(here, f"found '{name}' as a device class and a server, allowed: different names")


def _models(scenario: Scenario) -> Iterator[Problem]:
    """All policies meet the same samples, so all models must answer the same samples."""
    synthetic = {name: model for name, model in scenario.models.items() if isinstance(model, SyntheticModel)}
    for name, model in scenario.models.items():
        if synthetic and name not in synthetic:
            known = ", ".join(synthetic)
            yield Problem(("models", name), f"found a real model beside synthetic ones ({known}), allowed: one sort")
        elif scenario.execution == "live" and isinstance(model, SyntheticModel | ImportedModel):
            yield Problem(("execution",), f"found live, allowed: tabled, as model '{name}' has no network to run")
        elif scenario.data.source == "none" and not isinstance(model, SyntheticModel | ImportedModel):
            yield Problem(("data", "source"), f"found none, but model '{name}' needs images; allowed: other data")
        elif scenario.regression and isinstance(model, SyntheticModel | ImportedModel):
            message = f"found {model.source}, whose answers are classes, where data asks for counts; allowed: zoo, timm"
            yield Problem(("models", name, "source"), message)
    first = next(iter(synthetic.values()), None)
    for name, model in synthetic.items():
        if first and model.samples != first.samples:
            message = f"found {model.samples}, allowed: {first.samples}, as in the other synthetic models"
            yield Problem(("models", name, "samples"), message)


def _processors(scenario: Scenario) -> Iterator[Problem]:
    synthetic = any(isinstance(model, SyntheticModel) for model in scenario.models.values())
    for room, nodes in (("devices", scenario.devices), ("servers", scenario.servers)):
        for name, node in nodes.items():
            if synthetic and node.processor.preset is not None:
                message = "found a preset, which scales measured times, with a synthetic model; allowed: factor"
                yield Problem((room, name, "processor", "preset"), message)


def _synthetic_depths(scenario: Scenario) -> dict[str, Depth]:
    return {
        name: Depth(model.num_blocks, len(model.exits))
        for name, model in scenario.models.items()
        if isinstance(model, SyntheticModel)
    }
