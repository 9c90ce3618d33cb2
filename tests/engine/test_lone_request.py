"""A request that meets nobody takes the time that its closed form says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from little_worlds import Loaded, Tables, assets_of, at_times, device, link, linked, lucks, run, toy, world

from edgesim.engine.assets import Assets
from edgesim.outcomes.synthetic import synthetic_outcomes
from edgesim.policies.base import ModelShape
from edgesim.profiling.costs import ModelCosts
from edgesim.profiling.profile import shipped_profile
from edgesim.results.columns import STAGES
from edgesim.scenario.load import build_scenario

BLOCKS_MS: list[Any] = [
    1.5,
    {"distribution": "exponential", "mean_ms": 4},
    {"distribution": "uniform", "low_ms": 1, "high_ms": 9},
]
STATE_BYTES = [900, 5000, 700]
UP_BPS, DOWN_BPS, DELAY_S = 2.5e6, 1.5e6, 0.013
IDLE = 1.4
"""The factor of a processor that has never computed."""


def policy_at(cut: int | None) -> dict[str, Any]:
    if cut is None:
        return {"type": "device_only"}
    return {"type": "fixed_cut", "cut": cut, "codec": "int8" if cut else "png"}


def wire_bits(payload: int) -> int:
    return 8 * (payload + 66 * -(-payload // 1448))


def lone(folder: Path, cut: int | None) -> Tables:
    spec = linked(arrivals=at_times(folder, [1.25])) if cut is not None else device(arrivals=at_times(folder, [1.25]))
    scenario = world(
        models={"toy": toy(BLOCKS_MS, exits=[2, 3], accuracy=[0.6, 0.8], state_bytes=STATE_BYTES)},
        devices={"cam": {**spec, "power": {"idle_w": 2, "compute_w": 7, "send_w": 1.5, "receive_w": 0.5}}},
        links={"l": link(UP_BPS / 1e6, DOWN_BPS / 1e6, headers="tcp", delay_ms=1e3 * DELAY_S)},
        policies={"p": policy_at(cut)},
        folder=folder,
    )
    costs = Loaded(scenario.models["toy"])

    def deciding(world: Any) -> None:
        for node in (*world.devices, *world.servers.values()):
            node.decision_s = [1e-5, 2e-5, 3e-5]

    return run(scenario, assets_of(scenario, {"toy": costs}), prepare=deciding)


@pytest.mark.parametrize("cut", [None, 0, 1, 2, 3])
def test_latency_is_the_closed_form(tmp_path: Path, cut: int | None) -> None:
    """Decide, blocks, encode, wire bits / rate, delay, decide, decode, blocks, head, result, delay."""
    tables = lone(tmp_path, cut)
    (row,) = tables.requests.itertuples()
    scenario = tables.world.scenario
    costs = Loaded(scenario.models["toy"])
    (here,), (there,) = (lucks(scenario, node, "cam-0", 1) for node in ("cam-0", "edge"))
    head_s = costs.branch_s(0.5, 1)

    def piece_s(luck: float, start: int, stop: int) -> float:
        blocks_s = sum(costs.piece_s(luck, k, k + 1) - costs.overhead_s for k in range(start, stop))
        return (costs.overhead_s + blocks_s) if stop > start else 0.0

    def decide_s(luck: float) -> float:
        return 1e-5 * (1 + int(3 * luck))

    if cut in (None, 3):
        expected = decide_s(here) + IDLE * (costs.preprocess_s(here) + piece_s(here, 0, 3) + head_s)
    else:
        codec = "int8" if cut else "png"
        device_s = costs.encode_s(codec, cut, here) + piece_s(here, 0, cut) + (costs.preprocess_s(here) if cut else 0)
        server_s = costs.decode_s(codec, cut, there) + piece_s(there, cut, 3) + head_s
        server_s += 0 if cut else costs.preprocess_s(there)
        expected = decide_s(here) + IDLE * device_s + wire_bits(STATE_BYTES[cut]) / UP_BPS + DELAY_S
        expected += decide_s(there) + IDLE * server_s + wire_bits(8) / DOWN_BPS + DELAY_S
        assert row.energy_j == pytest.approx(
            5 * (decide_s(here) + IDLE * device_s)
            + 1.5 * wire_bits(STATE_BYTES[cut]) / UP_BPS
            + 0.5 * wire_bits(8) / DOWN_BPS,
            rel=1e-9,
        )
    assert row.latency_s == pytest.approx(expected, rel=1e-9, abs=0)
    assert sum(getattr(row, stage) for stage in STAGES) == pytest.approx(row.latency_s, rel=1e-9)
    assert (row.cut, row.codec) == ((3, "") if cut in (None, 3) else (cut, "int8" if cut else "png"))


@pytest.mark.parametrize("cut", [None, 0, 1, 5])
def test_latency_with_measured_costs(tmp_path: Path, cut: int | None) -> None:
    """The same with a shipped profile: measured rows, codecs, idle factor and decision times."""
    profile = shipped_profile("deit_tiny_patch16_224")
    costs = ModelCosts(profile)
    blocks, (last, *_) = costs.num_blocks, [len(costs.exits) - 1]
    state_bytes = [30_000] * blocks
    paths = [] if cut is None else [((cut, "int8" if cut else "png"),)]
    outcomes = {
        split: {
            "deit": synthetic_outcomes(
                "deit", costs.exits, [0.7] * len(costs.exits), 0.8, 50, state_bytes, paths, 1, split
            )
        }
        for split in ("test", "validation")
    }
    shape = ModelShape("deit", blocks, costs.exits, costs.cuts)
    kind = "device_only" if cut is None else "fixed_cut"
    decision_s = {kind: [4e-6, 5e-6, 9e-6]}
    assets = Assets({"deit": shape}, {"deit": costs}, outcomes["test"], outcomes["validation"], decision_s)
    scenario = build_scenario(
        {
            "name": "measured",
            "duration_s": 3,
            "replications": 1,
            "models": {"deit": {"source": "timm", "name": "deit_tiny_patch16_224"}},
            "devices": {"cam": {**linked(arrivals=at_times(tmp_path, [1.25])), "processor": {"factor": 3}}},
            "links": {"l": link(UP_BPS / 1e6, DOWN_BPS / 1e6, headers="tcp", delay_ms=1e3 * DELAY_S)},
            "servers": {"edge": {"processor": {"factor": 0.5}}},
            "policies": {"p": policy_at(cut)},
        },
        tmp_path,
    )
    (row,) = run(scenario, assets).requests.itertuples()
    (here,), (there,) = (lucks(scenario, node, "cam-0", 1) for node in ("cam-0", "edge"))
    idle = costs.idle_factor(1e9)
    decide_s = [3 * decision_s[kind][int(3 * here)], 0.5 * decision_s[kind][int(3 * there)]]
    if cut is None:
        compute_s = costs.preprocess_s(here) + costs.piece_s(here, 0, blocks) + costs.branch_s(here, last)
        expected = decide_s[0] + 3 * idle * compute_s
    else:
        codec = "int8" if cut else "png"
        device_s = costs.encode_s(codec, cut, here) + costs.piece_s(here, 0, cut)
        device_s += costs.preprocess_s(here) if cut else 0.0
        server_s = costs.decode_s(codec, cut, there) + costs.piece_s(there, cut, blocks) + costs.branch_s(there, last)
        server_s += 0.0 if cut else costs.preprocess_s(there)
        expected = decide_s[0] + 3 * idle * device_s + wire_bits(30_000) / UP_BPS + DELAY_S
        expected += decide_s[1] + 0.5 * idle * server_s + wire_bits(8) / DOWN_BPS + DELAY_S
    assert idle > 1
    assert row.latency_s == pytest.approx(expected, rel=1e-9, abs=0)
