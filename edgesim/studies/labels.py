"""Honest labels: what in a run is measured, scaled, synthetic or assumed, and what to beware of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from edgesim.data.scenes import MEAN_COUNT
from edgesim.engine.assets import Assets
from edgesim.engine.world import replication_root
from edgesim.profiling.costs import ModelCosts
from edgesim.profiling.differences import differences
from edgesim.scenario.devices import DeviceClass
from edgesim.scenario.rates import radio_of
from edgesim.scenario.scenario import Scenario
from edgesim.scenario.servers import Server
from edgesim.studies.power_labels import power_labels
from edgesim.studies.rate_labels import is_warped, preset_label, rate_label, rate_warnings, steady_warning


def labels_of(scenario: Scenario, assets: Assets, oracles: Sequence[str]) -> dict[str, Any]:
    """What marks the numbers of a run: ``oracles``, ``costs`` by "MODEL on NODE", ``outcomes``, ``links``,
    ``assumptions`` (sentences)."""
    costs = {
        f"{model} on {name}": assets.on(node.processor, model).label
        for name, node in _nodes(scenario)
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


def _nodes(scenario: Scenario) -> list[tuple[str, DeviceClass | Server]]:
    return [*scenario.devices.items(), *scenario.servers.items()]


def _links(scenario: Scenario) -> Iterator[tuple[str, str, str]]:
    for name, link in scenario.links.items():
        for direction, rate in (("up", link.up), ("down", link.down)):
            yield name, direction, preset_label(link, rate, direction) or rate_label(rate)


def _assumptions(scenario: Scenario, assets: Assets) -> Iterator[str]:
    if scenario.regression:
        yield f"A request without an answer in time counts as the mean of the training data, {MEAN_COUNT:.2f}"
    if any(link.connection == "warm" for link in scenario.links.values()):
        yield "Connections are warm (no handshakes)"
    if any(is_warped(rate) for link in scenario.links.values() for rate in (link.up, link.down)):
        yield (
            "Warped rates keep the mean that each path has over the run; mean transfer time still rises with their "
            "variability (Jensen)"
        )
    if any(radio_of(rate) for link in scenario.links.values() for rate in (link.up, link.down)):
        yield "Radio: one stream, no interference, perfect rate adaptation; handovers follow the signal, not the load"
    if any(isinstance(costs, ModelCosts) for costs in assets.costs.values()):
        yield "Decision times are measured on the profiled machine and scaled with the codecs"
    if scenario.profile_error is not None:
        yield f"Policies are told costs that are off by up to {scenario.profile_error.spread:.0%} (assumed)"
    if loaded := [name for name, node in _nodes(scenario) if node.processor.load is not None]:
        yield f"Load on {', '.join(loaded)}: a request keeps the speed that it meets; policies do not know of it"
    yield from power_labels(scenario)


def warnings_of(scenario: Scenario, assets: Assets) -> list[str]:
    """Plain sentences on what a reader of the results should know."""
    found = []
    for costs in assets.costs.values():
        if isinstance(costs, ModelCosts):
            found += differences(costs.profile)
    deadlines_ms = [*scenario.deadlines_ms, *_own_deadlines_ms(scenario)]
    for name, link in scenario.links.items():
        for direction, rate in (("up", link.up), ("down", link.down)):
            where = f"links.{name}.{direction}"
            found += rate_warnings(where, direction, rate, deadlines_ms)
            for owner in _owners(scenario, name)[:1]:
                root = replication_root(scenario.seed, 0)
                found += steady_warning(where, rate, scenario.duration_s, root, "rate", name, owner, direction)
    return found


def _owners(scenario: Scenario, link: str) -> list[str]:
    """By whom the rates of a link are keyed: the first device of each class that uses it, or nobody in a cell."""
    shared = scenario.links[link].sharing == "cell"
    return ["" if shared else f"{name}-0" for name, spec in scenario.devices.items() if spec.link == link]


def _own_deadlines_ms(scenario: Scenario) -> Iterator[float]:
    for device in scenario.devices.values():
        if device.deadline is not None and device.deadline.distribution == "fixed":
            yield device.deadline.ms
