"""How costs become times: idle processors, rows, branches, decisions, energy (rules 7 to 9, 12, 13 and 15)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from little_worlds import EXPONENTIAL, Loaded, Tables, assets_of, at_times, device, link, linked, lucks, run, toy, world

from edgesim.engine.world import World


def loaded(folder: Path, policy: dict[str, Any], model: dict[str, Any], **changes: Any) -> tuple[Tables, Loaded]:
    scenario = world(policies={"p": policy}, models={"toy": model}, folder=folder, **changes)
    costs = Loaded(scenario.models["toy"])
    return run(scenario, assets_of(scenario, {"toy": costs})), costs


def test_a_processor_is_slower_after_a_gap(tmp_path: Path) -> None:
    """The factor of the time since the device last computed, for every request; 1 where one waits for another."""
    spec = device(arrivals=at_times(tmp_path, [1.0, 1.001, 1.03, 1.2]))
    tables, costs = loaded(tmp_path, {"type": "device_only"}, toy([10.0]), devices={"cam": spec})
    rows = tables.requests
    ends = rows.arrival_s + rows.latency_s
    gaps = [1e9, *(rows.arrival_s + rows.device_wait_s).values[1:] - ends.values[:-1]]
    plain = [
        costs.piece_s(luck, 0, 1) + costs.preprocess_s(luck) + costs.branch_s(luck, 0)
        for luck in lucks(tables.world.scenario, "cam-0", "cam-0", 4)
    ]
    expected = [costs.idle_factor(gap) * seconds for gap, seconds in zip(gaps, plain, strict=True)]
    assert rows.device_compute_s.tolist() == pytest.approx(expected, rel=1e-9)
    assert gaps[1] == 0 and 0 < gaps[2] < 0.05 < gaps[3]
    assert costs.idle_factor(gaps[2]) > 1


def test_a_server_is_slower_after_a_gap(tmp_path: Path) -> None:
    spec = linked(arrivals=at_times(tmp_path, [1.0, 1.005, 1.3]))
    policy = {"type": "fixed_cut", "cut": 0, "codec": "raw"}
    tables, costs = loaded(tmp_path, policy, toy([10.0]), devices={"cam": spec})
    plain = [
        costs.decode_s("raw", 0, luck) + costs.preprocess_s(luck) + costs.piece_s(luck, 0, 1) + costs.branch_s(luck, 0)
        for luck in lucks(tables.world.scenario, "edge", "cam-0", 3)
    ]
    factors = tables.requests.server_s / plain
    assert factors.tolist() == pytest.approx([1.4, 1.0, 1.4], rel=1e-9)


def test_a_server_with_a_busy_worker_is_not_idle(tmp_path: Path) -> None:
    spec = linked(arrivals=at_times(tmp_path, [1.0, 1.06]))
    policy = {"type": "fixed_cut", "cut": 0, "codec": "raw"}
    servers = {"edge": {"workers": 2}}
    tables, costs = loaded(tmp_path, policy, toy([100.0]), devices={"cam": spec}, servers=servers)
    _, luck = lucks(tables.world.scenario, "edge", "cam-0", 2)
    plain = (
        costs.decode_s("raw", 0, luck) + costs.preprocess_s(luck) + costs.piece_s(luck, 0, 1) + costs.branch_s(luck, 0)
    )
    assert tables.requests.server_s.iloc[1] == pytest.approx(plain, rel=1e-9)


def test_a_whole_row_is_drawn(tmp_path: Path) -> None:
    """Two equal exponential blocks of one request take equally long, however the plan slices them."""
    model = toy([EXPONENTIAL, EXPONENTIAL], exits=[1, 2], accuracy=[0.5, 0.6], state_bytes=[1000] * 2)
    spec = device(20)
    policies = {"p": {"type": "anytime"}, "whole": {"type": "device_only"}}
    scenario = world(models={"toy": model}, devices={"cam": spec}, policies=policies)
    tables = run(scenario)
    first, second = (tables.answers[tables.answers.exit == index].set_index("number").time_s for index in (0, 1))
    begun = tables.requests.set_index("number").device_wait_s
    assert (second - first).values == pytest.approx((first - begun).values, rel=1e-6, abs=1e-9)
    whole = run(scenario, policy="whole").requests
    assert whole.device_compute_s.values == pytest.approx(tables.requests.device_compute_s.values, rel=1e-12)
    assert whole.device_compute_s.std() > 1.2 * np.sqrt(2) * 0.01


def test_only_branches_that_run_cost(tmp_path: Path) -> None:
    model = toy([10.0, 10.0], exits=[1, 2], accuracy=[0.5, 0.6], state_bytes=[1000] * 2, branch_ms=[3.0, 5.0])
    for policy, seconds in (("device_only", 0.025), ("anytime", 0.028)):
        scenario = world(
            models={"toy": model},
            devices={"cam": device(arrivals=at_times(tmp_path, [1.0]))},
            policies={"p": {"type": policy}},
            folder=tmp_path,
        )
        assert run(scenario).requests.device_compute_s.tolist() == pytest.approx([seconds])


def test_deciding_occupies_the_processor(tmp_path: Path) -> None:
    """A decision is a draw of the measured times, at the node that decides, and the next request waits for it."""
    spec = linked(arrivals=at_times(tmp_path, [1.0, 1.0, 1.0]))
    policies = {"p": {"type": "fixed_cut", "cut": 0, "codec": "raw"}}
    scenario = world(models={"toy": toy([0.0])}, devices={"cam": spec}, policies=policies, folder=tmp_path)

    def slow(world: World) -> None:
        world.devices[0].decision_s = [0.01, 0.02]
        world.servers["edge"].decision_s = [0.1]

    rows = run(scenario, prepare=slow).requests.sort_values("number")
    expected = [0.01 if luck < 0.5 else 0.02 for luck in lucks(scenario, "cam-0", "cam-0", 3)]
    assert rows.decide_s.tolist() == expected
    assert rows.device_wait_s.tolist() == pytest.approx([0.0, expected[0], sum(expected[:2])], abs=1e-12)
    assert rows.server_s.tolist() == pytest.approx([0.1] * 3)


def test_sending_runs_beside_computing(tmp_path: Path) -> None:
    """The second request computes while the first one is on the uplink."""
    spec = linked(arrivals=at_times(tmp_path, [1.0, 1.0]))
    policies = {"p": {"type": "fixed_cut", "cut": 1, "codec": "int8"}}
    models = {"toy": toy([20.0, 0.0], exits=[2], state_bytes=[1000] * 2)}
    links = {"l": link(0.08)}
    rows = run(world(models=models, devices={"cam": spec}, links=links, policies=policies, folder=tmp_path)).requests
    rows = rows.sort_values("number")
    assert rows.device_wait_s.tolist() == pytest.approx([0.0, 0.02])
    assert rows.uplink_wait_s.tolist() == pytest.approx([0.0, 0.08], abs=1e-9)
    assert rows.latency_s.tolist() == pytest.approx([0.12, 0.22])


def test_waiting_gives_the_processor_back(tmp_path: Path) -> None:
    """The second request runs while the first one waits; nothing is decoded at home."""
    spec = linked(arrivals=at_times(tmp_path, [1.0, 1.001]))
    policy = {"type": "little_policies:SendWaitAnswer"}
    links = {"l": link({"process": "steps", "steps": [[0, 1], [0.5, 0]]})}
    tables, costs = loaded(tmp_path, policy, toy([10.0]), devices={"cam": spec}, links=links)
    first, second = tables.requests.sort_values("number").itertuples()
    assert second.device_wait_s < 0.03
    for row, luck in zip((first, second), lucks(tables.world.scenario, "cam-0", "cam-0", 2), strict=True):
        assert row.answers == 1
        seconds = costs.preprocess_s(luck) + costs.piece_s(luck, 0, 1) + costs.branch_s(luck, 0)
        assert seconds <= row.device_compute_s <= 1.4 * seconds
        assert row.latency_s >= 0.05 + seconds
    assert first.latency_s == pytest.approx(0.05 + first.device_compute_s, rel=1e-9)


POWER = {"idle_w": 2.5, "compute_w": 6.0, "send_w": 1.0, "receive_w": 0.75}


@pytest.mark.parametrize("policy", ["split", "local", "random", "anytime"])
def test_energy_of_requests_and_of_nodes_agree(tmp_path: Path, policy: str) -> None:
    """Above idle: power x busy time of processor, uplink and downlink; idle beside it (rule 15)."""
    times = np.random.default_rng(4).uniform(0, 15, 300)
    model = toy([3.0, EXPONENTIAL, 4.0], exits=[1, 3], accuracy=[0.5, 0.9], state_bytes=[2000, 1500, 500])
    policies = {
        "split": {"type": "fixed_cut", "cut": 1, "codec": "int8"},
        "local": {"type": "device_only"},
        "random": {"type": "random"},
        "anytime": {"type": "anytime", "cut": 2},
    }
    scenario = world(
        models={"toy": model},
        devices={"cam": linked(arrivals=at_times(tmp_path, sorted(times.tolist())), power=POWER)},
        links={"l": link(2, 0.05, delay_ms=3, headers="tcp")},
        policies=policies,
        folder=tmp_path,
    )
    tables = run(scenario, assets_of(scenario, {"toy": Loaded(scenario.models["toy"])}), policy=policy)
    rows = tables.requests
    by = tables.links.set_index("direction").busy_s
    own = 3.5 * (rows.decide_s + rows.device_compute_s + rows.encode_s) + 1.0 * rows.uplink_s + 0.75 * rows.downlink_s
    assert rows.energy_j.values == pytest.approx(own.values, rel=1e-9)
    total = 3.5 * tables.node("cam-0").busy_s + 1.0 * by["up"] + 0.75 * by["down"]
    assert rows.energy_j.sum() == pytest.approx(total, rel=1e-9)
    assert tables.node("cam-0").energy_idle_j == pytest.approx(2.5 * 20)
