"""``Engine.next_decision`` and ``apply`` are the plain run, a decision at a time."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from little_worlds import EXPONENTIAL, Tables, link, linked, run, toy, world

from edgesim.engine.world import World
from edgesim.policies.registry import build_policy

MODEL = toy([3.0, EXPONENTIAL, 4.0], exits=[1, 2, 3], accuracy=[0.5, 0.7, 0.9], state_bytes=[2000, 1500, 500])
POLICIES: dict[str, Any] = {
    "local": {"type": "device_only"},
    "split": {"type": "fixed_cut", "cut": 1, "codec": "int8"},
    "anytime": {"type": "anytime", "cut": 2},
    "neuro": {"type": "neurosurgeon"},
    "hedge": {"type": "little_policies:HedgeThenCancel"},
    "wait": {"type": "little_policies:SendWaitAnswer"},
}


def outside(world: World) -> None:
    """Asks policies of its own, which the world's devices do not have."""
    engine, cell = world.engine, world.cell
    assert all(device.policy is None for device in world.devices)
    policies = {}
    for device, spec in zip(world.devices, world.classes, strict=True):
        policy = build_policy(cell.spec, world.models)
        link = None if spec.link is None else world.scenario.links[spec.link]
        policy.prepare(world._facts(policy.needs, device.name, spec.server or "", spec, link, is_device=True))
        policies[device.name] = policy
    asked = 0
    while (decision := engine.next_decision()) is not None:
        engine.apply(decision, policies[decision.node.name].next_steps(decision.request, decision.view))
        asked += 1
    assert asked > 0.9 * sum(device.arrived for device in world.devices) > 0
    assert engine.next_decision() is None


def rows(tables: Tables) -> pd.DataFrame:
    return tables.requests.sort_values(["device", "number"], ignore_index=True)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_same_rows_as_the_plain_run(policy: str) -> None:
    deadline = {"distribution": "uniform", "low_ms": 20, "high_ms": 90}
    devices = {"a": linked(25, count=2, deadline=deadline, after_deadline="abort"), "b": linked(20, link="c")}
    links = {"l": link(2, 5, delay_ms=4), "c": link(3, 5, delay_ms=2, sharing="cell")}
    scenario = world(models={"toy": MODEL}, devices=devices, links=links, policies=POLICIES, duration_s=6)
    plain, driven = run(scenario, policy=policy), run(scenario, policy=policy, drive=outside)
    assert len(plain.requests) > 300
    pd.testing.assert_frame_equal(rows(plain), rows(driven), check_exact=True)
    for ahead, then in ((plain.links, driven.links), (plain.nodes, driven.nodes)):  # sums in another order
        pd.testing.assert_frame_equal(ahead, then, rtol=1e-11, atol=1e-12)
