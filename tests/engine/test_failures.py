"""Nodes that fail or leave, links that die, bursts, slow-downs, and devices that go on alone."""

import numpy as np
import pytest
from little_worlds import at_times, device, link, linked, run, toy, world

MB = {"process": "constant", "rate_mbps": 8}  # 1,000 bytes take 1 ms
SENDS = {"type": "fixed_cut", "cut": 1, "codec": "int8"}


def one(folder, times, events, **changes):
    """One device and one server; both blocks take 100 ms, the cut between them 1,000 bytes, the answer 1,000."""
    cam = device(link="l", server="edge", arrivals=at_times(folder, times), **changes.pop("cam", {}))
    parts = {
        "models": {"toy": toy([100, 100], exits=[1, 2], accuracy=[0.6, 0.8])},
        "devices": {"cam": cam},
        "links": {"l": link(MB, MB)},
        "servers": {"edge": {"result_bytes": 1000, **changes.pop("edge", {})}},
        "policies": {"p": SENDS},
        "events": events,
    }
    return world(folder=folder, **{**parts, **changes})


def down(node, at_s, for_s):
    return {"what": "down", "node": node, "at_s": at_s, "for_s": for_s}


def test_a_server_that_is_away_loses_what_it_holds_and_what_comes(tmp_path):
    # They reach the server at 1.101, 1.201 (waits), 1.901 (down), 3.101.
    tables = run(one(tmp_path, [1.0, 1.1, 1.8, 3.0], {"crash": down("edge", 1.15, 1.0)}))
    assert tables.requests.end.tolist() == ["dropped", "dropped", "dropped", "on_time"]
    assert tables.requests.reason.tolist() == ["server down"] * 3 + [""]
    assert tables.requests.server_s.tolist() == pytest.approx([0.049, 0.0, 0.0, 0.1])
    assert tables.requests.wasted_s.tolist()[0] == pytest.approx(0.149)
    assert tables.node("edge").busy_s == pytest.approx(0.149)


def test_replicas_stand_in_for_each_other_until_all_are_away(tmp_path):
    both = run(one(tmp_path, [1.2, 3.0], {"crash": down("edge", 1.0, 1.0)}, edge={"count": 2}))
    assert both.requests.reason.tolist() == ["server down", ""]
    first = run(one(tmp_path, [1.2, 1.21], {"crash": down("edge-0", 1.0, 1.0)}, edge={"count": 2}))
    assert first.node("edge-0").served == 0 and first.node("edge-1").served == 2


def test_an_answer_that_has_left_a_server_survives_it(tmp_path):
    row = run(one(tmp_path, [1.0], {"crash": down("edge", 1.2015, 1.0)})).requests.iloc[0]
    assert (row.end, row.latency_s) == ("on_time", pytest.approx(0.202))


def test_a_batch_is_lost_as_a_whole(tmp_path):
    edge = {"batch": {"max_size": 2, "max_wait_ms": 200}}
    cam = {"count": 2}
    tables = run(one(tmp_path, [1.0, 2.0], {"crash": down("edge", 1.15, 0.1)}, edge=edge, cam=cam))
    assert tables.requests.end.tolist() == ["dropped", "dropped", "on_time", "on_time"]
    assert tables.node("edge").busy_s == pytest.approx(0.049 + 0.2)  # a batch of two takes twice as long


def test_a_device_that_is_away_drops_what_it_holds(tmp_path):
    # At 1.15 it works on the second request, the third waits; the first is at the server, its answer comes at 1.202.
    times = [1.0, 1.1, 1.12, 1.3, 3.0]
    tables = run(one(tmp_path, times, {"off": down("cam", 1.15, 1.0)}))
    assert tables.requests.end.tolist() == ["dropped"] * 4 + ["on_time"]
    assert set(tables.requests.reason[:4]) == {"device down"}
    assert tables.answers.number.tolist() == [4]


def test_bytes_that_have_not_left_a_dying_device_are_lost(tmp_path):
    slow = {"process": "constant", "rate_mbps": 0.08}  # 1,000 bytes take 100 ms
    scenario = one(tmp_path, [1.0, 2.0], {"off": down("cam", 1.15, 0.5)}, links={"l": link(slow, MB)})
    tables = run(scenario)
    assert tables.requests.end.tolist() == ["dropped", "on_time"]
    up = tables.links[tables.links.direction == "up"].iloc[0]
    assert (up.bytes, up.delivered_bytes, up.lost_bytes) == (2000, 1000, 1000)


def test_a_dead_link_makes_a_transfer_wait(tmp_path):
    dead = {"what": "link", "link": "l", "direction": "up", "at_s": 1.05, "for_s": 1.0}
    row = run(one(tmp_path, [1.0], {"dead": dead})).requests.iloc[0]
    assert row.latency_s == pytest.approx(1.05 + 0.001 + 0.1 + 0.001)
    assert row.uplink_s == pytest.approx(0.951)


def test_a_dead_cell_makes_its_transfers_wait(tmp_path):
    dead = {"what": "link", "link": "l", "at_s": 1.05, "for_s": 1.0}
    row = run(one(tmp_path, [1.0], {"dead": dead}, links={"l": link(MB, MB, sharing="cell")})).requests.iloc[0]
    assert row.latency_s == pytest.approx(1.05 + 0.001 + 0.1 + 0.001)


def test_a_slow_node_takes_longer(tmp_path):
    slow = {"what": "slow", "node": "edge", "factor": 3, "at_s": 1.5, "for_s": 1.0}
    found = run(one(tmp_path, [1.0, 2.0, 3.0], {"slow": slow})).requests
    assert found.server_s.tolist() == pytest.approx([0.1, 0.3, 0.1])
    assert found.device_compute_s.tolist() == pytest.approx([0.1] * 3)


def test_a_burst_brings_more_arrivals_and_moves_no_other_draw(tmp_path):
    burst = {"what": "arrivals", "devices": "cam", "factor": 4, "at_s": 10, "for_s": 10}
    quiet, busy = (run(world(duration_s=40, devices={"cam": linked(20)}, events=events)).requests
                   for events in ({}, {"burst": burst}))  # fmt: skip
    before = busy.arrival_s < 10
    assert busy.arrival_s[before].tolist() == quiet.arrival_s[: before.sum()].tolist()
    during = ((busy.arrival_s >= 10) & (busy.arrival_s < 20)).sum()
    assert abs(during - 800) < 4 * 800**0.5 and abs(during - 200) > 4 * 200**0.5
    assert busy["sample"][: len(quiet)].tolist() == quiet["sample"].tolist()


def test_a_device_goes_on_alone_when_no_answer_comes(tmp_path):
    cam = {"fallback": {"timeout_ms": 300}}
    found = run(one(tmp_path, [1.0, 3.0], {"crash": down("edge", 0.5, 1.5)}, cam=cam)).requests
    assert found.latency_s.tolist() == pytest.approx([0.1 + 0.3 + 0.1, 0.202])
    assert found.exit.tolist() == [1, 1] and found.answers.tolist() == [1, 1]
    assert found.end.tolist() == ["on_time", "on_time"]


def test_who_waits_for_ever_keeps_nothing(tmp_path):
    found = run(one(tmp_path, [1.0], {"crash": down("edge", 0.5, 1.5)})).requests
    assert found.end.tolist() == ["dropped"]


def test_an_answer_in_time_spares_the_device_the_rest(tmp_path):
    found = run(one(tmp_path, [1.0, 1.1], {}, cam={"fallback": {"timeout_ms": 300}})).requests
    assert found.device_compute_s.tolist() == pytest.approx([0.1, 0.1])
    assert found.latency_s.tolist() == pytest.approx([0.202, 0.202])


def test_an_answer_after_the_timeout_may_come_second(tmp_path):
    slow = {"what": "slow", "node": "edge", "factor": 5, "at_s": 0.0}
    row = run(one(tmp_path, [1.0], {"slow": slow}, cam={"fallback": {"timeout_ms": 200}})).requests.iloc[0]
    assert row.latency_s == pytest.approx(0.4) and row.answers == 2


def test_a_server_fails_at_random_for_its_share_of_the_time():
    gap_ms = {"distribution": "exponential", "mean_ms": 3000}
    crash = {"what": "down", "node": "edge", "gap_ms": gap_ms, "length_ms": 1000}
    scenario = world(
        duration_s=600, devices={"cam": linked(10, fallback={"timeout_ms": 2000})}, events={"crash": crash}
    )
    shares = [(run(scenario, replication=number).requests.latency_s > 1.5).mean() for number in range(4)]
    assert np.mean(shares) == pytest.approx(1 / 4, abs=0.03)
    assert np.std(shares) > 0
