"""Windows of events, and the rates that they multiply."""

from itertools import pairwise
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesim.events.factored import FactoredRate, speed
from edgesim.events.windows import Windows, windows_of
from edgesim.network.constant import ConstantRate
from edgesim.network.rate import pieces
from edgesim.network.steps import steps_table
from edgesim.network.tabled import TabledRate
from edgesim.scenario.events import DownEvent

RANDOM = DownEvent(what="down", node="edge", gap_ms={"distribution": "exponential", "mean_ms": 4000}, length_ms=1000.0)


def edges(windows, until_s):
    found, t = [], -1.0
    while (t := windows.next_edge(t)) < until_s:
        found.append(t)
    return found


def test_an_event_at_a_time_is_one_window():
    once = windows_of(DownEvent(what="down", node="edge", at_s=2.0, for_s=3.0), "a", "edge", 1)
    assert [once.inside(t) for t in (0, 1.999, 2, 4.999, 5, 100)] == [False, False, True, True, False, False]
    assert edges(once, 1e9) == [2.0, 5.0]


def test_an_event_without_an_end_lasts_for_ever():
    for_ever = windows_of(DownEvent(what="down", node="edge", at_s=2.0), "a", "edge", 1)
    assert for_ever.inside(1e12) and for_ever.next_edge(2.0) == inf


def test_random_windows_have_the_lengths_and_gaps_that_were_asked_for():
    found = edges(windows_of(RANDOM, "a", "edge", 1), 20_000)
    lengths = [stop - start for start, stop in pairwise(found)][::2]
    gaps = [stop - start for start, stop in pairwise(found)][1::2]
    assert np.allclose(lengths, 1.0)
    assert abs(np.mean(gaps) - 4.0) < 4 * 4.0 / np.sqrt(len(gaps))
    assert abs(np.mean(gaps) * 1.1 - 4.0) > 4 * 4.0 / np.sqrt(len(gaps))  # 10 % more would be seen


def test_each_entity_has_times_of_its_own_unless_it_befalls_all_together():
    mine, yours = (edges(windows_of(RANDOM, "a", entity, 1), 100) for entity in ("edge-0", "edge-1"))
    assert mine != yours
    together = RANDOM.model_copy(update={"together": True})
    mine, yours = (edges(windows_of(together, "a", entity, 1), 100) for entity in ("edge-0", "edge-1"))
    assert mine == yours


def test_times_do_not_depend_on_what_was_asked_before():
    early = edges(windows_of(RANDOM, "a", "edge", 1), 50)
    late = windows_of(RANDOM, "a", "edge", 1)
    late.inside(500.0)
    assert edges(late, 50) == early


windows_lists = st.lists(st.floats(0.01, 5), min_size=0, max_size=6).map(
    lambda lengths: [float(edge) for edge in np.cumsum(lengths)]
)


def made(edge_list):
    return Windows(iter(zip(edge_list[::2], edge_list[1::2], strict=False)))


@given(
    a=windows_lists, b=windows_lists, start=st.floats(0, 20), bits=st.floats(0.01, 100),
    factors=st.tuples(st.just(0.0) | st.floats(0.01, 3), st.floats(0.1, 3)),
)  # fmt: skip
def test_a_transfer_ends_where_the_integral_is_reached(a, b, start, bits, factors):
    base = TabledRate(steps_table(((0.0, 2e-6), (3.0, 0.0), (4.0, 5e-6))), "loop")
    rate = FactoredRate(base, [(made(a), factors[0]), (made(b), factors[1])])
    finish = rate.finish(start, bits)
    assert rate.integral(start, finish) == pytest.approx(bits, rel=1e-9)
    assert rate.integral(start, finish - 1e-6 * (finish - start)) < bits


@given(a=windows_lists, start=st.floats(0, 20), length=st.floats(0, 20), factor=st.floats(0, 3))
def test_the_integral_is_that_of_the_pieces(a, start, length, factor):
    rate = FactoredRate(TabledRate(steps_table(((0.0, 2e-6), (3.0, 1e-6))), "loop"), [(made(a), factor)])
    stop = start + length + 0.01
    edges_s, rates = pieces(rate, start, stop)
    expected = sum(value * (right - left) for value, (left, right) in zip(rates, pairwise(edges_s), strict=True))
    assert rate.integral(start, stop) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_nothing_flows_while_the_factor_is_zero():
    rate = FactoredRate(ConstantRate(10.0), [(made([1.0, 3.0]), 0.0)])
    assert rate.finish(0.0, 20.0) == pytest.approx(4.0)
    assert rate.rate(2.0) == 0.0 and rate.rate(3.0) == 10.0


def test_what_never_flows_never_ends():
    assert FactoredRate(ConstantRate(10.0), [(Windows(iter([(1.0, inf)])), 0.0)]).finish(0.0, 20.0) == inf
    assert FactoredRate(ConstantRate(0.0), [(windows_of(RANDOM, "a", "edge", 1), 2.0)]).finish(0.0, 20.0) == inf


def test_work_takes_longer_while_a_node_is_slow():
    slow = speed([(made([10.0, 20.0]), 1 / 4)])
    assert slow.finish(0.0, 5.0) == pytest.approx(5.0)
    assert slow.finish(8.0, 3.0) == pytest.approx(14.0)
    assert slow.finish(8.0, 5.5) == pytest.approx(21.0)
