"""Links that lose, delay and share, through the whole engine."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from little_worlds import Tables, at_times, link, linked, run, toy, world

from edgesim.engine.carried import Carried
from edgesim.engine.fifo_port import FifoPort
from edgesim.network.connection import ColdConnection
from edgesim.network.constant import ConstantRate
from edgesim.network.csma import contention
from edgesim.network.lora import time_on_air_s
from edgesim.network.losses import Arq
from edgesim.network.steps import steps_table
from edgesim.network.tabled import TabledRate
from edgesim.network.transport import Transport, jitter

Z = 3.3
POWER = {"idle_w": 1, "compute_w": 3, "send_w": 2, "receive_w": 0.5}
BERNOULLI = {"process": "bernoulli", "p": 0.3}
COLD = {"connection": "cold", "handshake_rtts": 2, "idle_s": 0.5}


class Clock:
    """A clock that is set."""

    now = 0.0


def port(rate: Any, transport: Transport) -> tuple[Clock, FifoPort, list[tuple[float, ...]]]:
    clock, ends = Clock(), list[tuple[float, ...]]()
    found = FifoPort(clock, rate, transport, Carried(math.inf))  # type: ignore[arg-type]
    return clock, found, ends


def send(clock: Clock, to: FifoPort, ends: list[Any], now_s: float, nbytes: int) -> None:
    clock.now = now_s
    to.send(None, nbytes, lambda *values: ends.append(values[1:]))


# A link of its own


def test_flights_of_a_fifo_link() -> None:
    """A handshake of 40 ms, 10 packets, the rest one round trip later; the next message waits and is warm."""
    clock, fifo, ends = port(ConstantRate(8e6), Transport("none", 0.02, connection=ColdConnection(0.04, 1, 1.0)))
    for now_s in (1.0, 1.01):
        send(clock, fifo, ends, now_s, 15 * 1448)
    first_s = 1.0 + 0.04 + 0.04 + 5 * 1448e-6
    assert ends[0] == pytest.approx((1.0, 1.0, first_s, 15 * 1448, 0.02, first_s - 1.0, 15 * 1448))
    assert ends[1][:3] == pytest.approx((1.01, first_s, first_s + 15 * 1448e-6))


def test_an_outage_during_a_handshake_costs_nothing_more() -> None:
    rate = TabledRate(steps_table([[0, 8], [1.0, 0], [1.03, 8]]), "hold")
    clock, fifo, ends = port(rate, Transport("none", 0.02, connection=ColdConnection(0.04, 1, 1.0)))
    send(clock, fifo, ends, 1.0, 1000)
    assert ends[0][2] == pytest.approx(1.041)


def test_messages_on_a_fifo_link_do_not_overtake_each_other() -> None:
    clock, fifo, ends = port(ConstantRate(8e6), Transport("none", 0.01, jitter(0.05, 1, "l")))
    for k in range(500):
        send(clock, fifo, ends, 0.004 * k, 1000)
    reached = [finish_s + delay_s for _, _, finish_s, _, delay_s, *_ in ends]
    drawn = [finish_s + 0.01 + extra for (_, _, finish_s, *_), extra in zip(ends, jitter(0.05, 1, "l"), strict=False)]
    assert reached == pytest.approx(np.maximum.accumulate(drawn).tolist(), rel=1e-12)
    assert sum(late < sooner for sooner, late in zip(drawn, drawn[1:], strict=False)) > 100


def test_queued_bytes_do_not_tell_what_will_be_repeated() -> None:
    """Two links that differ in their luck look alike until the first try is over."""
    ports = []
    for lost in (True, False):
        losses = Arq(lambda number, lost=lost: lambda count: np.full(count, lost), 2)
        clock, fifo, ends = port(ConstantRate(8e3), Transport("none", 0.1, losses=losses))
        send(clock, fifo, ends, 0.0, 1000)
        send(clock, fifo, ends, 0.0, 500)
        ports.append(fifo)
    for now_s, queued in ((0.0, 1500), (0.25, 1250), (0.999, 501)):
        assert [each.queued_bytes(now_s) for each in ports] == pytest.approx([queued, queued])
    assert ports[1].queued_bytes(1.5) == 0
    assert ports[0].queued_bytes(1.5) == 500
    assert (ports[0].carried.lost_bytes, ports[0].carried.wire_bytes) == (1500, 3000)


def test_a_rate_that_stays_zero_keeps_what_it_got() -> None:
    clock, fifo, ends = port(ConstantRate(0.0), Transport("none", 0.1, jitter(0.01, 1, "l")))
    for now_s in (1.0, 2.0):
        send(clock, fifo, ends, now_s, 1000)
    assert (
        [each[2] for each in ends] == [math.inf, math.inf]
        and fifo.free_s == math.inf
        and fifo.queued_bytes(3.0) == 2000
    )
    assert (fifo.carried.bytes, fifo.carried.delivered_bytes) == (2000, 0)


# Jitter and cold connections in a run


@pytest.mark.parametrize("sharing", ["fifo", "cell"])
def test_jitter_adds_its_mean_to_propagation(sharing: str) -> None:
    links = {"l": link(delay_ms=5, jitter_ms=2, sharing=sharing)}
    rows = run(world(devices={"cam": linked(5)}, models={"toy": toy([1.0])}, links=links, duration_s=1000)).requests
    extra = rows.propagation_s - 0.010
    z = (extra.mean() - 0.004) / (extra.std() / math.sqrt(len(extra)))
    assert abs(z) < Z and extra.std() / math.sqrt(len(extra)) < 0.05 * 0.004 / Z
    assert rows.latency_s.values == pytest.approx((rows.propagation_s + rows.server_wait_s + rows.server_s).values)


@pytest.mark.parametrize("sharing", ["fifo", "cell"])
def test_a_cold_uplink(tmp_path: Path, sharing: str) -> None:
    """Handshake and window at first, warm 0.3 s later, cold again after 2 s; the answer comes over the same one."""
    spec = linked(arrivals=at_times(tmp_path, [1.0, 1.3, 3.5]))
    models = {"toy": toy([0.0], state_bytes=[1448 * 12])}
    links = {"l": link(11.584, delay_ms=20, sharing=sharing, **COLD)}
    tables = run(world(devices={"cam": spec}, models=models, links=links, folder=tmp_path))
    wire_s = 1448 * 8 / 11.584e6
    cold_s, warm_s = 0.08 + 0.04 + 2 * wire_s, 12 * wire_s
    assert tables.requests.uplink_s.tolist() == pytest.approx([cold_s, warm_s, cold_s])
    assert tables.requests.latency_s.tolist() == pytest.approx([cold_s + 0.04, warm_s + 0.04, cold_s + 0.04])


def test_a_lora_uplink(tmp_path: Path) -> None:
    """A label of 51 bytes takes its time on air; the next waits for the silence, and only sending costs energy."""
    spec = linked(arrivals=at_times(tmp_path, [1.0, 2.0, 60.0]), power=POWER)
    models = {"toy": toy([0.0], state_bytes=[51])}
    links = {"l": {"preset": "lora-sf7", "prior_mbps": 0.005, "delay_ms": 0}}
    rows = run(world(devices={"cam": spec}, models=models, links=links, folder=tmp_path, duration_s=100)).requests
    air_s, answer_s = time_on_air_s(51, 7), time_on_air_s(8, 7)
    waits = [0.0, 100 * air_s - 1.0, 0.0]
    assert (rows.latency_s - answer_s).tolist() == pytest.approx([wait + air_s for wait in waits], rel=1e-6)
    assert rows.energy_j.tolist() == pytest.approx([2 * air_s + 0.5 * answer_s] * 3)


# Losses in a run


def lossy(sharing: str = "fifo", **changes: Any) -> Tables:
    """Uploads of one packet, answers of another, each lost with probability 0.3 at the one try that it has."""
    links = {"l": link(50, 50, delay_ms=1, loss={**BERNOULLI, "tries": 1}, sharing=sharing)}
    devices = {"cam": linked(50, count=2, power=POWER, **changes)}
    return run(world(devices=devices, models={"toy": toy([1.0])}, links=links, duration_s=100))


@pytest.mark.parametrize("sharing", ["fifo", "cell"])
def test_a_message_that_was_given_up_ends_its_request(sharing: str) -> None:
    tables = lossy(sharing)
    rows = tables.requests
    up, down = (tables.links[tables.links.direction == each].sum(numeric_only=True) for each in ("up", "down"))
    assert set(rows.end) == {"on_time", "dropped"}
    assert (rows.reason[rows.end == "dropped"] == "lost").all()
    answered = 0.7**2
    assert abs((rows.end == "on_time").mean() - answered) < Z * math.sqrt(answered * (1 - answered) / len(rows))
    assert abs(up.lost_bytes / up.bytes - 0.3) < Z * math.sqrt(0.3 * 0.7 / len(rows))
    assert up.bytes == up.delivered_bytes + up.lost_bytes == rows.bytes_up.sum()
    assert down.bytes == down.delivered_bytes + down.lost_bytes
    assert down.transfers == up.delivered_bytes / 1000
    assert down.delivered_bytes / 8 == (rows.end == "on_time").sum()
    assert (rows.energy_j > 0).all()


def test_another_answer_saves_a_request_whose_upload_was_lost() -> None:
    """The device goes on alone meanwhile."""
    links = {"l": link(50, 50, delay_ms=1, loss={**BERNOULLI, "tries": 1})}
    policies = {"p": {"type": "little_policies:Hedge"}}
    devices = {"cam": linked(5)}
    rows = run(world(devices=devices, models={"toy": toy([1.0])}, links=links, policies=policies)).requests
    assert set(rows.end) == {"on_time"} and set(rows.reason) == {""}
    assert set(rows.answers) == {1, 2}


def test_what_is_lost_is_repeated() -> None:
    """16 tries: all arrive; what is sent grows by 1 / (1 - p)."""
    links = {"l": link(50, 50, headers="tcp", delay_ms=1, loss=BERNOULLI)}
    devices = {"cam": linked(30)}
    tables = run(world(devices=devices, models={"toy": toy([1.0])}, links=links, duration_s=200))
    rows, up = tables.requests, tables.links.set_index("direction").loc["up"]
    assert set(rows.end) == {"on_time"} and up.lost_bytes == 0
    tries = up.wire_bytes / (1066 * len(rows))
    assert abs(tries - 1 / 0.7) < Z * math.sqrt(0.3) / 0.7 / math.sqrt(len(rows))
    bits_s = 8 * 1066 / 50e6
    repeated = np.round((rows.uplink_s - bits_s) / (bits_s + 0.002))
    assert rows.uplink_s.values == pytest.approx((bits_s + repeated * (bits_s + 0.002)).values)


@pytest.mark.parametrize("process", [BERNOULLI, {"process": "gilbert_elliott", "to_bad": 0.1, "to_good": 0.3}])
def test_policies_meet_the_same_luck(process: dict[str, Any]) -> None:
    """Message k of a device is lost or not whatever it holds; a second device moves nobody's luck."""

    def ends(cut: int, count: int) -> list[str]:
        models = {"toy": toy([1.0, 1.0], exits=[2], state_bytes=[1000, 400])}
        policies = {"p": {"type": "fixed_cut", "cut": cut, "codec": "int8" if cut else "raw"}}
        links = {"l": link(50, 50, delay_ms=1, loss={**process, "tries": 1})}
        devices = {"cam": linked(20, count=count)}
        rows = run(world(devices=devices, models=models, links=links, policies=policies)).requests
        return rows[rows.device == "cam-0"].sort_values("number").server_s.gt(0).tolist()

    assert ends(0, 1) == ends(1, 1) == ends(1, 2)


# Bytes are conserved

KINDS: dict[str, dict[str, Any]] = {
    "fifo": {},
    "jitter": {"jitter_ms": 3},
    "losses": {"loss": {**BERNOULLI, "tries": 2}},
    "cold": COLD,
    "cell": {"sharing": "cell"},
    "cell with all": {"sharing": "cell", "loss": {**BERNOULLI, "tries": 2}, "jitter_ms": 3, **COLD},
    "csma": {"sharing": "cell", "discipline": {"type": "csma"}, "loss": {**BERNOULLI, "tries": 2}},
    "round robin": {"sharing": "cell", "discipline": {"type": "round_robin"}},
    "airtime": {"sharing": "cell", "discipline": {"type": "airtime"}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_are_conserved_where_a_run_is_cut_off(kind: str) -> None:
    """Overload, and no time to drain: what was neither answered nor lost is still under way."""
    rate = {"process": "steps", "steps": [[0, 1.0], [0.7, 0], [1, 0.3]], "ends": "loop"}
    links = {"l": link(rate, delay_ms=10, **KINDS[kind])}
    devices = {"cam": linked(60, count=3)}
    tables = run(world(devices=devices, models={"toy": toy([0.0])}, links=links, duration_s=10, drain_s=0.001))
    rows = tables.requests
    up, down = (tables.links[tables.links.direction == each].sum(numeric_only=True) for each in ("up", "down"))
    assert up.bytes == rows.bytes_up.sum() and down.bytes == rows.bytes_down.sum()
    reached = rows.bytes_down > 0
    assert up.delivered_bytes == rows.bytes_up[reached].sum()
    lost_up = (rows.reason == "lost") & ~reached
    assert up.lost_bytes == rows.bytes_up[lost_up].sum()
    assert up.bytes - up.delivered_bytes - up.lost_bytes == rows.bytes_up[(rows.end == "unfinished") & ~reached].sum()
    assert down.delivered_bytes == rows.bytes_down[rows.answers > 0].sum()
    assert (rows.end == "unfinished").sum() > 3


# Disciplines in a run


def uploads(folder: Path, discipline: dict[str, Any], times: list[float], rate: Any = 0.8, **changes: Any) -> Tables:
    """Devices near-0 and far-0 send 1,000 bytes each at given times."""
    arrivals = at_times(folder, times)
    devices = {name: linked(arrivals=arrivals, power=POWER) for name in ("near", "far")}
    links = {"l": link(rate, sharing="cell", discipline=discipline, **changes)}
    models = {"toy": toy([0.0])}
    return run(world(devices=devices, models=models, links=links, folder=folder, servers={"edge": {"workers": 9}}))


def seconds(tables: Tables, device: str) -> list[float]:
    return tables.requests[tables.requests.device == device].sort_values("number").latency_s.tolist()


@pytest.mark.parametrize(
    ("discipline", "near", "far"),
    [
        ({"type": "equal"}, 0.02, 0.02),
        ({"type": "weighted", "weights": {"near": 3}}, 0.01 / 0.75, 0.02),
        ({"type": "round_robin", "quantum_bytes": 500}, 0.015, 0.02),
        ({"type": "airtime"}, 0.02, 0.02),
    ],
)
def test_two_devices_under_a_discipline(tmp_path: Path, discipline: dict[str, Any], near: float, far: float) -> None:
    tables = uploads(tmp_path, discipline, [1.0])
    assert (seconds(tables, "near-0"), seconds(tables, "far-0")) == (pytest.approx([near]), pytest.approx([far]))


def test_a_slow_station_slows_the_other_and_all_contend(tmp_path: Path) -> None:
    tables = uploads(tmp_path, {"type": "csma", "speeds": {"far": 0.1}}, [1.0])
    each_bps = 0.8e6 * contention(2).throughput / 11
    assert seconds(tables, "near-0") == pytest.approx([8000 / each_bps])
    assert seconds(tables, "far-0") == pytest.approx([8000 / each_bps])


def test_a_station_contends_with_its_oldest_message(tmp_path: Path) -> None:
    """Two messages of each station: the second waits for the first, and two stations contend, not four."""
    tables = uploads(tmp_path, {"type": "csma", "window": 16, "stages": 6}, [1.0, 1.0])
    turn_s = 16000 / (0.8e6 * contention(2, 16, 6).throughput)
    assert seconds(tables, "near-0") == pytest.approx([turn_s, 2 * turn_s])
    assert sorted(tables.requests.uplink_wait_s) == pytest.approx([0, 0, turn_s, turn_s])


def test_down_the_access_point_is_alone(tmp_path: Path) -> None:
    """Two answers of 1,000 bytes at once share what one station gets."""
    devices = {"cam": linked(arrivals=at_times(tmp_path, [1.0]), count=2)}
    links = {"l": link(1e9, 0.8, sharing="cell", discipline={"type": "csma"})}
    servers = {"edge": {"workers": 2, "result_bytes": 1000}}
    models = {"toy": toy([1.0])}
    rows = run(world(devices=devices, models=models, links=links, servers=servers, folder=tmp_path)).requests
    assert rows.downlink_s.tolist() == pytest.approx([16000 / (0.8e6 * contention(1).throughput)] * 2)


def test_devices_with_rates_of_their_own(tmp_path: Path) -> None:
    """By time each gets what it would alone at twice the time; the draws are those of links of their own."""
    ar1 = {"process": "ar1", "mean_mbps": 2, "cv": 0.8, "correlation_1s": 0.5, "step_ms": 1}
    alone = [seconds(uploads(tmp_path, {"type": "airtime"}, [t], ar1), "near-0") for t in (1.0,)]
    tables = uploads(tmp_path, {"type": "airtime"}, [1.0], ar1)
    rates = [device.uplink.rate for device in tables.world.devices]
    assert rates[0].rate(1.0) != rates[1].rate(1.0)
    faster = min(range(2), key=lambda n: rates[n].finish(1.0, 16000))
    name = tables.world.devices[faster].name
    assert seconds(tables, name) == pytest.approx([rates[faster].finish(1.0, 16000) - 1.0])
    assert alone[0] == seconds(tables, "near-0")


@pytest.mark.parametrize("after", ["abort", "continue"])
def test_what_waits_in_a_station_is_dropped_at_its_deadline(tmp_path: Path, after: str) -> None:
    """Three messages of 100 ms at once, deadline 150 ms: as on a FIFO uplink, the third is never sent."""
    deadline = {"distribution": "fixed", "ms": 150, "known": "none"}
    spec = linked(arrivals=at_times(tmp_path, [1.0] * 3), deadline=deadline, after_deadline=after, power=POWER)
    rate_mbps = 0.08 / contention(1).throughput
    links = {"l": link(rate_mbps, sharing="cell", discipline={"type": "csma"})}
    tables = run(world(devices={"cam": spec}, models={"toy": toy([0.0])}, links=links, folder=tmp_path))
    rows, up = tables.requests.sort_values("number"), tables.links.set_index("direction").loc["up"]
    aborts = after == "abort"
    assert rows.end.tolist() == (["on_time", "late", "dropped"] if aborts else ["on_time", "late", "late"])
    assert rows.reason.tolist() == ["", "", "deadline" if aborts else ""]
    assert rows.bytes_up.tolist() == [1000, 1000, 0 if aborts else 1000]
    assert rows.energy_j.tolist() == pytest.approx([0.2, 0.2, 0.0 if aborts else 0.2])
    assert (up.bytes, up.cancelled_bytes, up.delivered_bytes) == (3000, 1000 * aborts, 3000 - 1000 * aborts)
    assert up.wire_bytes == up.delivered_bytes


def test_nothing_is_called_off_that_was_never_sent(tmp_path: Path) -> None:
    """The same with a server that aborts: a cancel message follows the second, which was sent, and not the third."""
    deadline = {"distribution": "fixed", "ms": 150, "known": "none"}
    spec = linked(arrivals=at_times(tmp_path, [1.0] * 3), deadline=deadline, after_deadline="abort")
    links = {"l": link(0.08 / contention(1).throughput, sharing="cell", discipline={"type": "csma"})}
    servers = {"edge": {"after_deadline": "abort"}}
    models = {"toy": toy([0.0])}
    tables = run(world(devices={"cam": spec}, models=models, links=links, servers=servers, folder=tmp_path))
    rows = tables.requests.sort_values("number")
    assert rows.bytes_up.tolist() == [1000, 1008, 0]
    assert rows.codec.tolist() == ["raw", "raw", ""]
    assert rows.reason.tolist()[2] == "deadline"


# Energy of what is sent at the same time


@pytest.mark.parametrize("discipline", ["equal", "round_robin"])
def test_sending_several_at_once_takes_the_power_once(tmp_path: Path, discipline: str) -> None:
    """Each device sends for the union of its transfers, whoever else sends."""
    tables = uploads(tmp_path, {"type": discipline}, [1.0, 1.005, 1.2], rate=0.8)
    for name in ("near-0", "far-0"):
        own = tables.requests[tables.requests.device == name].sort_values("arrival_s")
        begins, ends = own.arrival_s.to_numpy(), (own.arrival_s + own.latency_s).to_numpy()
        union = (ends[:2].max() - begins[0]) + (ends[2] - begins[2])
        assert own.energy_j.sum() == pytest.approx(POWER["send_w"] * union, rel=1e-6)
        assert own.uplink_s.sum() > 1.1 * union


# A cancel message that comes before what it cancels


def test_a_cancel_message_that_overtakes_its_upload(tmp_path: Path) -> None:
    """In a cell the 8 bytes are there long before the 100 kB, which the server then drops on arrival."""
    deadline = {"distribution": "fixed", "ms": 300, "known": "exact"}
    spec = linked(arrivals=at_times(tmp_path, [1.0]), deadline=deadline)
    links = {"l": link(0.8, sharing="cell")}
    servers = {"edge": {"after_deadline": "abort"}}
    models = {"toy": toy([10.0], state_bytes=[100_000])}
    tables = run(world(devices={"cam": spec}, models=models, links=links, servers=servers, folder=tmp_path))
    (row,) = tables.requests.itertuples()
    assert (row.end, row.reason, row.server_s, row.bytes_down) == ("dropped", "cancelled", 0.0, 0)
    assert row.bytes_up == 100_008
    assert tables.node("edge").served == 0
    up = tables.links.set_index("direction").loc["up"]
    assert up.delivered_bytes == up.bytes == 100_008


# What travels with a request


@pytest.mark.parametrize(("policy", "carried"), [("OnImage", 0), ("Telling", 8 + 2)])
def test_what_travels_with_a_request_is_charged(policy: str, carried: int) -> None:
    """The deadline, where the policy needs it, and what the policy declares."""
    spec = linked(5, deadline={"distribution": "fixed", "ms": 300, "known": "exact"})
    policies = {"p": {"type": f"little_policies:{policy}"}}
    rows = run(world(devices={"cam": spec}, policies=policies, links={"l": link(0.8)})).requests
    assert set(rows.bytes_up) == {1000 + carried}
    assert rows.uplink_s.values == pytest.approx(8 * (1000 + carried) / 0.8e6)


def test_what_oracles_know_does_not_travel() -> None:
    spec = linked(5, deadline={"distribution": "fixed", "ms": 300, "known": "exact"})
    models = {"toy": toy([200.0], state_bytes=[1000])}
    policies = {"p": {"type": "link_oracle"}, "q": {"type": "fixed_cut", "cut": 0, "codec": "raw"}}
    servers = {"edge": {"processor": {"factor": 0.1}}}
    rows = run(world(devices={"cam": spec}, models=models, policies=policies, servers=servers)).requests
    assert set(rows.bytes_up) == {0, 1000}
