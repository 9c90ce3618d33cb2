"""What exactly a node takes with it when it fails, and what it does not."""

import pytest
from little_worlds import link, run, toy
from test_failures import MB, down, one

from edgesim.results.columns import STAGES

SLOW = {"process": "constant", "rate_mbps": 0.08}  # 1,000 bytes take 100 ms
LOCAL = {"type": "device_only"}


def up_row(tables):
    return tables.links[tables.links.direction == "up"].iloc[0]


def test_a_device_gives_no_answer_from_beyond(tmp_path):
    """Both blocks would end at 1.2."""
    tables = run(one(tmp_path, [1.0], {"off": down("cam", 1.15, 1.0)}, policies={"p": LOCAL}))
    row = tables.requests.iloc[0]
    assert (row.end, row.reason, row.answers) == ("dropped", "device down", 0)


def test_what_a_device_answered_before_it_died_stands(tmp_path):
    """The first exit answers at 1.1, the second one would at 1.2."""
    tables = run(one(tmp_path, [1.0], {"off": down("cam", 1.15, 1.0)}, policies={"p": {"type": "anytime"}}))
    row = tables.requests.iloc[0]
    assert (row.end, row.exit, row.answers) == ("on_time", 0, 1)


def test_work_that_a_dying_device_has_not_done_is_not_counted(tmp_path):
    power = {"power": {"idle_w": 1, "compute_w": 3}}
    tables = run(one(tmp_path, [1.0], {"off": down("cam", 1.15, 1.0)}, policies={"p": LOCAL}, cam=power))
    row = tables.requests.iloc[0]
    assert tables.node("cam-0").busy_s == pytest.approx(0.15)
    assert (row.device_compute_s, row.wasted_s, row.energy_j) == pytest.approx((0.15, 0.15, 0.3))


def test_a_device_that_flickers_is_never_busier_than_always(tmp_path):
    events = {f"off{number}": down("cam", 1.01 + 0.02 * number, 0.01) for number in range(20)}
    times = [1.0 + 0.005 * number for number in range(80)]
    tables = run(one(tmp_path, times, events, policies={"p": LOCAL}, duration_s=1.4, warmup_s=1.0))
    assert 0.1 < tables.node("cam-0").busy_s < 0.25


def test_a_batch_that_is_lost_has_taken_the_time_until_then(tmp_path):
    edge = {"batch": {"max_size": 2, "max_wait_ms": 200}}
    found = run(one(tmp_path, [1.0], {"crash": down("edge", 1.15, 0.1)}, edge=edge, cam={"count": 2})).requests
    assert found.server_s.tolist() == pytest.approx([0.049] * 2)
    assert found.wasted_s.tolist() == pytest.approx([0.1 + 0.049 / 2] * 2)


def test_answers_on_the_way_that_have_not_left_a_server_are_lost_with_it(tmp_path):
    """The server runs both blocks from 1.002 on, and would answer at 1.102 and 1.202."""
    anytime = {"type": "little_policies:AnswerAtEach"}
    tables = run(one(tmp_path, [1.0], {"crash": down("edge", 1.15, 1.0)}, policies={"p": anytime}))
    assert tables.requests.end.tolist() == ["on_time"] and tables.requests.exit.tolist() == [0]
    tables = run(one(tmp_path, [1.0], {"crash": down("edge", 1.05, 1.0)}, policies={"p": anytime}))
    assert tables.requests.reason.tolist() == ["server down"]


def test_an_answer_on_its_way_back_outlives_the_cloud(tmp_path):
    """Up at 1.001, over the fibre at 1.032, served at 1.132, back over the fibre at 1.163."""
    parts = {
        "servers": {name: {"result_bytes": 1000} for name in ("edge", "cloud")},
        "links": {"l": link(MB, MB), "fibre": link(MB, MB, delay_ms=30)},
        "connections": {"back": {"between": ["edge", "cloud"], "link": "fibre"}},
        "policies": {"p": {"type": "tiers", "cuts": [0, 1], "servers": ["edge", "cloud"]}},
    }
    row = run(one(tmp_path, [1.0], {"crash": down("cloud", 1.24, 1.0)}, **parts)).requests.iloc[0]
    assert (row.end, row.latency_s) == ("on_time", pytest.approx(0.001 + 0.1 + 0.031 + 0.1 + 0.031 + 0.001))
    row = run(one(tmp_path, [1.0], {"crash": down("cloud", 1.2, 1.0)}, **parts)).requests.iloc[0]
    assert (row.end, row.reason) == ("dropped", "server down")


@pytest.mark.parametrize("sharing", ["fifo", "cell"])
def test_what_has_left_a_dying_device_arrives_however_jittered(tmp_path, sharing):
    """The bits leave from 1.1 to 1.101; the mean of what the message takes longer is 2 s."""
    parts = {"links": {"l": link(MB, MB, jitter_ms=2000, sharing=sharing)}, "duration_s": 30}
    up = up_row(run(one(tmp_path, [1.0], {"off": down("cam", 1.102, 0.1)}, **parts)))
    assert (up.delivered_bytes, up.lost_bytes) == (1000, 0)
    up = up_row(run(one(tmp_path, [1.0], {"off": down("cam", 1.1005, 0.1)}, **parts)))
    assert (up.delivered_bytes, up.lost_bytes) == (0, 1000)


def test_what_waits_on_a_dead_link_is_lost_with_its_device(tmp_path):
    parts = {"links": {"l": link({"process": "steps", "steps": [[0, 8], [1.05, 0]]}, MB)}}
    tables = run(one(tmp_path, [1.0], {"off": down("cam", 2.0, 1.0)}, **parts))
    assert tables.requests.reason.tolist() == ["device down"]
    assert (up_row(tables).lost_bytes, up_row(tables).delivered_bytes) == (1000, 0)


def test_all_that_was_to_be_sent_is_lost_with_its_device(tmp_path):
    """The deadline travels with the request: 8 bytes more."""
    deadline = {"distribution": "fixed", "ms": 500, "known": "exact"}
    parts = {"links": {"l": link(SLOW, MB)}, "edge": {"admission": {"type": "deadline"}}, "cam": {"deadline": deadline}}
    up = up_row(run(one(tmp_path, [1.0], {"off": down("cam", 1.15, 0.5)}, **parts)))
    assert (up.bytes, up.delivered_bytes, up.lost_bytes) == (1008, 0, 1008)
    assert up.busy_s == pytest.approx(0.05)


def test_a_dead_device_calls_nothing_off(tmp_path):
    """The server aborts: the device would say so at the deadline, 1.25."""
    deadline = {"distribution": "fixed", "ms": 250}
    parts = {"cam": {"deadline": deadline}, "edge": {"after_deadline": "abort", "processor": {"factor": 9}}}
    for at_s, transfers in ((1.2, 1), (1.3, 2)):
        up = up_row(run(one(tmp_path, [1.0], {"off": down("cam", at_s, 0.02)}, **parts)))
        assert up.transfers == transfers


def test_a_message_that_calls_off_is_lost_with_its_device(tmp_path):
    """It leaves behind the bytes of the next request, from 1.25 on."""
    deadline = {"distribution": "fixed", "ms": 250}
    edge = {"after_deadline": "abort", "processor": {"factor": 9}}
    parts = {"cam": {"deadline": deadline, "after_deadline": "continue"}, "edge": edge, "links": {"l": link(SLOW, MB)}}
    tables = run(one(tmp_path, [1.0, 1.12], {"off": down("cam", 1.26, 0.02)}, **parts))
    up = up_row(tables)
    assert (up.bytes, up.delivered_bytes, up.lost_bytes) == (2008, 1000, 1008)
    assert up.busy_s == pytest.approx(0.14)


def test_nobody_is_let_into_a_server_all_of_whose_replicas_are_away(tmp_path):
    found = run(one(tmp_path, [1.0, 3.0], {"crash": down("edge", 0.5, 2.0)}, edge={"count": 2})).requests
    assert found.end.tolist() == ["dropped", "on_time"] and found.reason.tolist() == ["server down", ""]


def test_a_stage_that_is_lost_counts_until_then(tmp_path):
    deadline = {"distribution": "fixed", "ms": 2000, "known": "exact"}
    edge = {"scheduler": {"type": "imprecise"}, "queue": {"order": "edf"}}
    parts = {"edge": edge, "cam": {"deadline": deadline}, "policies": {"p": {"type": "server_only"}}}
    tables = run(one(tmp_path, [1.0, 1.02], {"crash": down("edge", 1.061, 0.1)}, **parts))
    assert tables.requests.server_s.tolist() == pytest.approx([0.06, 0.0], rel=1e-3)
    node = tables.node("edge")
    assert (node.busy_s, node.queue_mean * node.window_s) == pytest.approx((0.06, 0.04), rel=1e-3)


@pytest.mark.parametrize("at_s", [1.6, 1.66, 1.67, 1.68])
def test_who_has_left_a_batch_before_it_was_lost_keeps_what_it_took(tmp_path, at_s):
    """Those that are sure leave the cloud at its first exit; their answers take 30 ms over the fibre."""
    parts = {
        "models": {"toy": toy([100, 100, 100], exits=[1, 2, 3], accuracy=[0.5, 0.7, 0.9])},
        "servers": {
            "edge": {"workers": 8},
            "cloud": {"batch": {"max_size": 8, "max_wait_ms": 20}, "result_bytes": 1000},
        },
        "links": {"l": link(MB, MB), "fibre": link(MB, MB, delay_ms=30)},
        "connections": {"back": {"between": ["edge", "cloud"], "link": "fibre"}},
        "policies": {"p": {"type": "tiers", "cuts": [0, 1], "servers": ["edge", "cloud"], "threshold": 0.6}},
        "cam": {"count": 8},
    }
    found = run(one(tmp_path, [1.0], {"crash": down("cloud", at_s, 1.0)}, **parts)).requests
    answered = found[found.answers > 0]
    assert answered[list(STAGES)].sum(axis=1).tolist() == pytest.approx(answered.latency_s.tolist(), abs=1e-9)
