"""Honest labels: what in a run is measured, scaled, synthetic or assumed, and what to beware of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from edgesim.data.scenes import MEAN_COUNT
from edgesim.engine.assets import Assets
from edgesim.profiling.costs import ModelCosts
from edgesim.profiling.differences import differences
from edgesim.scenario.scenario import Scenario
from edgesim.studies.rate_labels import rate_label, rate_warnings


def labels_of(scenario: Scenario, assets: Assets, oracles: Sequence[str]) -> dict[str, Any]:
    """What marks the numbers of a run: ``oracles``, ``costs`` by "MODEL on NODE", ``outcomes``, ``links``,
    ``assumptions`` (sentences)."""
    processors = {name: device.processor for name, device in scenario.devices.items()}
    processors |= {name: server.processor for name, server in scenario.servers.items()}
    costs = {
        f"{model} on {name}": assets.on(processor, model).label
        for name, processor in processors.items()
        for model in scenario.models
    }
    outcomes = {name: found.label for name, found in assets.test.items()}
    return {
        "oracles": list(oracles),
        "costs": costs,
        "outcomes": outcomes,
        "links": {f"{name} {direction}": label for name, direction, label in _links(scenario)},
        "assumptions": list(_assumptions(scenario, assets)),
    }


def _links(scenario: Scenario) -> Iterator[tuple[str, str, str]]:
    for name, link in scenario.links.items():
        for direction, rate in (("up", link.up), ("down", link.down)):
            yield name, direction, rate_label(rate)


def _assumptions(scenario: Scenario, assets: Assets) -> Iterator[str]:
    if scenario.regression:
        yield f"A request without an answer in time counts as the mean of the training data, {MEAN_COUNT:.2f}"
    if scenario.links:
        yield "Connections are warm (no handshakes)"
    if any(isinstance(costs, ModelCosts) for costs in assets.costs.values()):
        yield "Decision times are measured on the profiled machine and scaled with the codecs"


def warnings_of(scenario: Scenario, assets: Assets) -> list[str]:
    """Plain sentences on what a reader of the results should know."""
    found = []
    for costs in assets.costs.values():
        if isinstance(costs, ModelCosts):
            found += differences(costs.profile)
    deadlines_ms = [*scenario.deadlines_ms, *_own_deadlines_ms(scenario)]
    for name, link in scenario.links.items():
        for direction, rate in (("up", link.up), ("down", link.down)):
            found += rate_warnings(f"links.{name}.{direction}", direction, rate, deadlines_ms)
    return found


def _own_deadlines_ms(scenario: Scenario) -> Iterator[float]:
    for device in scenario.devices.values():
        if device.deadline is not None and device.deadline.distribution == "fixed":
            yield device.deadline.ms
