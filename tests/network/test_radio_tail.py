"""The radio's states between transfers against small steps of time over the union of the transfers."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesim.network.radio_power import Radio, TransferPower
from edgesim.network.radio_tail import Draw, RadioTail

STEP_S = 0.125
RADIO = Radio(TransferPower(1.0), TransferPower(1.0), tail_w=2.0, tail_s=1.5, promotion_w=3.0, promotion_s=0.5)
Spans = list[tuple[float, float]]


def expected_j(spans: Spans, until_s: float) -> float:
    """Step by step; every time lies on the grid of steps."""
    total, quiet_s, awake = 0.0, -np.inf, False
    waking_until_s: list[float] = []
    for step in range(round(until_s / STEP_S)):
        now_s = step * STEP_S
        busy = any(start_s <= now_s < stop_s for start_s, stop_s in spans)
        if busy and not awake and now_s > quiet_s + RADIO.tail_s:
            waking_until_s.append(now_s + RADIO.promotion_s)
        if awake and not busy:
            quiet_s = now_s
        awake = busy
        tail = not busy and now_s < quiet_s + RADIO.tail_s
        total += STEP_S * (RADIO.tail_w * tail + RADIO.promotion_w * sum(now_s < until for until in waking_until_s))
    return total


def of_draws(draws: list[Draw], until_s: float) -> float:
    return sum(draw.within(0.0, until_s).joules for draw in draws)


grid = st.integers(0, 160).map(lambda steps: steps * STEP_S)
lengths = st.integers(1, 30).map(lambda steps: steps * STEP_S)
spans = st.lists(st.tuples(grid, lengths).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=8)


@given(spans, st.randoms(use_true_random=False), grid)
@settings(max_examples=300, deadline=None)
def test_energy_is_that_of_the_union_whatever_the_order_of_telling(
    told: Spans, order: random.Random, until_s: float
) -> None:
    """Each transfer is told at some time before it begins; the draws returned add up to the same energy."""
    tellings = sorted((order.choice([0.0, start_s // 1, start_s]), start_s, stop_s) for start_s, stop_s in told)
    tail, draws = RadioTail(RADIO), list[Draw]()
    for now_s, start_s, stop_s in tellings:
        changes = tail.transfer(now_s, start_s, stop_s)
        assert all(draw.start_s >= now_s for draw in changes)
        draws += changes
    assert of_draws(draws, 50.0) == pytest.approx(expected_j(told, 50.0), abs=1e-9)
    assert of_draws(draws, until_s) == pytest.approx(expected_j(told, until_s), abs=1e-9)
    last_s = max((now_s for now_s, *_ in tellings), default=0.0)
    assert tail.energy_j(max(until_s, last_s)) == pytest.approx(expected_j(told, max(until_s, last_s)), abs=1e-9)
    assert tail.energy_j(50.0) == pytest.approx(expected_j(told, 50.0), abs=1e-9)


@given(spans, grid, st.integers(0, 7))
@settings(max_examples=200, deadline=None)
def test_a_cut_transfer_ends_now(told: Spans, now_s: float, which: int) -> None:
    tail = RadioTail(RADIO)
    draws = [draw for span in told for draw in tail.transfer(0.0, *span)]
    if which < len(told) and now_s < told[which][1] and now_s != told[which][0]:
        start_s, stop_s = told[which]
        draws += tail.cut(now_s, start_s, stop_s)
        told = [*told[:which], *told[which + 1 :], *([(start_s, now_s)] if start_s < now_s else [])]
    assert tail.energy_j(60.0) == pytest.approx(expected_j(told, 60.0), abs=1e-9)
    assert of_draws(draws, 60.0) == pytest.approx(expected_j(told, 60.0), abs=1e-9)


@given(spans, grid)
@settings(max_examples=200, deadline=None)
def test_a_device_that_loses_its_power_spends_nothing_more(told: Spans, now_s: float) -> None:
    tail = RadioTail(RADIO)
    draws = [draw for span in told for draw in tail.transfer(0.0, *span)]
    before_j = expected_j(told, now_s)
    draws += tail.off(now_s)
    assert tail.energy_j(60.0) == pytest.approx(before_j, abs=1e-9)
    assert of_draws(draws, 60.0) == pytest.approx(before_j, abs=1e-9)
    tail.transfer(70.0, 71.0, 72.0)
    whole_j = RADIO.tail_w * RADIO.tail_s + RADIO.promotion_w * RADIO.promotion_s
    assert tail.energy_j(99.0) - before_j == pytest.approx(whole_j, abs=1e-9)


def test_a_transfer_whose_end_is_not_known() -> None:
    """As in a shared cell: it is under way until it is told to end."""
    tail = RadioTail(RADIO)
    tail.transfer(1.0, 1.0, float("inf"))
    assert tail.energy_j(3.0) == pytest.approx(3.0 * 0.5)
    tail.cut(4.0, 1.0, float("inf"))
    assert tail.energy_j(4.5) == pytest.approx(3.0 * 0.5 + 2.0 * 0.5)
    assert tail.energy_j(9.0) == pytest.approx(3.0 * 0.5 + 2.0 * 1.5)


def test_no_traffic_costs_nothing() -> None:
    assert RadioTail(RADIO).energy_j(1e6) == 0


def test_only_what_lies_in_the_window_counts() -> None:
    windowed, whole = RadioTail(RADIO, window_s=(2.0, 4.5)), RadioTail(RADIO)
    edges = [0.0, 2.0, 4.5, 9.0]
    for tail in (windowed, whole):
        tail.transfer(0.0, 0.5, 1.75)
        tail.transfer(0.0, 4.25, 5.0)
    parts = [right - left for left, right in pairwise([whole.energy_j(edge) for edge in edges])]
    assert windowed.energy_j(9.0) == pytest.approx(parts[1])
    assert min(parts) > 0
