"""Every rate process against arithmetic of its own: exact fractions, or numpy on the whole cumulative curve."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesim.errors import InputError
from edgesim.network.ar1 import Ar1Moments, Ar1Rate, match
from edgesim.network.channel import Channel, ChannelLaw
from edgesim.network.constant import ConstantRate
from edgesim.network.derived import MappedRate, ProductRate, ScaledRate, SlowedRate
from edgesim.network.fading import BlockFading
from edgesim.network.handover import Handover
from edgesim.network.markov import JumpLaw, JumpRate, StepLaw, StepRate
from edgesim.network.markov_chain import MarkovChain
from edgesim.network.mobility import RandomWaypoint, WaypointLaw
from edgesim.network.path_loss import umi
from edgesim.network.radio import Budget, RadioRate
from edgesim.network.random_walk import RandomWalk, RandomWalkRate
from edgesim.network.rate import RateProcess, Stretch, pieces
from edgesim.network.seasonal import seasonal_factor
from edgesim.network.shannon import ShannonRate, noise_dbm
from edgesim.network.steps import steps_table
from edgesim.network.tabled import Ends, TabledRate

OUTAGES = Ar1Moments(5e6, 0.9, 0.7, outage_share=0.2, outage_mean_s=2.0)
SMOOTH = Ar1Moments(5e6, 0.4, 0.7)
MATRIX = ((0.9, 0.1, 0.0), (0.05, 0.8, 0.15), (0.0, 0.1, 0.9))
GENERATOR = ((-2.0, 2.0, 0.0), (0.5, -2.0, 1.5), (0.25, 0.25, -0.5))
STEPS = [[0, 5], [1, 0], [2.5, 20], [2.6, 0.25], [4, 0]]


def radio() -> RadioRate:
    """Moving among two base stations, with interruptions that do not fit the grid."""
    law = ChannelLaw(umi(3.5), ((0.0, 0.0), (200.0, 0.0)), Handover(1.0, 0.05, 0.13), 0.05)
    way = RandomWaypoint(WaypointLaw(200.0, 100.0, 5.0, 20.0, 1.0), 7, "drone")
    budget = Budget(23.0, noise_dbm(1e6, 5.0), ShannonRate(1e6))
    return RadioRate(Channel(law, way, 7, "drone"), budget, BlockFading(), 0.05, 7, "drone", "up")


def make(name: str) -> RateProcess:
    return {
        "constant": lambda: ConstantRate(5e6),
        "steps": lambda: TabledRate(steps_table(STEPS), "loop"),
        "offset": lambda: TabledRate(steps_table(STEPS), "loop", offset_s=1.7),
        "hold": lambda: TabledRate(steps_table([*STEPS, [5, 3]]), "hold", offset_s=0.3),
        "ar1": lambda: Ar1Rate(match(SMOOTH, 0.1), 7, "up"),
        "outages": lambda: Ar1Rate(match(OUTAGES, 0.1), 7, "up"),
        "markov": lambda: StepRate(StepLaw((0.0, 2e6, 9e6), MarkovChain(MATRIX), 0.1), 7, "up"),
        "walk": lambda: RandomWalkRate(RandomWalk(0.5e6, 8e6, 3e6, 0.1), 7, "up"),
        "seasonal": lambda: ProductRate(make("outages"), seasonal_factor(100.0, 0.9, 30.0)),
        "season of a table": lambda: ProductRate(make("offset"), seasonal_factor(50.0, 0.5, 0.0)),
        "slowed": lambda: SlowedRate(make("offset"), 2.5),
        "scaled": lambda: ScaledRate(make("jumps"), 1.7),
        "mapped": lambda: MappedRate(make("outages"), lambda rates: 3e3 * rates**0.5),
        "jumps": lambda: JumpRate(JumpLaw((0.0, 2e6, 9e6), GENERATOR), 7, "up"),
        "radio": radio,
    }[name]()


NAMES = ["constant", "steps", "offset", "hold", "ar1", "outages", "markov", "jumps", "walk", "seasonal"]
NAMES += ["season of a table", "slowed", "scaled", "mapped", "radio"]


def cumulative(name: str, until_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges and bits by each edge, summed in long double, from the chunks of a process of its own."""
    edges, rates = pieces(make(name), 0.0, until_s)
    gaps = np.diff(np.array(edges, dtype=np.longdouble))
    return np.array(edges), np.concatenate([[0], np.cumsum(gaps * np.array(rates))]).astype(float)


@pytest.mark.parametrize("name", NAMES)
def test_finish_is_the_inverse_of_the_cumulative_rate(name: str) -> None:
    edges, bits = cumulative(name, 1500.0)
    rate, draws = make(name), random.Random(5)
    for _ in range(1000):
        start_s, size = draws.uniform(0, 500), 10 ** draws.uniform(1, 8.3)
        target = np.interp(start_s, edges, bits) + size
        expected = float(np.interp(target, bits, edges))
        found = rate.finish(start_s, size)
        assert found == pytest.approx(expected, rel=1e-9)
        assert rate.integral(start_s, found) == pytest.approx(size, rel=1e-9, abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_integral_is_the_difference_of_the_cumulative_rate(name: str) -> None:
    edges, bits = cumulative(name, 1000.0)
    rate, draws = make(name), random.Random(6)
    for longest_s in (0.05, 1, 10, 900) * 25:
        start_s = draws.uniform(0, 100)
        stop_s = start_s + draws.uniform(0, longest_s)
        expected = float(np.interp(stop_s, edges, bits) - np.interp(start_s, edges, bits))
        assert rate.integral(start_s, stop_s) == pytest.approx(expected, rel=1e-9, abs=1e-3)
    assert rate.integral(17.3, 17.3) == 0


@pytest.mark.parametrize("name", NAMES)
def test_chunks_follow_each_other_and_are_the_rate(name: str) -> None:
    rate = make(name)
    chunks = [rate.chunk(k) for k in range(6)]
    assert chunks[0][0][0] <= 0
    for (edges, rates), (following, _) in pairwise(chunks):
        assert len(edges) == len(rates) + 1
        assert edges[-1] == following[0]
        for (left, right), value in zip(pairwise(edges), rates, strict=True):
            if left >= 0:
                assert left < right and rate.rate((left + right) / 2) == value


@pytest.mark.parametrize("name", NAMES)
def test_any_order_gives_the_same_values(name: str) -> None:
    forward, order = make(name), list(range(90))
    expected = [forward.chunk(k) for k in order]
    random.Random(1).shuffle(order)
    shuffled = make(name)
    assert all(shuffled.chunk(k) == expected[k] for k in order)
    late = make(name)
    assert late.chunk(80) == expected[80] and late.chunk(3) == expected[3]


@pytest.mark.parametrize("name", NAMES)
def test_questions_do_not_change_the_answers(name: str) -> None:
    asked, draws = make(name), random.Random(2)
    for _ in range(100):
        start_s = draws.uniform(0, 300)
        size = draws.uniform(1, 1e7)
        assert asked.finish(start_s, size) == make(name).finish(start_s, size)


def test_nothing_to_send_takes_no_time_even_in_an_outage() -> None:
    assert TabledRate(steps_table([[0, 0], [1, 5]]), "hold").finish(0.5, 0) == 0.5
    assert ConstantRate(0.0).finish(0.5, 0) == 0.5


def test_an_outage_delays_a_transfer_by_its_length() -> None:
    rate = TabledRate(steps_table([[0, 8], [1, 0], [4, 8]]), "hold")
    assert rate.finish(0.5, 8e6) == pytest.approx(4.5, rel=1e-12)
    assert rate.finish(2.0, 8e6) == pytest.approx(5.0, rel=1e-12)
    assert rate.finish(0.5, 4e6) == pytest.approx(1.0, rel=1e-12)  # the least time: before the outage, not after


def test_a_rate_that_stays_zero_never_ends_a_transfer() -> None:
    assert ConstantRate(0.0).finish(1.0, 1) == math.inf
    held = TabledRate(steps_table([[0, 5], [1, 0]]), "hold")
    assert held.finish(0.5, 2e6) < 1
    assert held.finish(0.5, 3e6) == math.inf
    assert held.finish(50.0, 1) == math.inf


def test_a_transfer_of_many_passes_is_not_walked_through() -> None:
    rate = TabledRate(steps_table([[0, 2], [0.001, 0]]), "loop")  # 1 Mb/s on average, period 2 ms
    assert rate.finish(0.0, 1e12) == pytest.approx(1e6, rel=1e-8)
    assert rate.integral(0.0, 1e6) == pytest.approx(1e12, rel=1e-9)


def test_a_lone_transfer_within_a_piece_has_the_closed_form() -> None:
    assert ConstantRate(5e6).finish(3.0, 1234) == 3.0 + 1234 / 5e6
    assert TabledRate(steps_table([[0, 5], [10, 1]]), "hold").finish(3.0, 1234) == 3.0 + 1234 / 5e6


def test_pieces_cover_the_time_asked_for() -> None:
    edges, rates = pieces(make("offset"), 1.0, 20.0)
    assert edges[0] == 1.0 and edges[-1] == 20.0 and len(edges) == len(rates) + 1
    bits = sum(rate * (right - left) for rate, (left, right) in zip(rates, pairwise(edges), strict=True))
    assert bits == pytest.approx(make("offset").integral(1.0, 20.0), rel=1e-12)


def test_a_negative_time_is_refused() -> None:
    with pytest.raises(ValueError, match="from time 0 on"):
        make("ar1").rate(-1.0)


def test_a_bad_constant_rate_is_refused() -> None:
    for rate_bps in (-1.0, math.inf, math.nan):
        with pytest.raises(InputError):
            ConstantRate(rate_bps)


@pytest.mark.parametrize(
    "steps", [[], [[1, 5]], [[0, 5], [0, 6]], [[0, 5], [2, 6], [1, 6]], [[0, -1]], [[0, math.inf]]]
)
def test_bad_steps_are_refused(steps: list[list[float]]) -> None:
    with pytest.raises(InputError, match="steps"):
        steps_table(steps)


def walk(table: Stretch, ends: Ends, offset_s: Fraction, start_s: Fraction, bits: Fraction) -> Fraction:
    """When ``bits`` have flowed, piece by piece, in exact arithmetic."""
    edges = [Fraction(edge) for edge in table.edges_s]
    time_s, passed = -offset_s, 0
    while True:
        rates = table.rates_bps if ends == "loop" or not passed else table.rates_bps[-1:]
        shape = edges if ends == "loop" or not passed else [Fraction(0), edges[-1]]
        for rate, (left, right) in zip(rates, pairwise(shape), strict=True):
            begin, end = max(time_s + left, start_s), time_s + right
            if end <= begin:
                continue
            if rate and bits <= Fraction(rate) * (end - begin):
                return begin + bits / Fraction(rate)
            bits -= Fraction(rate) * (end - begin)
        time_s += edges[-1]
        passed += 1


eighths = st.integers(1, 40).map(lambda n: n / 8)  # sums of eighths are exact, as floats and as fractions
tables = st.lists(st.tuples(eighths, st.sampled_from([0.0, 0.0, 2.5e5, 1e6, 7.3e6])), min_size=1, max_size=8)


@settings(derandomize=True, deadline=None, max_examples=250)
@given(tables, st.sampled_from(["loop", "hold"]), st.integers(0, 39), st.integers(0, 400), st.floats(1, 1e7))
def test_tables_agree_with_exact_fractions(
    rows: list[tuple[float, float]], ends: Ends, offset: int, start: int, bits: float
) -> None:
    edges = [0.0, *np.cumsum([gap for gap, _ in rows]).tolist()]
    rates = [rate for _, rate in rows]
    table = Stretch(edges, [*rates[:-1], rates[-1] or 1e6])
    offset_s = min(offset / 8, edges[-1] - 1 / 8)
    rate = TabledRate(table, ends, offset_s)
    expected = walk(table, ends, Fraction(offset_s), Fraction(start, 8), Fraction(bits))
    found = rate.finish(start / 8, bits)
    assert found == pytest.approx(float(expected), rel=1e-9)
    assert rate.integral(start / 8, found) == pytest.approx(bits, rel=1e-9, abs=1e-4)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.sampled_from(NAMES), st.floats(0, 200), st.floats(1, 1e7), st.floats(1, 1e7))
def test_two_transfers_end_to_end_are_one(name: str, start_s: float, first: float, second: float) -> None:
    rate = make(name)
    between_s = rate.finish(start_s, first)
    assert rate.finish(between_s, second) == pytest.approx(rate.finish(start_s, first + second), rel=1e-9)
    assert start_s <= between_s <= rate.finish(between_s, second)
