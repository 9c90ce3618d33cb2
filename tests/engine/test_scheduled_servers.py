"""Servers that choose: bounded and ordered queues, admission, replicas, shared workers, imprecise computation."""

import numpy as np
import pytest
from little_worlds import at_times, device, link, linked, run, toy, world

from edgesim.errors import InputError

RAW = {"type": "fixed_cut", "cut": 0, "codec": "raw"}
EXACT = {"distribution": "fixed", "ms": 1000, "known": "exact"}


def many(folder, arrivals, server, blocks_ms=(100,), **changes):
    """Devices that send an image at once to a server whose blocks take 100 ms; arrivals: by device class."""
    exits = list(range(1, len(blocks_ms) + 1))
    accuracy = [0.5, 0.7, 0.9][-len(exits) :]
    parts = {
        "models": {"toy": toy(list(blocks_ms), exits=exits, accuracy=accuracy)},
        "devices": {
            name: device(link="l", server="edge", arrivals=at_times(folder, times), **more)
            for name, (times, more) in arrivals.items()
        },
        "servers": {"edge": server},
        "policies": {"p": RAW},
    }
    return world(folder=folder, **{**parts, **changes})


def ends(scenario, **options):
    found = run(scenario, **options).requests
    return {(row.device, row.number): (row.end, round(row.latency_s, 9)) for row in found.itertuples()}


def test_a_full_queue_turns_away_and_the_device_is_told(tmp_path):
    scenario = many(
        tmp_path, {"a": ([1.0, 1.01, 1.02, 1.03], {})}, {"queue": {"bound": 2}}, links={"l": link(delay_ms=5)}
    )
    found = run(scenario).requests
    assert found.end.tolist() == ["on_time"] * 3 + ["dropped"] and found.reason.tolist()[-1] == "rejected"
    assert found.bytes_down.tolist() == [8] * 4


def test_a_device_that_is_turned_away_goes_on_alone(tmp_path):
    server = {"queue": {"bound": 1}}
    scenario = many(tmp_path, {"a": ([1.0, 1.01, 1.02], {"fallback": {"timeout_ms": 10_000}})}, server)
    found = run(scenario).requests
    assert found.end.tolist() == ["on_time"] * 3
    assert found.latency_s.tolist() == pytest.approx([0.1, 0.19, 0.1])
    assert found.device_compute_s.tolist() == pytest.approx([0, 0, 0.1])


def test_the_most_urgent_is_next(tmp_path):
    early = {"deadline": {**EXACT, "ms": 300}}
    late = {"deadline": {**EXACT, "ms": 900}}
    found = ends(many(tmp_path, {"a": ([1.0, 1.01], late), "b": ([1.02], early)}, {"queue": {"order": "edf"}}))
    assert found[("b-0", 0)][1] == pytest.approx(0.18) and found[("a-0", 1)][1] == pytest.approx(0.29)
    urgent = {"priority": 0}
    found = ends(
        many(tmp_path, {"a": ([1.0, 1.01], {"priority": 3}), "b": ([1.02], urgent)}, {"queue": {"order": "priority"}})
    )
    assert found[("b-0", 0)][1] == pytest.approx(0.18) and found[("a-0", 1)][1] == pytest.approx(0.29)


def test_admission_by_the_expected_wait(tmp_path):
    times = [0.5, *(1 + 0.001 * number for number in range(6))]
    found = run(many(tmp_path, {"a": (times, {})}, {"admission": {"type": "max_wait", "max_wait_ms": 160}})).requests
    assert found.end.tolist() == ["on_time"] * 4 + ["dropped"] * 3  # 0.5, 1.5 services: 50 and 150 ms; then 250


def test_admission_by_the_deadline(tmp_path):
    times = [0.5, *(1 + 0.001 * number for number in range(6))]
    arrivals = {"a": (times, {"deadline": {**EXACT, "ms": 260}})}
    found = run(many(tmp_path, arrivals, {"admission": {"type": "deadline"}})).requests
    # The fourth is let in, as who is in service is taken to be half done, and has in truth just begun.
    assert found.end.tolist() == ["on_time"] * 3 + ["late"] + ["dropped"] * 3


def test_replicas_share_the_requests(tmp_path):
    server = {"count": 3, "balance": "round_robin"}
    tables = run(many(tmp_path, {"a": ([1.0, 1.01, 1.02, 1.03], {})}, server))
    assert tables.requests.latency_s.tolist() == pytest.approx([0.1, 0.1, 0.1, 0.17])
    assert tables.nodes.node.tolist() == ["a-0", "edge-0", "edge-1", "edge-2"]
    assert tables.nodes.served.tolist()[1:] == [2, 1, 1]


def test_a_replica_that_is_away_gets_nothing(tmp_path):
    crash = {"what": "down", "node": "edge-0", "at_s": 0.5}
    tables = run(many(tmp_path, {"a": ([1.0, 1.01, 1.5], {})}, {"count": 2}, events={"crash": crash}))
    assert (tables.requests.end == "on_time").all() and tables.nodes.served.tolist()[1:] == [0, 3]


def test_the_better_balancer_waits_less():
    waits = {}
    for balance in ("random", "two_choices", "least_work"):
        servers = {"edge": {"count": 5, "balance": balance}}
        scenario = world(duration_s=60, devices={"cam": linked(80, count=5)}, servers=servers)
        waits[balance] = np.mean([run(scenario, replication=number).requests.server_wait_s.mean() for number in (0, 1)])
    assert waits["least_work"] < 0.8 * waits["two_choices"] < 0.5 * waits["random"]


def test_shared_workers_serve_all_at_once(tmp_path):
    server = {"scheduler": {"type": "processor_sharing"}}
    tables = run(many(tmp_path, {"a": ([1.0, 1.05], {})}, server))
    # alone for 50 ms, then both at half speed: the first ends 100 ms later, the second 50 ms after that
    assert tables.requests.latency_s.tolist() == pytest.approx([0.15, 0.15])
    assert tables.requests.server_s.tolist() == pytest.approx([0.15, 0.15])
    assert tables.node("edge").busy_s == pytest.approx(0.2)
    assert tables.requests.wasted_s.tolist() == [0, 0]


@pytest.mark.parametrize("block", [{"distribution": "exponential", "mean_ms": 10}, 10.0], ids=["exponential", "fixed"])
def test_the_mean_sojourn_under_sharing_does_not_depend_on_the_distribution(block):
    servers = {"edge": {"scheduler": {"type": "processor_sharing"}}}
    scenario = world(duration_s=1000, models={"toy": toy([block])}, devices={"cam": linked(80)}, servers=servers)
    means = [run(scenario, replication=number).requests.server_s.mean() for number in range(8)]
    half = 3.5 * np.std(means, ddof=1) / np.sqrt(len(means))
    assert abs(np.mean(means) - 0.05) < half < 0.008


def staged(folder, deadlines_ms, **changes):
    """Requests that come to an imprecise server at once; each of three stages takes 100 ms."""
    arrivals = {
        f"d{number}": ([1.0 + 1e-4 * number], {"deadline": {**EXACT, "ms": ms}})
        for number, ms in enumerate(deadlines_ms)
    }
    server = {"queue": {"order": "edf"}, "scheduler": {"type": "imprecise", "quantum": 0}}
    return many(folder, arrivals, server, blocks_ms=(100, 100, 100), **changes)


def test_a_lone_request_is_run_as_deep_as_its_deadline_allows(tmp_path):
    for ms, exit, latency_s in ((350, 2, 0.3), (250, 1, 0.2), (150, 0, 0.1)):
        row = run(staged(tmp_path, [ms])).requests.iloc[0]
        assert (row.exit, row.end, row.latency_s) == (exit, "on_time", pytest.approx(latency_s))


def test_who_cannot_have_an_answer_in_time_is_told(tmp_path):
    row = run(staged(tmp_path, [50])).requests.iloc[0]
    assert (row.end, row.reason, row.server_s) == ("dropped", "no time", 0.0)


def test_depth_goes_where_it_is_worth_most(tmp_path):
    # 450 ms for two: the first stages of both (0.5 each), then 0.2 a stage until 400 ms are spent
    found = run(staged(tmp_path, [450, 450.1])).requests
    assert sorted(found.exit) in ([0, 2], [1, 1]) and (found.end == "on_time").all()
    assert found.server_s.sum() == pytest.approx(0.4)
    # 200 ms for three: two have an answer, the third has none
    found = run(staged(tmp_path, [200.3, 200.4, 200.5])).requests
    assert sorted(found.end) == ["dropped", "on_time", "on_time"]


def test_the_policy_bounds_the_depth(tmp_path):
    policies = {"p": {"type": "thresholds", "threshold": 0.0, "cut": 0, "codec": "raw"}}
    row = run(staged(tmp_path, [1000], policies=policies)).requests.iloc[0]
    assert (row.exit, row.latency_s) == (0, pytest.approx(0.1))


def test_who_plans_depths_does_not_send_on(tmp_path):
    (tmp_path / "mine.py").write_text("from edgesim.policies.tiers import Tiers\n\n\nclass Mine(Tiers):\n    pass\n")
    options = {"cuts": [1, 2], "servers": ["edge", "cloud"]}
    with pytest.raises(InputError, match="edge: a server with the scheduler imprecise cannot send a request on"):
        run(
            staged(
                tmp_path,
                [350],
                policies={"p": {"type": "mine.py:Mine", "options": options}},
                connections={"back": {"between": ["edge", "cloud"], "link": "l"}},
                servers={"edge": {"queue": {"order": "edf"}, "scheduler": {"type": "imprecise"}}, "cloud": {}},
            )
        )


def test_a_crash_ends_all_stages(tmp_path):
    crash = {"what": "down", "node": "edge", "at_s": 1.15, "for_s": 0.1}
    tables = run(staged(tmp_path, [450, 450.1], events={"crash": crash}))
    assert set(tables.requests.reason) == {"server down"}
    assert tables.node("edge").busy_s == pytest.approx(0.15)


@pytest.mark.parametrize("oracle", ["link_oracle", "clairvoyant"])
def test_an_oracle_knows_its_replicas(tmp_path, oracle):
    """At home a block takes 100 ms, too late; at the replicas a tenth of it."""
    cam = {"deadline": {**EXACT, "ms": 50}}
    server = {"count": 2, "processor": {"factor": 0.1}}
    found = run(many(tmp_path, {"a": ([1.0, 1.2], cam)}, server, policies={"p": {"type": oracle}})).requests
    assert found.end.tolist() == ["on_time"] * 2 and (found.cut == 0).all()
