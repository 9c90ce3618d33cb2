"""Which simulations a scenario asks for."""

from __future__ import annotations

from typing import Any

from edgesim.engine.world import Cell, known_deadline
from edgesim.errors import InputError
from edgesim.policies.base import Needs, Policy
from edgesim.policies.registry import BUILT_IN, build_policy, user_class
from edgesim.scenario.scenario import Scenario

KNOWLEDGE = ("none", "distribution", "exact")


def needs_of(spec: Any) -> Needs:
    """What a policy of a scenario must be given.  The static best is found anew for every deadline of the axis."""
    if spec.type == "static_best":
        return Needs(deadline="distribution", statistics=True)
    policy: type[Policy] = BUILT_IN[spec.type] if spec.type in BUILT_IN else user_class(spec)
    return policy.needs


def check_needs(scenario: Scenario) -> None:
    """Refuse policies that cannot be made or are not given what they need.

    Raises InputError with file, line and key.
    """
    for name, spec in scenario.policies.items():
        needs = _loaded(scenario, name)
        if needs.truth and scenario.execution == "live":
            raise scenario.error(f"policies.{name}", "an oracle looks its answers up, execution live has no tables")
        if needs.confidence and scenario.regression:
            raise scenario.error(
                f"policies.{name}.type",
                f"found {spec.type}, which needs confidence, entropy or margin; allowed where data asks for counts: "
                "policies that need none of them",
            )
        for device_class, device in scenario.devices.items():
            known = known_deadline(device)
            if KNOWLEDGE.index(known) < KNOWLEDGE.index(needs.deadline):
                raise scenario.error(
                    f"policies.{name}",
                    f"{spec.type} needs a deadline whose knowledge is '{needs.deadline}', "
                    f"found '{known}' at devices.{device_class}.deadline.known",
                )


def _loaded(scenario: Scenario, name: str) -> Needs:
    """What a policy needs, once it has been found to exist and to take its options."""
    spec = scenario.policies[name]
    try:
        needs = needs_of(spec)
        if spec.type != "static_best":
            build_policy(spec, scenario.models_of(name))
    except InputError as error:
        raise scenario.error(f"policies.{name}", str(error)) from error
    return needs


def reacts_to_deadlines(scenario: Scenario) -> bool:
    """Whether something in the world itself depends on deadlines, so that no run can be thresholded afterwards."""
    devices, servers = scenario.devices.values(), scenario.servers.values()
    if any(any(server.asks_deadlines()) for server in servers):
        return True
    return "abort" in {*(each.after_deadline for each in devices), *(each.after_deadline for each in servers)}


def plan_cells(scenario: Scenario) -> list[Cell]:
    """Every policy on every replication.

    A policy that uses the deadline, or any policy in a world that reacts to it, is run anew for every deadline of the
    axis under the same draws; the others are run once, at the devices' own deadlines, and thresholded afterwards.
    """
    reacts = reacts_to_deadlines(scenario)
    cells = []
    for name, spec in scenario.policies.items():
        anew = reacts or needs_of(spec).deadline != "none"
        deadlines: tuple[float | None, ...] = scenario.deadlines_ms if anew and scenario.deadlines_ms else (None,)
        cells += [
            Cell(name, spec, deadline_ms, replication)
            for deadline_ms in deadlines
            for replication in range(scenario.replications)
        ]
    return cells
