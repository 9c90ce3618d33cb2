"""Cuts and exits that a policy names, against the models that it names them of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from edgesim.scenario.policies import (
    AnyPolicy,
    Anytime,
    DeviceOnly,
    ExitsThenImage,
    FixedCut,
    RandomCut,
    Thresholds,
    Tiers,
)
from edgesim.scenario.problems import Problem, input_error
from edgesim.scenario.scenario import Scenario


class Depth(NamedTuple):
    """How deep a model is: its number of blocks and of exits."""

    blocks: int
    exits: int


Named = list[tuple[tuple[str | int, ...], int]]


def check_depths(scenario: Scenario, depths: Mapping[str, Depth]) -> None:
    """Refuse cuts and exits beyond the models of ``depths`` (by name), for whoever has read the models.

    Raises InputError with file, line and key.
    """
    problems = list(beyond(scenario, depths))
    if problems:
        raise input_error(scenario.document, problems)


def beyond(scenario: Scenario, depths: Mapping[str, Depth]) -> Iterator[Problem]:
    """Cuts, exits and thresholds of policies whose model on the device is in ``depths`` and has fewer."""
    for name, policy in scenario.policies.items():
        model, _ = scenario.models_of(name)
        if model in depths:
            yield from _beyond(("policies", name), policy, model, depths[model])


def _beyond(here: tuple[str, ...], policy: AnyPolicy, model: str, depth: Depth) -> Iterator[Problem]:
    blocks, exits = depth
    for key, cut in _cuts(policy):
        if cut > blocks:
            yield Problem((*here, *key), f"found {cut}, allowed: 0 to {blocks}, as model '{model}' has {blocks} blocks")
    for key, number in _exits(policy):
        if number >= exits:
            message = f"found {number}, allowed: 0 to {exits - 1}, as model '{model}' has {exits} exits"
            yield Problem((*here, *key), message)
    if isinstance(policy, Thresholds) and isinstance(policy.threshold, tuple) and len(policy.threshold) != exits - 1:
        message = f"found {len(policy.threshold)} thresholds, allowed: {exits - 1}, one for each exit but the last"
        yield Problem((*here, "threshold"), f"{message}, as model '{model}' has {exits} exits")


def _cuts(policy: AnyPolicy) -> Named:
    if isinstance(policy, FixedCut | Thresholds | Anytime) and policy.cut is not None:
        return [(("cut",), policy.cut)]
    if isinstance(policy, RandomCut | Tiers):
        return [(("cuts", position), cut) for position, cut in enumerate(policy.cuts or ())]
    return []


def _exits(policy: AnyPolicy) -> Named:
    if isinstance(policy, DeviceOnly) and policy.exit is not None:
        return [(("exit",), policy.exit)]
    if isinstance(policy, ExitsThenImage):
        return [(("exits", position), number) for position, number in enumerate(policy.exits or ())]
    return []
