"""Answers, slots and what happens at the deadline (rules 1 and 4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from little_worlds import EXPONENTIAL, Loaded, Tables, assets_of, at_times, device, link, linked, run, toy, world

from edgesim.results.recorder import held_by


def fixed(ms: float, known: str = "exact") -> dict[str, Any]:
    return {"distribution": "fixed", "ms": ms, "known": known}


def local(
    folder: Path, blocks_ms: list[Any], times: list[float], policy: str = "device_only", **changes: Any
) -> Tables:
    """One device that does all itself, with an exit after each block."""
    count = len(blocks_ms)
    model = toy(blocks_ms, exits=list(range(1, count + 1)), accuracy=[0.8] * count)
    spec = device(arrivals=at_times(folder, times), **changes)
    return run(world(models={"toy": model}, devices={"cam": spec}, policies={"p": {"type": policy}}, folder=folder))


# The slot


def test_the_slot_keeps_the_deepest_and_of_equals_the_later() -> None:
    shallow, deep, again, later = (
        (1.0, 0, "a", 0, None),
        (2.0, 3, "b", 1, None),
        (3.0, 3, "b", 1, None),
        (4.0, 2, "b", 0, None),
    )
    answers: Any = [shallow, deep, again, later]
    assert [held_by(answers, time_s)[0] for time_s in (0.5, 1.0, 1.5, 2.0, 3.0, 9.0)] == [
        None, shallow, shallow, deep, again, again,
    ]  # fmt: skip


def test_rows_hold_what_the_slot_held() -> None:
    """Local exits of the deeper model and an answer of the shallower one race; the rows against the answers."""
    small = toy([3.0], exits=[1], accuracy=[0.5], state_bytes=[1000])
    big = toy([25.0, EXPONENTIAL, 5.0], exits=[1, 2, 3], accuracy=[0.6, 0.7, 0.9], state_bytes=[1000] * 3)
    spec = linked(20, deadline={"distribution": "uniform", "low_ms": 5, "high_ms": 80})
    policy = {"type": "little_policies:Hedge", "models": {"device": "big", "server": "small"}}
    links = {"l": link(0.8, delay_ms=2)}
    tables = run(world(models={"small": small, "big": big}, devices={"cam": spec}, policies={"p": policy}, links=links))
    rows = tables.requests.set_index("number")
    by_request = dict(list(tables.answers.groupby("number")))
    assert set(tables.answers.groupby("model").depth.unique().map(tuple).items()) == {
        ("big", (1, 2, 3)),
        ("small", (0,)),
    }
    kinds = set()
    for number, row in rows.iterrows():
        came = by_request[number].sort_values("time_s", kind="stable")
        held = None
        for answer in came[came.time_s <= row.deadline_s + 1e-9].itertuples():
            if held is None or answer.depth >= held.depth:
                held = answer
        assert row.answers == len(came) == 4
        assert row.latency_s == came.time_s.iloc[0]
        assert (row.end == "on_time") == (held is not None)
        if held is None:
            assert np.isnan(row.used_s) and not row.correct
        else:
            assert (row.used_s, row.model, row.exit) == (held.time_s, held.model, held.exit)
            assert (row.prediction, row.correct) == (held.prediction, held.correct)
            kinds.add((held.model, held.exit))
        assert row.final_correct == came.sort_values(["depth", "time_s"]).correct.iloc[-1]
    assert kinds == {("big", 0), ("big", 1), ("big", 2), ("small", 0)}


def test_an_equal_answer_that_comes_later_replaces(tmp_path: Path) -> None:
    """The same exit at home (10 ms) and at the server (30 ms): the later one is used."""
    spec = linked(arrivals=at_times(tmp_path, [1.0]), deadline=fixed(100))
    servers = {"edge": {"processor": {"factor": 3}}}
    policies = {"p": {"type": "little_policies:Hedge"}}
    models = {"toy": toy([10.0])}
    (row,) = run(
        world(models=models, devices={"cam": spec}, servers=servers, policies=policies, folder=tmp_path)
    ).requests.itertuples()
    assert (row.answers, row.latency_s, row.used_s) == (2, pytest.approx(0.01), pytest.approx(0.03))


# Order at one instant


@pytest.mark.parametrize("after_deadline", ["abort", "continue"])
@pytest.mark.parametrize(("late_s", "on_time"), [(0.0, True), (5e-10, True), (2e-9, False)])
def test_on_time_is_up_to_the_deadline_and_a_nanosecond(
    tmp_path: Path, after_deadline: str, late_s: float, on_time: bool
) -> None:
    spec = {"after_deadline": after_deadline, "deadline": fixed(50)}
    (row,) = local(tmp_path, [50 + 1e3 * late_s], [0.5], **spec).requests.itertuples()
    assert row.end == ("on_time" if on_time else "dropped" if after_deadline == "abort" else "late")
    assert row.answers == (on_time or after_deadline == "continue")
    assert row.correct <= on_time


def test_a_delivery_comes_before_the_deadline(tmp_path: Path) -> None:
    """All times are powers of two, so that the answer reaches the device at the very instant of the deadline."""
    for deadline_ms, cancels in ((437.5, 0), (437.0, 1)):
        spec = linked(arrivals=at_times(tmp_path, [0.5]), deadline=fixed(deadline_ms))
        links = {"l": link(0.064, 0.064, delay_ms=31.25)}
        servers = {"edge": {"after_deadline": "abort", "result_bytes": 1000}}
        models = {"toy": toy([125.0])}
        tables = run(world(models=models, devices={"cam": spec}, links=links, servers=servers, folder=tmp_path))
        (row,) = tables.requests.itertuples()
        assert row.latency_s == 0.4375
        assert row.end == ("late" if cancels else "on_time")
        assert row.bytes_up == 1000 + 8 * cancels


def test_an_arrival_finds_what_ends_at_the_same_instant_gone(tmp_path: Path) -> None:
    times = [0.0, 0.125, 0.25, 0.375]
    tables = local(tmp_path, [125.0], times, queue={"order": "fifo", "bound": 1})
    assert tables.requests.device_wait_s.tolist() == [0.0] * 4
    assert tables.node("cam-0").queue_max == 0


# A device that aborts


def test_a_device_stops_at_the_end_of_the_piece_in_progress(tmp_path: Path) -> None:
    spec = {"deadline": fixed(50), "after_deadline": "abort", "policy": "anytime"}
    tables = local(tmp_path, [20.0] * 5, [1.0, 1.001, 1.055], **spec)
    first, waiting, third = tables.requests.itertuples()
    assert (first.answers, first.exit, first.end) == (2, 1, "on_time")
    assert first.device_compute_s == pytest.approx(0.06)
    assert first.wasted_s == pytest.approx(0.01)
    assert (waiting.end, waiting.reason, waiting.device_compute_s) == ("dropped", "deadline", 0.0)
    assert (third.device_wait_s, third.answers) == (pytest.approx(0.005), 2)
    assert tables.node("cam-0").busy_s == pytest.approx(0.06 + 0.06)


def test_a_device_that_continues_goes_on(tmp_path: Path) -> None:
    tables = local(tmp_path, [20.0] * 5, [1.0, 1.001], deadline=fixed(50), policy="anytime")
    first, second = tables.requests.itertuples()
    assert (first.answers, first.exit, first.end, first.wasted_s) == (5, 1, "on_time", pytest.approx(0.05))
    assert (second.answers, second.end, second.wasted_s) == (5, "late", pytest.approx(0.1))
    assert tables.node("cam-0").busy_s == pytest.approx(0.2)


def sending(folder: Path, sharing: str = "fifo", **changes: Any) -> Tables:
    """Three requests at once, 100 ms each on a FIFO uplink, deadline 150 ms."""
    power = {"idle_w": 1, "compute_w": 3, "send_w": 2, "receive_w": 0}
    spec = linked(arrivals=at_times(folder, [1.0] * 3), deadline=fixed(150), power=power, **changes)
    models = {"toy": toy([0.0])}
    return run(world(models=models, devices={"cam": spec}, links={"l": link(0.08, sharing=sharing)}, folder=folder))


def test_a_device_drops_queued_sends_and_finishes_the_one_in_service(tmp_path: Path) -> None:
    tables = sending(tmp_path, after_deadline="abort")
    first, second, third = tables.requests.sort_values("number").itertuples()
    assert (first.end, second.end, third.end) == ("on_time", "late", "dropped")
    assert second.latency_s == pytest.approx(0.2)
    assert (third.reason, third.bytes_up, third.codec, third.uplink_s) == ("deadline", 0, "", 0.0)
    assert (second.wasted_bytes, first.wasted_bytes) == (1000, 0)
    assert second.energy_j == pytest.approx(2 * 0.1)
    up = tables.links.set_index("direction").loc["up"]
    assert (up.transfers, up.bytes) == (2, 2000)
    assert list(sending(tmp_path).requests.end) == ["on_time", "late", "late"]


def test_in_a_cell_everything_is_in_service(tmp_path: Path) -> None:
    rows = sending(tmp_path, "cell", after_deadline="abort").requests
    assert list(rows.end) == ["late"] * 3
    assert rows.latency_s.tolist() == pytest.approx([0.3] * 3)


def test_nothing_is_sent_when_encoding_ends_behind_the_deadline(tmp_path: Path) -> None:
    """The uplink is idle, and the deadline strikes while the image is encoded."""
    spec = linked(arrivals=at_times(tmp_path, [1.0]), deadline=fixed(1), after_deadline="abort")
    scenario = world(devices={"cam": spec}, folder=tmp_path)
    tables = run(scenario, assets_of(scenario, {"toy": Loaded(scenario.models["toy"])}))
    (row,) = tables.requests.itertuples()
    assert row.encode_s > 0.001
    assert (row.end, row.reason, row.bytes_up) == ("dropped", "deadline", 0)
    assert row.wasted_s == pytest.approx(row.encode_s)
    assert tables.links.transfers.tolist() == [0, 0]


def test_a_server_does_not_know_that_the_device_has_given_up(tmp_path: Path) -> None:
    """The default: it goes on, and its answer comes late."""
    spec = linked(arrivals=at_times(tmp_path, [1.0]), deadline=fixed(100), after_deadline="abort")
    models = {"toy": toy([70.0, 70.0], exits=[1, 2], accuracy=[0.5, 0.6], state_bytes=[1000] * 2)}
    policies = {"p": {"type": "anytime", "cut": 0, "codec": "raw"}}
    tables = run(world(models=models, devices={"cam": spec}, policies=policies, folder=tmp_path))
    (row,) = tables.requests.itertuples()
    assert (row.end, row.answers, row.exit) == ("on_time", 2, 0)
    assert tables.answers.time_s.tolist() == pytest.approx([0.07, 0.14])
    assert row.wasted_s == pytest.approx(0.04)


# A server that aborts


def aborting(folder: Path, sharing: str = "fifo", **server: Any) -> Tables:
    """A server that takes a second, asked three times at once, deadline 300 ms."""
    power = {"idle_w": 1, "compute_w": 3, "send_w": 2, "receive_w": 0}
    spec = linked(arrivals=at_times(folder, [1.0, 1.01, 1.02]), deadline=fixed(300), power=power)
    links = {"l": link(0.8, 8, headers="tcp", delay_ms=20, sharing=sharing)}
    servers = {"edge": {"after_deadline": "abort", **server}}
    models = {"toy": toy([1000.0])}
    return run(world(models=models, devices={"cam": spec}, links=links, servers=servers, folder=folder))


@pytest.mark.parametrize("sharing", ["fifo", "cell"])
@pytest.mark.parametrize("batch", [{"max_size": 1}, {"max_size": 2, "max_wait_ms": 0}])
def test_a_cancel_message_removes_queued_work(tmp_path: Path, sharing: str, batch: dict[str, int]) -> None:
    tables = aborting(tmp_path, sharing, batch=batch)
    first, second, third = tables.requests.itertuples()
    assert (first.end, first.latency_s) == ("late", pytest.approx(1.051, abs=1e-3))
    assert [(row.end, row.reason, row.server_s) for row in (second, third)] == [("dropped", "cancelled", 0.0)] * 2
    assert tables.requests.bytes_up.tolist() == [1008] * 3
    assert tables.node("edge").served == 1
    up = tables.links.set_index("direction").loc["up"]
    assert (up.transfers, up.bytes, up.wire_bytes) == (6, 3024, 3 * 1066 + 3 * 74)
    if sharing == "fifo":
        sent_s = 8 * (1066 + 74) / 0.8e6
        assert tables.requests.energy_j.tolist() == pytest.approx([2 * sent_s] * 3)
        assert up.busy_s == pytest.approx(3 * sent_s)
    assert tables.requests.wasted_s.tolist() == pytest.approx([1.0, 0.0, 0.0])
    assert tables.requests.wasted_j.tolist() == tables.requests.energy_j.tolist()


def test_without_abort_all_is_served(tmp_path: Path) -> None:
    tables = aborting(tmp_path, after_deadline="continue")
    assert list(tables.requests.end) == ["late"] * 3
    assert tables.requests.bytes_up.tolist() == [1000] * 3


def test_a_policy_can_cancel(tmp_path: Path) -> None:
    """The second request's work still waits when its own device calls it off; the first one's is in service."""
    spec = linked(arrivals=at_times(tmp_path, [1.0, 1.05]))
    servers = {"edge": {"processor": {"factor": 20}}}
    policies = {"p": {"type": "little_policies:HedgeThenCancel"}}
    models = {"toy": toy([10.0])}
    tables = run(world(models=models, devices={"cam": spec}, servers=servers, policies=policies, folder=tmp_path))
    first, second = tables.requests.itertuples()
    assert (first.answers, second.answers) == (2, 1)
    assert (first.bytes_up, second.bytes_up) == (1008, 1008)
    assert (second.end, second.latency_s) == ("on_time", pytest.approx(0.01))


# What was in vain


def test_all_that_a_missed_request_took_is_wasted(tmp_path: Path) -> None:
    power = {"idle_w": 1, "compute_w": 3, "send_w": 2, "receive_w": 0.5}
    spec = linked(20, deadline={"distribution": "uniform", "low_ms": 5, "high_ms": 60}, power=power)
    models = {"toy": toy([4.0, EXPONENTIAL], exits=[2], state_bytes=[900, 700])}
    policies = {"p": {"type": "fixed_cut", "cut": 1, "codec": "int8"}}
    rows: pd.DataFrame = run(
        world(models=models, devices={"cam": spec}, policies=policies, links={"l": link(1, 1, delay_ms=3)})
    ).requests
    missed = rows[rows.end != "on_time"]
    met = rows[rows.end == "on_time"]
    assert min(len(missed), len(met)) > 50
    spent_s = missed.decide_s + missed.device_compute_s + missed.encode_s + missed.server_s
    assert missed.wasted_s.values == pytest.approx(spent_s.values)
    assert missed.wasted_j.values == pytest.approx(missed.energy_j.values)
    assert (missed.wasted_bytes == missed.bytes_up).all()
    assert (met[["wasted_s", "wasted_bytes", "wasted_j"]] == 0).all(axis=None)
