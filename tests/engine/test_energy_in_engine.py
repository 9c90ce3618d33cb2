"""Radios and batteries in whole worlds: what requests are charged, what the device spends beside, what remains."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from little_worlds import EXPONENTIAL, Tables, assets_of, at_times, device, link, linked, run, toy, world

from edgesim.compute.meter import Meter
from edgesim.network.radio_power_presets import RADIO_PRESETS

DEIT_BYTES = 37_824
TAIL = {"tail_w": 1.5, "tail_s": 0.4, "promotion_w": 2.5, "promotion_s": 0.05}
IMAGE = {"type": "server_only", "codec": "raw"}
QUIET = {"what": "arrivals", "devices": "cam", "factor": 0, "at_s": 25}
NOT_AT_ALL = {"process": "steps", "steps": [[0, 4], [2, 0.3], [5, 0], [6, 9]], "ends": "loop"}
POLICIES: dict[str, Any] = {
    "local": {"type": "device_only"},
    "split": {"type": "fixed_cut", "cut": 1, "codec": "int8"},
    "anytime": {"type": "anytime", "cut": 1},
    "cancel": {"type": "little_policies:HedgeThenCancel"},
    "wait": {"type": "little_policies:SendWaitAnswer"},
    "random": {"type": "random"},
}


def power(**radio: Any) -> dict[str, Any]:
    return {"idle_w": 0.5, "compute_w": 2.0, "radio": radio}


# Requests


@pytest.mark.parametrize(
    ("preset", "rate_mbps", "joules", "tail_w", "tail_s", "waking_j"),
    [
        ("lte", 6.0, 0.198, 1.060, 11.576, 1.2107 * 0.260),
        ("wifi", 18.88, 0.0878, 0.119, 0.24, 0.0),
        ("5g-mmwave", 100.0, 19.8e-3, 0.0, 0.0, 0.0),
    ],
)
@pytest.mark.parametrize("sharing", ["fifo", "cell"])
def test_worked_examples_by_a_lone_request(
    tmp_path: Path,
    preset: str,
    rate_mbps: float,
    joules: float,
    tail_w: float,
    tail_s: float,
    waking_j: float,
    sharing: str,
) -> None:
    spent = {"idle_w": 0.0, "compute_w": 0.0, "radio": {"preset": preset}}
    cam = linked(arrivals=at_times(tmp_path, [1.0]), power=spent)
    scenario = world(
        folder=tmp_path, devices={"cam": cam}, links={"l": link(rate_mbps, 1e9, sharing=sharing)}, policies={"p": IMAGE}
    )
    tables = run(scenario, assets_of(scenario, payload_bytes=lambda count: np.full(count, DEIT_BYTES)))
    assert tables.requests.energy_j[0] == pytest.approx(joules, rel=3e-3)
    between_j = tail_w * min(tables.requests.server_s[0], tail_s)  # image and answer
    assert tables.node("cam-0").energy_tail_j == pytest.approx(tail_w * tail_s + between_j + waking_j, rel=1e-6)


@pytest.mark.parametrize("preset", RADIO_PRESETS)
def test_bits_seconds_and_packets_are_charged(preset: str) -> None:
    """Against what the links have counted."""
    cam = linked(5, power={**power(preset=preset), "idle_w": 0.0})
    links = {"l": link(NOT_AT_ALL, 2, headers="tcp", loss={"process": "bernoulli", "p": 0.2, "tries": 9})}
    tables = run(world(devices={"cam": cam}, links=links, duration_s=60, events={"quiet": QUIET}))
    law = RADIO_PRESETS[preset].values
    expected = 2.0 * tables.node("cam-0").busy_s
    for direction, way in (("up", "send"), ("down", "receive")):
        row = tables.links[tables.links.direction == direction].iloc[0]
        expected += law[f"{way}_uj_per_bit"] * 8e-6 * row.wire_bytes
        expected += law[f"{way}_w"] * row.busy_s
    found = tables.requests.energy_j.sum()
    if preset == "wifi-2001":
        assert found > expected
    else:
        assert found == pytest.approx(expected, rel=1e-9)


def test_packets_are_charged_one_by_one(tmp_path: Path) -> None:
    cam = linked(arrivals=at_times(tmp_path, [1.0]), power={**power(preset="wifi-2001"), "compute_w": 0.5})
    scenario = world(folder=tmp_path, devices={"cam": cam}, policies={"p": IMAGE})
    tables = run(scenario, assets_of(scenario, payload_bytes=lambda count: np.full(count, 4000)))
    expected = 1.9e-6 * 4000 + 420e-6 * ceil(4000 / 1514) + 0.42e-6 * 8 + 330e-6
    assert tables.requests.energy_j[0] == pytest.approx(expected, rel=1e-9)


def test_a_tail_goes_on_until_the_next_transfer(tmp_path: Path) -> None:
    """Image and answer take 10 ms each, 100 ms apart; the second request comes within the tail of the first."""
    cam = linked(arrivals=at_times(tmp_path, [1.0, 1.3, 5.0]), power=power(send_w=1, receive_w=1, **TAIL))
    scenario = world(
        folder=tmp_path,
        models={"toy": toy([100])},
        devices={"cam": cam},
        links={"l": link(8, 8)},
        servers={"edge": {"result_bytes": 10_000}},
        policies={"p": IMAGE},
    )
    tables = run(scenario, assets_of(scenario, payload_bytes=lambda count: np.full(count, 10_000)))
    tail_s = 3 * 0.1 + (0.3 - 0.12) + 2 * 0.4
    assert tables.node("cam-0").energy_tail_j == pytest.approx(1.5 * tail_s + 2 * 2.5 * 0.05)
    assert tables.requests.energy_j.tolist() == pytest.approx([0.02] * 3)


# The identity


def some_world(seed: int, folder: Path) -> Any:
    """Cameras whose batteries last now and then; nothing arrives in the last half."""
    draw = Random(seed)
    radio = draw.choice([{"preset": draw.choice(list(RADIO_PRESETS))}, {"send_w": 1.0, "receive_w": 0.7}])
    radio |= {"includes_idle": False, **(TAIL if draw.random() < 0.7 else {})}
    with_radio = {"idle_w": 0.2, "compute_w": 2.5, "radio": radio}
    plain = {"idle_w": 0.2, "compute_w": 2.5, "send_w": 1.2, "receive_w": 0.8}
    (folder / "sun.csv").write_text("time_s,power_w\n0,0\n4,1.5\n7,0.1\n9,3\n11,0\n15,0\n")
    harvest = draw.choice([None, {"process": "constant", "power_w": 0.6}, {"process": "trace", "file": "sun.csv"}])
    capacity_j = draw.choice([4.0, 12.0, 1e4])
    cam = linked(
        draw.choice([2, 10]),
        count=3,
        link=draw.choice(["own", "lossy", "cold", "cell", "csma"]),
        power=draw.choice([with_radio, with_radio, plain]),
        battery={"capacity_j": capacity_j, "cut_off_share": 0.1, "restart_share": 0.3, "harvest": harvest},
        deadline={"distribution": "uniform", "low_ms": 50, "high_ms": 900},
        after_deadline=draw.choice(["continue", "abort"]),
        queue={"bound": 3, "order": draw.choice(["fifo", "newest", "drop_oldest"])},
        **({"fallback": {"timeout_ms": 300}} if draw.random() < 0.3 else {}),
    )
    loss = {"process": "bernoulli", "p": 0.2, "tries": 3}
    links = {
        "own": link(NOT_AT_ALL, 1, delay_ms=5, headers="tcp"),
        "lossy": link(2, 1, delay_ms=5, loss=loss, jitter_ms=2),
        "cold": link(1, 1, delay_ms=20, connection="cold"),
        "cell": link(NOT_AT_ALL, 1, delay_ms=5, sharing="cell", loss=loss),
        "csma": link(1, 1, delay_ms=5, sharing="cell", discipline={"type": "csma"}),
    }
    off = {"what": "down", "node": "cam", "gap_ms": {"distribution": "exponential", "mean_ms": 8000}, "length_ms": 700}
    events = {"quiet": QUIET, **({"off": off} if draw.random() < 0.4 else {})}
    model = toy([30, EXPONENTIAL, 40], exits=[1, 3], accuracy=[0.5, 0.7], state_bytes=[20_000, 9000, 500])
    return world(
        folder=folder,
        duration_s=80,
        models={"toy": model},
        devices={"cam": cam},
        links=links,
        servers={"edge": {"after_deadline": draw.choice(["continue", "abort"]), "result_bytes": 2000}},
        events=events,
        policies=POLICIES,
    )


def broken_sums(tables: Tables) -> list[str]:
    """Devices for which requests + idle + tails are not what the battery gave, or that does not fit its level."""
    broken = []
    for node in tables.nodes[tables.nodes.node != "edge"].itertuples():
        requests_j = tables.requests[tables.requests.device == node.node].energy_j.sum()
        total_j = requests_j + node.energy_idle_j + node.energy_tail_j
        level_j = node.battery_start_j + node.battery_harvested_j - node.battery_spilled_j - node.battery_drawn_j
        if total_j != pytest.approx(node.battery_drawn_j, rel=1e-9) or level_j != pytest.approx(
            node.battery_end_j, rel=1e-9, abs=1e-9
        ):
            broken.append(f"{node.node}: {total_j} and {node.battery_drawn_j}, {level_j} and {node.battery_end_j}")
    return broken


SEEDS = range(24)


def some_run(seed: int, folder: Path) -> Tables:
    return run(some_world(seed, folder), policy=list(POLICIES)[seed % len(POLICIES)])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Tables]:
    folder = tmp_path_factory.mktemp("worlds")
    return [some_run(seed, folder) for seed in SEEDS]


@pytest.mark.parametrize("seed", SEEDS)
def test_requests_idle_and_tails_are_what_the_battery_gave(runs: list[Tables], seed: int) -> None:
    tables = runs[seed]
    assert tables.requests.end.ne("unfinished").all()
    assert broken_sums(tables) == []
    cams = tables.nodes[tables.nodes.node != "edge"]
    assert (cams.busy_s <= cams.window_s).all() and (tables.links.busy_s <= 80).all()
    assert (tables.requests.select_dtypes("number").drop(columns=["exit", "cut"]).fillna(0) >= -1e-9).all(axis=None)
    assert (cams.battery_end_j >= 0.1 * cams.battery_start_j - 1e-6).all()


def test_in_those_worlds_devices_die_at_work_and_come_back(runs: list[Tables]) -> None:
    reasons = pd.concat([each.requests.reason for each in runs])
    nodes = pd.concat([each.nodes for each in runs])
    assert {"battery empty", "device down"} <= set(reasons)
    assert nodes.away_s.gt(0).sum() > 20 and nodes.energy_tail_j.gt(0).sum() > 20


def test_draws_five_percent_off_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("draw", "cut"):
        told = getattr(Meter, name)
        monkeypatch.setattr(
            Meter, name, lambda meter, start_s, stop_s, w, told=told: told(meter, start_s, stop_s, 1.05 * w)
        )
    assert all(broken_sums(some_run(seed, tmp_path)) for seed in SEEDS[:6])


def test_tails_five_percent_off_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tail_j = Meter.tail_j
    monkeypatch.setattr(Meter, "tail_j", lambda meter, now_s: 1.05 * tail_j(meter, now_s))
    spoilt = [some_run(seed, tmp_path) for seed in SEEDS[:6]]
    with_tails = [each for each in spoilt if each.nodes.energy_tail_j.max() > 0]
    assert with_tails and all(map(broken_sums, with_tails))


# Batteries


def idle(folder: Path, times: list[float], **changes: Any) -> Any:
    """A camera of 1 W, 2 W more while it computes, which takes 1 s, or sends, which takes 2 s; it answers alone."""
    cam = {
        "arrivals": at_times(folder, times),
        "power": {"idle_w": 1, "compute_w": 3, "send_w": 2, "receive_w": 0},
        "battery": {"capacity_j": 10, "cut_off_share": 0.2, "restart_share": 0.5, **changes.pop("battery", {})},
    }
    spec = linked(**cam) if changes.pop("linked", False) else device(**cam)
    return world(
        folder=folder,
        models={"toy": toy([1000], state_bytes=[500])},
        devices={"cam": spec},
        links={"l": link(0.002, 1, **changes.pop("link", {}))},
        policies={"p": changes.pop("policy", {"type": "device_only"})},
        duration_s=60,
        **changes,
    )


def test_a_battery_empties_by_idling_alone(tmp_path: Path) -> None:
    """8 J above the cut-off at 1 W; requests that come later are dropped."""
    tables = run(idle(tmp_path, [8.0001, 20.0]))
    assert tables.requests.reason.tolist() == ["battery empty"] * 2
    node = tables.node("cam-0")
    assert node.away_s == pytest.approx(52) and node.energy_idle_j == pytest.approx(8)
    assert (node.battery_start_j, node.battery_drawn_j, node.battery_end_j) == pytest.approx((10, 8, 2))


def test_a_device_that_dies_within_a_piece_has_spent_what_it_worked(tmp_path: Path) -> None:
    """At 6 s 4 J remain, 2 above the cut-off, and 3 W are drawn."""
    tables = run(idle(tmp_path, [6.0]))
    row, node = tables.requests.iloc[0], tables.node("cam-0")
    assert (row.end, row.reason) == ("dropped", "battery empty")
    assert row.energy_j == row.wasted_j == pytest.approx(2 * 2 / 3)
    assert row.device_compute_s == row.wasted_s == node.busy_s == pytest.approx(2 / 3)
    assert node.away_s == pytest.approx(60 - 6 - 2 / 3) and node.battery_drawn_j == pytest.approx(8)


@pytest.mark.parametrize("sharing", ["fifo", "cell"])
def test_a_device_that_dies_within_a_transfer_has_spent_what_it_sent(tmp_path: Path, sharing: str) -> None:
    """500 bytes at 2 kb/s take 2 s, of which 2/3 s are left."""
    tables = run(
        idle(tmp_path, [6.0], linked=True, link={"sharing": sharing}, policy=IMAGE),
        assets_of(idle(tmp_path, [6.0], linked=True, policy=IMAGE), payload_bytes=lambda count: np.full(count, 500)),
    )
    row, node = tables.requests.iloc[0], tables.node("cam-0")
    assert (row.end, row.reason) == ("dropped", "battery empty")
    assert row.energy_j == pytest.approx(2 * 2 / 3) and node.battery_drawn_j == pytest.approx(8)
    up = tables.links[tables.links.direction == "up"].iloc[0]
    assert (up.delivered_bytes, up.lost_bytes) == (0, 500) and up.busy_s == pytest.approx(2 / 3)


def test_it_comes_back_with_the_sun(tmp_path: Path) -> None:
    """Empty at 8 s; from 20 s on 1.5 W come in, so that 5 J are there at 22 s, and 0.5 W remain of them."""
    (tmp_path / "sun.csv").write_text("time_s,power_w\n0,0\n20,1.5\n1000,0\n")
    harvest = {"process": "trace", "file": "sun.csv", "offset": "none"}
    tables = run(idle(tmp_path, [21.9, 22.1, 40.0], battery={"harvest": harvest}))
    assert tables.requests.end.tolist() == ["dropped", "on_time", "on_time"]
    node = tables.node("cam-0")
    assert node.away_s == pytest.approx(14) and node.battery_harvested_j == pytest.approx(60)
    spilled_j = node.battery_spilled_j
    assert node.battery_end_j == pytest.approx(10 + 60 - spilled_j - 8 - 38 - 2 * 2)


def test_harvest_and_arrivals_are_the_same_whatever_the_policy(tmp_path: Path) -> None:
    """Between worlds in which no battery fills up or dies, all that comes in is the same, and differs by device."""
    (tmp_path / "sun.csv").write_text("time_s,power_w\n0,1\n4,1.5\n7,0.1\n9,3\n11,0\n15,0\n")
    battery = {"capacity_j": 1e6, "initial_share": 0.5, "harvest": {"process": "trace", "file": "sun.csv"}}
    cam = linked(5, count=3, power=power(preset="lte"), battery=battery)
    model = toy([30, 40], exits=[1, 2], accuracy=[0.5, 0.7])
    scenario = world(
        folder=tmp_path, models={"toy": model}, devices={"cam": cam}, policies=POLICIES, duration_s=7, drain_s=0
    )
    found = {name: run(scenario, policy=name) for name in POLICIES}
    first = found["local"]
    harvests = first.nodes.battery_harvested_j[:3].tolist()
    assert len(set(harvests)) == 3
    for each in found.values():
        assert each.nodes.battery_harvested_j[:3].tolist() == pytest.approx(harvests, rel=1e-9)
        assert each.requests.arrival_s.tolist() == first.requests.arrival_s.tolist()
    assert len({each.nodes.battery_drawn_j[0] for each in found.values()}) > 3


def test_a_policy_sees_the_level(tmp_path: Path) -> None:
    """The first request takes 1 s of 3 W."""
    seen: list[float | None] = []

    def watch(world: Any) -> None:
        device, (edge,) = world.devices[0], world.servers.values()
        asked = device.policy.next_steps
        device.policy.next_steps = lambda request, view: (seen.append(view.battery_share), asked(request, view))[1]
        seen.append(edge.view.battery_share)

    run(idle(tmp_path, [1.0, 3.0], linked=True, policy={"type": "little_policies:LocalAnew"}), prepare=watch)
    assert seen == [None, pytest.approx(0.9), pytest.approx(0.5)]
