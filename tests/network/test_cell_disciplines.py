"""Weights, rates of their own, contention and turns in a cell, against a brute-force fluid simulation and formulas."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from edgesim.network.ar1 import Ar1Moments, Ar1Rate, match
from edgesim.network.cell import Cell, Share, SharedCell
from edgesim.network.constant import ConstantRate
from edgesim.network.csma import contention
from edgesim.network.own_rates import OwnRatesCell, rates_from
from edgesim.network.rate import RateProcess, pieces
from edgesim.network.round_robin import RoundRobinCell
from edgesim.network.steps import steps_table
from edgesim.network.tabled import TabledRate

Job = tuple[float, float]  # arrival (s), bits
Rates = Callable[[float, list[int]], list[float]]
"""(time, numbers of the flows under way) -> what each of them gets, bits a second."""


def run(cell: Cell[int], jobs: Sequence[Job], add: Callable[[float, float, int], None]) -> list[float]:
    """Finish time of each job, jobs in the order of arrival."""
    finishes: dict[int, float] = {}

    def drain(until_s: float) -> None:
        while (now_s := cell.next_event_s()) is not None and now_s <= until_s:
            flow = cell.pop(now_s)
            if flow is not None:
                finishes[flow] = now_s

    for number, (now_s, bits) in enumerate(jobs):
        drain(now_s)
        add(now_s, bits, number)
    drain(1e9)
    return [finishes[number] for number in range(len(jobs))]


def fluid(jobs: Sequence[Job], edges_s: Sequence[float], rates: Rates) -> list[float]:
    """Every flow's remaining bits, between all changes of any rate and all arrivals."""
    left: dict[int, float] = {}
    finishes = [math.nan] * len(jobs)
    arriving = 0
    for now_s, stop_s in pairwise(sorted({*edges_s, *(now_s for now_s, _ in jobs)})):
        while arriving < len(jobs) and jobs[arriving][0] <= now_s:
            left[arriving] = jobs[arriving][1]
            arriving += 1
        while left and now_s < stop_s:
            under_way = list(left)
            gets = dict(zip(under_way, rates(now_s, under_way), strict=True))
            ends = [now_s + left[flow] / gets[flow] for flow in under_way if gets[flow]]
            until_s = min([stop_s, *ends])
            for flow in under_way:
                left[flow] -= gets[flow] * (until_s - now_s)
                if left[flow] < 1e-4:
                    finishes[flow] = until_s
                    del left[flow]
            now_s = until_s
    return finishes


def some_jobs(count: int = 400) -> list[Job]:
    draws, now_s, jobs = random.Random(8), 0.0, []
    for _ in range(count):
        now_s += draws.expovariate(4.0)
        jobs.append((now_s, draws.uniform(1e4, 1.2e6)))
    return jobs


HORIZON_S = 300.0
STEPS = [[0, 9], [1, 0], [1.5, 2], [3, 7]]


def common() -> TabledRate:
    return TabledRate(steps_table(STEPS), "loop")


def common_edges_s() -> list[float]:
    return pieces(common(), 0.0, HORIZON_S)[0]


# Shares of a common rate


def weighted(rates: float = 1.0) -> float:
    """Largest deviation from the fluid, in seconds, of flows with weights 1, 2 and 5."""
    jobs, weights = some_jobs(), [(1.0, 2.0, 5.0)[number % 3] for number in range(400)]

    def gets(now_s: float, flows: list[int]) -> list[float]:
        total = sum(weights[flow] for flow in flows)
        return [rates * weights[flow] / total * common().rate(now_s) for flow in flows]

    cell: SharedCell[int] = SharedCell(common())
    found = run(cell, jobs, lambda now_s, bits, n: cell.add(now_s, bits, n, Share(weights[n], weights[n])))
    expected = fluid(jobs, common_edges_s(), gets)
    return max(abs(one - other) for one, other in zip(found, expected, strict=True))


def test_weights_equal_the_fluid() -> None:
    assert weighted() < 1e-7


def test_a_fluid_five_percent_slower_is_seen() -> None:
    assert weighted(0.95) > 1e-2


def test_two_weights_alone() -> None:
    """Weights 3 and 1 on 4 Mb/s: 3 Mb/s and 1 Mb/s; then the other has all."""
    cell: SharedCell[int] = SharedCell(ConstantRate(4e6))
    jobs = [(0.0, 3e6), (0.0, 3e6)]
    found = run(cell, jobs, lambda now_s, bits, n: cell.add(now_s, bits, n, Share(3.0, 3.0) if n == 0 else Share()))
    assert found == pytest.approx([1.0, 1.5])


@pytest.mark.parametrize("flows", [1, 4, 9])
def test_contention_takes_its_part_from_all(flows: int) -> None:
    """n equal flows on a channel C of which S(n) is left end at n b / (C S(n))."""
    cell: SharedCell[int] = SharedCell(ConstantRate(2e6), lambda n: contention(n).throughput)
    found = run(cell, [(1.0, 1e6)] * flows, cell.add)
    assert found == pytest.approx([1.0 + flows * 1e6 / (2e6 * contention(flows).throughput)] * flows)


def test_contention_equals_the_fluid() -> None:
    jobs = some_jobs()

    def gets(now_s: float, flows: list[int]) -> list[float]:
        return [common().rate(now_s) * contention(len(flows)).throughput / len(flows)] * len(flows)

    cell: SharedCell[int] = SharedCell(common(), lambda n: contention(n).throughput)
    assert run(cell, jobs, cell.add) == pytest.approx(fluid(jobs, common_edges_s(), gets), abs=1e-7)


# Bianchi's model


@pytest.mark.parametrize(
    ("stations", "tau", "p", "throughput"),
    [
        (5, 0.0482, 0.1792, 0.8097),
        (10, 0.0387, 0.2989, 0.7532),
        (20, 0.0291, 0.4296, 0.6788),
        (50, 0.0190, 0.6094, 0.5529),
    ],
)
def test_bianchis_values(stations: int, tau: float, p: float, throughput: float) -> None:
    """W = 32, m = 3, basic access, frequency hopping at 1 Mb/s."""
    found = contention(stations)
    assert (found.tau, found.p, found.throughput) == pytest.approx((tau, p, throughput), abs=5e-5)


def test_contention_solves_both_equations() -> None:
    """His equations 7 and 9, for other windows as well."""
    for window, stages, stations in ((16, 6, 3), (32, 5, 12), (128, 3, 40)):
        tau, p, _ = contention(stations, window, stages)
        top, bottom = 2 * (1 - 2 * p), (1 - 2 * p) * (window + 1) + p * window * (1 - (2 * p) ** stages)
        assert tau == pytest.approx(top / bottom, rel=1e-9)
        assert p == pytest.approx(1 - (1 - tau) ** (stations - 1), rel=1e-9)
    assert contention(1).p == 0


# Rates of their own


def own_rates(draws: random.Random, count: int) -> list[RateProcess]:
    """Constant ones, steps with outages, and AR(1): by number."""
    law = match(Ar1Moments(5e6, 0.9, 0.7, 0.2, 2.0), 0.1)
    kinds: list[Callable[[int], RateProcess]] = [
        lambda _: ConstantRate(draws.choice([1e6, 2e6, 11e6])),
        lambda _: TabledRate(steps_table(STEPS), "loop", draws.uniform(0, 4)),
        lambda number: Ar1Rate(law, 3, number),
    ]
    return [kinds[number % 3](number) for number in range(count)]


def own(turns: Any, heard: float = 1.0) -> float:
    """Largest deviation from the fluid, in seconds; the fluid's rates are ``heard`` times the true ones."""
    jobs = some_jobs(200)
    rates = own_rates(random.Random(4), len(jobs))
    edges_s = [edge for rate in rates for edge in pieces(rate, 0.0, HORIZON_S)[0]]
    cell: OwnRatesCell[int] = OwnRatesCell(turns)
    found = run(cell, jobs, lambda now_s, bits, n: cell.add_with_rate(now_s, bits, n, rates[n]))

    def gets(now_s: float, flows: list[int]) -> list[float]:
        alone = [heard * rates[flow].rate(now_s + 1e-9) for flow in flows]
        contending = sum(rate > 0 for rate in alone)
        if turns == "time":
            return [rate / contending if rate else 0.0 for rate in alone]
        each = 1 / sum(1 / rate for rate in alone if rate) if contending else 0.0
        return [each if rate else 0.0 for rate in alone]

    expected = fluid(jobs, edges_s, gets)
    assert not any(map(math.isnan, expected))
    return max(abs(one - other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("turns", ["time", "frames"])
def test_own_rates_equal_the_fluid(turns: str) -> None:
    assert own(turns) < 1e-5


@pytest.mark.parametrize("turns", ["time", "frames"])
def test_own_rates_five_percent_off_are_seen(turns: str) -> None:
    assert own(turns, 0.95) > 1e-2


def test_a_slow_station_slows_the_others() -> None:
    """Heusse's anomaly: 1 Mb/s beside 11 Mb/s leaves 11/12 Mb/s to each; by time it would be 0.5 and 5.5 Mb/s."""
    rates = [ConstantRate(1e6), ConstantRate(11e6)]
    for turns, fast_bps in (("frames", 11e6 / 12), ("time", 5.5e6)):
        cell: OwnRatesCell[int] = OwnRatesCell(turns)  # type: ignore[arg-type]
        jobs = [(0.0, 1e9), (0.0, 11e6)]
        found = run(cell, jobs, lambda now_s, bits, n, cell=cell: cell.add_with_rate(now_s, bits, n, rates[n]))
        assert found[1] == pytest.approx(11e6 / fast_bps, rel=1e-12)


def test_equal_own_rates_are_a_common_rate() -> None:
    jobs = some_jobs()
    shared: SharedCell[int] = SharedCell(common())
    expected = run(shared, jobs, shared.add)
    for turns in ("time", "frames"):
        cell: OwnRatesCell[int] = OwnRatesCell(turns)  # type: ignore[arg-type]
        found = run(cell, jobs, lambda now_s, bits, n, cell=cell: cell.add_with_rate(now_s, bits, n, common()))
        assert found == pytest.approx(expected, rel=1e-9)


def test_what_is_left_of_flows_with_own_rates() -> None:
    cell: OwnRatesCell[str] = OwnRatesCell("frames")
    outage = TabledRate(steps_table([[0, 1], [1, 0]]), "hold")
    cell.add_with_rate(0.0, 2e6, "a", outage)
    cell.add_with_rate(0.0, 5e6, "b", ConstantRate(1e6))
    assert (cell.left_bits(1.0, "a"), cell.left_bits(1.0, "b")) == pytest.approx((1.5e6, 4.5e6))
    assert cell.next_event_s() == 1.0
    assert cell.pop(1.0) is None
    assert (cell.left_bits(3.0, "a"), cell.left_bits(3.0, "b")) == pytest.approx((1.5e6, 2.5e6))


def test_many_changes_leave_no_trace_behind() -> None:
    """What the heap holds is bounded by the flows, not by how often their shares have changed."""
    cell: SharedCell[str] = SharedCell(ConstantRate(1e6))
    for flow in "ab":
        cell.add(0.0, 1e9, flow)
    for step in range(1000):
        cell.change(step * 1e-3, "a", Share(1.0 + step % 2, 1.0))
    assert len(cell._heap) < 100


@pytest.mark.parametrize("start_s", [0.0, 0.35, 59.9, 60.0, 600.1])
def test_rates_from_a_time_on_are_the_processes(start_s: float) -> None:
    for rate in own_rates(random.Random(1), 3):
        now_s = start_s
        for (rate_bps, until_s), _ in zip(rates_from(rate, start_s), range(200), strict=False):
            assert until_s > now_s
            assert rate_bps == rate.rate((now_s + until_s) / 2)
            now_s = until_s


# Round robin


def in_turn(rate: RateProcess, jobs: Sequence[Job], quantum_bytes: int) -> list[float]:
    cell: RoundRobinCell[int] = RoundRobinCell(rate, quantum_bytes)
    return run(cell, jobs, cell.add)


def test_equal_flows_end_one_packet_after_the_other() -> None:
    """n flows of k packets: flow i ends when (k - 1) n + i packets are sent."""
    found = in_turn(ConstantRate(1e6), [(0.0, 8.0 * 500 * 10)] * 4, 500)
    assert found == pytest.approx([(9 * 4 + i) * 8 * 500 / 1e6 for i in (1, 2, 3, 4)])


def packets_in_turn(jobs: Sequence[Job], rate: RateProcess, quantum_bits: float) -> list[float]:
    """A plain loop over packets."""
    finishes, now_s, waiting, coming = [0.0] * len(jobs), 0.0, [], list(enumerate(jobs))
    while waiting or coming:
        if not waiting:
            now_s = max(now_s, coming[0][1][0])
        while coming and coming[0][1][0] <= now_s:
            number, (_, bits) = coming.pop(0)
            waiting.append([number, bits])
        number, bits = waiting.pop(0)
        stop_s = rate.finish(now_s, min(bits, quantum_bits))
        while coming and coming[0][1][0] < stop_s:
            waiting.append([coming[0][0], coming.pop(0)[1][1]])
        now_s = stop_s
        if bits > quantum_bits:
            waiting.append([number, bits - quantum_bits])
        else:
            finishes[number] = now_s
    return finishes


def test_turns_equal_a_loop_over_packets() -> None:
    jobs = some_jobs(300)
    assert in_turn(common(), jobs, 1514) == pytest.approx(packets_in_turn(jobs, common(), 8 * 1514), rel=1e-12)


def test_small_packets_come_near_to_processor_sharing() -> None:
    """No flow ends later or sooner than in the fluid by more than a packet of each flow under way."""
    jobs = some_jobs(150)
    shared: SharedCell[int] = SharedCell(ConstantRate(5e6))
    ideal = run(shared, jobs, shared.add)
    off = {
        quantum: max(abs(a - b) for a, b in zip(in_turn(ConstantRate(5e6), jobs, quantum), ideal, strict=True))
        for quantum in (15, 1500)
    }
    assert off[15] < 1e-3 < off[1500] < 0.1


def test_what_is_left_while_a_packet_is_on_its_way() -> None:
    cell: RoundRobinCell[str] = RoundRobinCell(ConstantRate(8e3), 100)
    cell.add(0.0, 8.0 * 250, "a")
    cell.add(0.05, 8.0 * 100, "b")
    assert cell.left_bits(0.05, "a") == pytest.approx(8 * 200)
    assert cell.pop(cell.next_event_s()) is None
    assert (cell.left_bits(0.15, "a"), cell.left_bits(0.15, "b")) == pytest.approx((8 * 150, 8 * 50))
    assert [cell.pop(cell.next_event_s()) for _ in range(3)] == ["b", None, "a"]
    assert cell.next_event_s() is None and len(cell) == 0
