"""Messages in flights: jitter, losses with repetition, cold connections."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import islice, pairwise

import numpy as np
import pytest

from edgesim.network.connection import ColdConnection
from edgesim.network.gilbert_elliott import GilbertElliott
from edgesim.network.headers import wire_bytes
from edgesim.network.losses import Arq, Draw, bursts, in_bursts, independent
from edgesim.network.transport import Flight, Packets, Transport, jitter, packets_of

Z = 3.3


def z_score(values: Iterable[float], expected: float) -> float:
    found = np.asarray(list(values), float)
    return float((found.mean() - expected) / (found.std(ddof=1) / math.sqrt(len(found))))


@pytest.mark.parametrize(("payload", "total"), [(1, 1), (1448, 1), (1449, 2), (38_000, 27), (0, 1)])
@pytest.mark.parametrize("mode", ["tcp", "none"])
def test_packets_add_up_to_the_message(payload: int, total: int, mode: str) -> None:
    packets = packets_of(payload, mode)
    assert packets.total == total
    assert packets.between(0, total) == wire_bytes(payload, mode)
    assert sum(packets.between(i, i + 1) for i in range(total)) == wire_bytes(payload, mode)
    assert packets.between(total, total) == 0


def test_a_warm_connection_without_losses_is_one_flight() -> None:
    transport = Transport("tcp", 0.02)
    assert transport.trip(0.0, 5000) == ([Flight(wire_bytes(5000, "tcp"))], 0.02)


# Jitter


def jitters(wrong: float = 1.0) -> np.ndarray:
    return np.array(list(islice(jitter(wrong * 0.004, 7, "l", "cam-0", "up"), 40_000)))


@pytest.mark.parametrize("wrong", [1.0, 1.05])
def test_jitter_has_its_mean_and_standard_deviation(wrong: float) -> None:
    """The one of a log-normal with both equal has a fourth moment that makes its own error large: ln draws instead."""
    found = jitters(wrong)
    logs = np.log(found)
    fits = abs(z_score(found, 0.004)) < Z and abs(z_score(logs, math.log(0.004) - math.log(2) / 2)) < Z
    assert fits == (wrong == 1.0)
    assert abs(z_score((logs - logs.mean()) ** 2, math.log(2))) < Z


def test_jitter_of_message_k_depends_on_its_number_only() -> None:
    sent = [Transport("none", 0.01, jitter(0.002, 1, "l", "cam-0", "up")) for _ in range(2)]
    small = [sent[0].trip(0.1 * k, 10).delay_s for k in range(50)]
    large = [sent[1].trip(7.0 * k, 100_000).delay_s for k in range(50)]
    assert small == large
    assert min(small) > 0.01 and len(set(small)) == 50
    other = Transport("none", 0.01, jitter(0.002, 1, "l", "cam-0", "down"))
    assert other.trip(0.0, 10).delay_s != small[0]


# Losses


def scripted(*lost: list[int]) -> Draw:
    """Round i loses the packets that stand in ``lost[i]`` by their place in the round."""

    def draw(number: int):
        rounds = iter(lost)
        return lambda count: np.isin(np.arange(count), next(rounds))

    return draw


def test_what_was_lost_is_sent_again_round_by_round() -> None:
    packets = Packets(total=6, full=1000, last=300)
    rounds, given_up = Arq(scripted([0, 1, 3, 5], [1, 3], []), 9).rounds(0, packets)
    assert rounds == [(5300, 3), (3300, 2), (1300, 0)]
    assert not given_up
    rounds, given_up = Arq(scripted([2], [0], [0]), 3).rounds(0, packets)
    assert rounds == [(5300, 1), (1000, 1), (1000, 1)]
    assert given_up


def test_each_burst_of_losses_costs_a_round_trip() -> None:
    transport = Transport("none", 0.02, losses=Arq(scripted([0, 1, 3], [1], []), 9))
    flights, delay_s = transport.trip(0.0, 1448 * 5 + 100)
    assert flights == [Flight(7340, 2 * 0.04), Flight(3 * 1448, 0.04), Flight(1448, 0.0)]
    assert delay_s == 0.02
    assert Transport("none", 0.02, losses=Arq(scripted([0]), 1)).trip(0.0, 9) == ([Flight(9, 0.04)], math.inf)


@pytest.mark.parametrize(("lost", "runs"), [([], 0), ([0], 1), ([0, 1], 1), ([1, 3, 4, 7], 3), (list(range(8)), 1)])
def test_bursts(lost: list[int], runs: int) -> None:
    assert bursts(np.isin(np.arange(8), lost)) == runs


@pytest.mark.parametrize("wrong", [1.0, 1.05])
@pytest.mark.parametrize("p", [0.1, 0.4])
def test_mean_tries(p: float, wrong: float) -> None:
    """E[tries] = 1 / (1 - p) over 1e5 packets; their variance is p / (1 - p)^2."""
    count = 100_000
    rounds, given_up = Arq(independent(wrong * p, 3, "l"), 1000).rounds(0, Packets(count, 1, 1))
    tries = sum(sent for sent, _ in rounds) / count
    z = (tries - 1 / (1 - p)) / (math.sqrt(p) / (1 - p) / math.sqrt(count))
    assert not given_up
    assert (abs(z) < Z) == (wrong == 1.0)


@pytest.mark.parametrize("wrong", [1.0, 1.05])
def test_residual_loss(wrong: float) -> None:
    """A packet is given up with probability p^tries."""
    arq = Arq(independent(wrong * 0.5, 3, "l"), 3)
    given_up = [arq.rounds(number, Packets(1, 1, 1))[1] for number in range(30_000)]
    assert (abs(z_score(given_up, 0.5**3)) < Z) == (wrong == 1.0)


@pytest.mark.parametrize("wrong", [1.0, 1.05])
def test_losses_in_bursts(wrong: float) -> None:
    """A bad packet is followed by a good one with probability r, and a share p / (p + r) is bad."""
    sending = in_bursts(GilbertElliott(0.1, wrong * 0.2), 3, "l")
    lost = np.array([sending(number)(200) for number in range(600)])
    before, after = lost[:, :-1], lost[:, 1:]
    leaving = (~after)[before].mean()
    assert (abs(leaving - 0.2) < Z * math.sqrt(0.2 * 0.8 / before.sum())) == (wrong == 1.0)
    assert (abs(z_score(lost.mean(axis=1), 0.1 / 0.3)) < Z) == (wrong == 1.0)


@pytest.mark.parametrize("draw", [independent(0.3, 5, "l", "up"), in_bursts(GilbertElliott(0.2, 0.5), 5, "l", "up")])
def test_the_luck_of_message_k_does_not_depend_on_what_was_sent_before(draw: Draw) -> None:
    alone = draw(7)(40).tolist()
    for number in range(7):
        draw(number)(1000)
    assert draw(7)(40).tolist() == alone
    assert draw(8)(40).tolist() != alone
    assert draw(7)(10).tolist() == alone[:10]


# Cold connections


def seconds(flights: list[Flight], rate_bps: float = math.inf) -> float:
    """From the start to the last bit."""
    now_s = 0.0
    for flight in flights:
        last_s = now_s + 8 * flight.wire_bytes / rate_bps
        now_s = max(last_s + flight.rest_s, now_s + flight.cycle_s)
    return now_s


def by_rounds(packets: int, window: int, round_trip_s: float) -> float:
    """Slow start where the rate is no limit: round trips until the last flight leaves."""
    now_s = 0.0
    while packets > window:
        packets -= window
        window *= 2
        now_s += round_trip_s
    return now_s


@pytest.mark.parametrize("packets", [1, 10, 11, 30, 31, 70, 71, 1000])
def test_slow_start_doubles_each_round_trip(packets: int) -> None:
    flights = ColdConnection(0.06, 0, 1.0).flights(0.0, packets_of(1448 * packets, "tcp"))
    assert seconds(flights) == pytest.approx(by_rounds(packets, 10, 0.06))
    assert sum(flight.wire_bytes for flight in flights) == 1514 * packets


@pytest.mark.parametrize(("handshake_rtts", "round_trips"), [(1, 2.5), (2, 3.5), (0, 1.5)])
def test_38_kb_over_60_ms(handshake_rtts: int, round_trips: float) -> None:
    """27 packets are two flights: one round trip between them, half a one to arrive, and the handshake."""
    transport = Transport("tcp", 0.03, connection=ColdConnection(0.06, handshake_rtts, 1.0))
    flights, delay_s = transport.trip(0.0, 38_000)
    assert seconds(flights) + delay_s == pytest.approx(round_trips * 0.06)


def test_the_rate_limits_once_the_window_fills_the_path() -> None:
    """At 1 Mb/s ten packets take longer than the round trip: the handshake is all that a cold connection costs."""
    flights = ColdConnection(0.01, 1, 1.0).flights(0.0, packets_of(200_000, "tcp"))
    assert seconds(flights, 1e6) == pytest.approx(0.01 + 8 * wire_bytes(200_000, "tcp") / 1e6)


def test_a_used_connection_stays_warm_until_it_idles() -> None:
    connection = ColdConnection(0.05, 2, 1.0)
    packets = packets_of(1448 * 25, "none")

    def message(start_s: float) -> list[int]:
        flights = connection.flights(start_s, packets)
        connection.ended(start_s + seconds(flights))
        return [flight.wire_bytes // 1448 for flight in flights]

    assert message(0.0) == [0, 10, 15]
    assert message(0.2) == [20, 5]
    assert message(1.1) == [25]
    assert message(2.3) == [0, 10, 15]


def test_oracles_foresee_without_changing_anything() -> None:
    transport = Transport(
        "tcp", 0.03, jitter(0.01, 1, "l"), Arq(independent(0.9, 1, "l"), 4), ColdConnection(0.06, 1, 1)
    )
    twin = Transport("tcp", 0.03, jitter(0.01, 1, "l"), Arq(independent(0.9, 1, "l"), 4), ColdConnection(0.06, 1, 1))
    flights, delay_s = transport.foreseen(0.0, 38_000)
    assert (seconds(flights), delay_s) == (pytest.approx(0.12), 0.03)
    assert [transport.trip(k, 38_000) for k in range(9)] == [twin.trip(k, 38_000) for k in range(9)]


def test_flights_after_losses_follow_the_window() -> None:
    """First round by slow start, repetitions after it."""
    transport = Transport("none", 0.03, losses=Arq(scripted([3, 4], []), 9), connection=ColdConnection(0.06, 1, 1.0))
    flights, _ = transport.trip(0.0, 1448 * 12)
    assert [flight.wire_bytes // 1448 for flight in flights] == [0, 10, 2, 2]
    assert [flight.rest_s for flight in flights] == [0.06, 0.0, 0.06, 0.0]
    starts = [0.0]
    for flight in flights:
        starts.append(max(starts[-1] + flight.rest_s, starts[-1] + flight.cycle_s))
    assert [later - sooner for sooner, later in pairwise(starts)] == pytest.approx([0.06, 0.06, 0.06, 0.0])
