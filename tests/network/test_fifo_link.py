"""A FIFO link against Lindley's recursion and against what a device can know."""

from __future__ import annotations

import math
import random

import pytest

from edgesim.network.constant import ConstantRate
from edgesim.network.fifo import FifoLink
from edgesim.network.headers import wire_bytes
from edgesim.network.steps import steps_table
from edgesim.network.tabled import TabledRate


def arrivals(count: int, mean_gap_s: float) -> list[tuple[float, int]]:
    draws, now_s, all_of_them = random.Random(3), 0.0, []
    for _ in range(count):
        now_s += draws.expovariate(1 / mean_gap_s)
        all_of_them.append((now_s, draws.randrange(1, 60_000)))
    return all_of_them


def trace_rate(*later: list[float]) -> TabledRate:
    return TabledRate(steps_table([[0, 5], [2, 0], [2.5, 1], [4, 9], *later]), "loop")


@pytest.mark.parametrize("headers", ["tcp", "none"])
def test_waits_are_lindleys(headers: str) -> None:
    link, rate_bps, wait_s, before_s, service_s = FifoLink(ConstantRate(2e6), 0.01, headers), 2e6, 0.0, 0.0, 0.0
    for now_s, size in arrivals(5000, 0.15):
        wait_s = max(wait_s + service_s - (now_s - before_s), 0.0)
        service_s, before_s = 8 * wire_bytes(size, headers) / rate_bps, now_s
        start_s, finish_s = link.send(now_s, size)
        assert start_s - now_s == pytest.approx(wait_s, rel=1e-9, abs=1e-9)
        assert finish_s - start_s == pytest.approx(service_s, rel=1e-9)
    assert wait_s > 0


def test_a_transfer_starts_when_the_one_before_has_left_and_takes_the_integral() -> None:
    link, free_s = FifoLink(trace_rate(), 0.0, "none"), 0.0
    for now_s, size in arrivals(2000, 0.1):
        start_s, finish_s = link.send(now_s, size)
        assert start_s == max(now_s, free_s)
        assert trace_rate().integral(start_s, finish_s) == pytest.approx(8 * size, rel=1e-9)
        free_s = finish_s


def test_counters() -> None:
    link, sent = FifoLink(ConstantRate(4e6), 0.0, "tcp"), arrivals(300, 0.2)
    intervals = [link.send(now_s, size) for now_s, size in sent]
    assert link.transfers == 300
    assert link.bytes == sum(size for _, size in sent)
    assert link.wire_bytes == sum(wire_bytes(size, "tcp") for _, size in sent)
    now_s = (intervals[-1][0] + intervals[-1][1]) / 2
    expected = sum(min(finish_s, now_s) - start_s for start_s, finish_s in intervals)
    assert link.busy_until(now_s) == pytest.approx(expected, rel=1e-9)
    assert link.busy_until(now_s + 1e6) == pytest.approx(8 * link.wire_bytes / 4e6, rel=1e-9)


def test_queued_bytes_are_those_not_yet_sent() -> None:
    link, accepted = FifoLink(trace_rate(), 0.0, "none"), []
    for now_s, size in arrivals(400, 0.08):
        expected = 0.0
        for start_s, finish_s, bytes_ in accepted:
            if finish_s > now_s:
                expected += bytes_ - trace_rate().integral(start_s, max(now_s, start_s)) / 8
        assert link.queued_bytes(now_s) == pytest.approx(expected, rel=1e-9, abs=1e-3)
        accepted.append((*link.send(now_s, size), size))
    assert link.queued_bytes(accepted[-1][1]) == 0


def test_queued_bytes_hold_nothing_of_the_future() -> None:
    """Two links that have been the same so far look the same, whatever comes."""
    links = [FifoLink(trace_rate([6, rate_mbps], [7, 1]), 0.0, "tcp") for rate_mbps in (0, 0.1, 300)]
    for now_s, size in ((0.1, 400_000), (4.5, 1_000_000), (4.6, 700_000)):
        for link in links:
            link.send(now_s, size)
        assert len({link.queued_bytes(now_s + 0.2) for link in links}) == 1
    assert len({link.send(5.9, 400_000)[1] for link in links}) == 3


def test_a_rate_that_stays_zero_keeps_what_it_got() -> None:
    link = FifoLink(TabledRate(steps_table([[0, 8], [1, 0]]), "hold"), 0.0, "none")
    assert link.send(0.0, 2_000_000)[1] == math.inf
    assert link.send(1.0, 5)[0] == math.inf
    assert link.queued_bytes(3.0) == pytest.approx(1_000_005)
    assert link.busy_until(3.0) == 3.0


@pytest.mark.parametrize(
    ("payload", "tcp"), [(0, 0), (1, 67), (1448, 1514), (1449, 1449 + 132), (151_296, 151_296 + 105 * 66)]
)
def test_headers(payload: int, tcp: int) -> None:
    assert wire_bytes(payload, "tcp") == tcp
    assert wire_bytes(payload, "none") == payload
