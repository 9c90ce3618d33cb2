"""A battery against small steps of time, and the identity initial + harvested - spilled - drawn = level."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edgesim.compute.battery import Battery, BatteryLaw
from edgesim.compute.build import build_battery
from edgesim.compute.harvest import Harvest
from edgesim.scenario.batteries import Battery as BatterySpec
from edgesim.scenario.batteries import TraceHarvest

STEP_S = 0.25
LAW = BatteryLaw(capacity_j=20.0, initial_j=12.0, cut_off_j=2.0, restart_j=6.0)


class Case(NamedTuple):
    harvest: Harvest
    harvest_w: list[float]  # by step of the first pass
    idle_w: float
    draws: list[tuple[float, float, float]]

    def battery(self) -> Battery:
        battery = Battery(LAW, self.harvest, self.idle_w)
        for draw in self.draws:
            battery.draw(*draw)
        return battery

    def levels(self, until_s: float, factor: float = 1.0) -> list[float]:
        """Level by step, whatever the cut-off; ``factor`` makes the draws wrong."""
        level_j, levels = LAW.initial_j, [LAW.initial_j]
        for step in range(round(until_s / STEP_S)):
            now_s = step * STEP_S
            drawn_w = self.idle_w + factor * sum(w for start, stop, w in self.draws if start <= now_s < stop)
            level_j += (self.harvest_w[step % len(self.harvest_w)] - drawn_w) * STEP_S
            level_j = min(level_j, LAW.capacity_j)
            levels.append(level_j)
        return levels


grid = st.integers(0, 100).map(lambda steps: steps * STEP_S)
watts = st.integers(0, 12).map(lambda quarters: quarters / 4)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    by_step = draw(st.lists(watts, min_size=1, max_size=30))
    edges_s = [step * STEP_S for step in range(len(by_step) + 1)]
    offset = draw(st.integers(0, len(by_step) - 1))
    harvest = Harvest(edges_s, by_step, offset * STEP_S)
    spans = st.tuples(grid, grid, watts).filter(lambda each: each[0] < each[1])
    draws = draw(st.lists(spans, max_size=6))
    return Case(harvest, by_step[offset:] + by_step[:offset], draw(watts), draws)


@given(cases(), st.lists(grid, max_size=4))
@settings(max_examples=300, deadline=None)
def test_the_level_is_that_of_small_steps_and_energy_is_conserved(case: Case, asked_s: list[float]) -> None:
    battery, levels = case.battery(), case.levels(30.0)
    for now_s in [*sorted(asked_s), 30.0]:
        level_j = battery.level_j(now_s)
        assert level_j == pytest.approx(levels[round(now_s / STEP_S)], abs=1e-9)
        kept_j = LAW.initial_j + battery.harvested_j - battery.spilled_j - battery.drawn_j
        assert level_j == pytest.approx(kept_j, abs=1e-9)
    used_j = case.idle_w * 30 + sum((stop_s - start_s) * w for start_s, stop_s, w in case.draws)
    assert battery.drawn_j == pytest.approx(used_j, abs=1e-9)
    assert battery.harvested_j == pytest.approx(battery.spilled_j + battery.drawn_j + level_j - 12.0, abs=1e-9)


@given(cases())
@settings(max_examples=200, deadline=None)
def test_it_does_not_matter_when_a_draw_is_told(case: Case) -> None:
    """Each as it begins, as a device would, and the last one cut short: less is drawn from then on."""
    battery = Battery(LAW, case.harvest, case.idle_w)
    for start_s, stop_s, drawn_w in sorted(case.draws):
        battery.level_j(start_s)
        battery.draw(start_s, stop_s, drawn_w)
    draws = sorted(case.draws)
    if draws:
        start_s, stop_s, drawn_w = draws.pop()
        battery.draw(start_s + STEP_S, stop_s, -drawn_w)
        draws.append((start_s, start_s + STEP_S, drawn_w))
    assert battery.level_j(30.0) == pytest.approx(case._replace(draws=draws).levels(30.0)[-1], abs=1e-9)


@given(cases(), grid)
@settings(max_examples=300, deadline=None)
def test_it_is_empty_where_small_steps_first_meet_the_cut_off(case: Case, now_s: float) -> None:
    """The steps tell between which two of them; within, the level is a line, which meets the cut-off there."""
    levels, first = case.levels(30.0), round(now_s / STEP_S)
    assume(levels[first] > LAW.cut_off_j)
    found_s = case.battery().empty_s(now_s, 30.0)
    below = next((step for step in range(first, len(levels)) if levels[step] <= LAW.cut_off_j), None)
    if below is None:
        assert found_s == math.inf
    else:
        assert (below - 1) * STEP_S < found_s <= below * STEP_S + 1e-9
        assert case.battery().level_j(found_s) == pytest.approx(LAW.cut_off_j, abs=1e-9)


@given(cases(), grid)
@settings(max_examples=300, deadline=None)
def test_off_it_only_gains_until_it_may_start_again(case: Case, now_s: float) -> None:
    battery = case.battery()
    battery.off(now_s)
    before_j, drawn_j = battery.level_j(now_s), battery.drawn_j
    restart_s = battery.restart_s(now_s, 200.0)
    if before_j >= LAW.restart_j:
        assert restart_s == now_s
    elif restart_s == math.inf:
        assert battery.level_j(200.0) < LAW.restart_j
    else:
        assert battery.level_j(restart_s) == pytest.approx(LAW.restart_j, abs=1e-9)
    assert battery.drawn_j == drawn_j
    later_s = max(restart_s, now_s) + 1 if restart_s < math.inf else 300.0
    battery.on(later_s)
    battery.level_j(later_s + 2)
    assert battery.drawn_j - drawn_j == pytest.approx(2 * case.idle_w, abs=1e-9)


def test_draws_five_percent_off_are_seen() -> None:
    case = Case(Harvest.constant(0.5), [0.5], 0.25, [(1.0, 5.0, 2.0), (3.0, 9.0, 0.5)])
    battery, right, wrong = case.battery(), case.levels(10.0), case.levels(10.0, factor=1.05)
    found = [battery.level_j(step * STEP_S) for step in range(len(right))]
    assert found == pytest.approx(right, abs=1e-9)
    assert found != pytest.approx(wrong, abs=1e-9)


def test_worked_example() -> None:
    """10 J above the cut-off at 1.5 W idle less 0.5 W harvest last 10 s; with 4 W more from 5 s on, 1 s from there."""
    battery = Battery(LAW, Harvest.constant(0.5), idle_w=1.5)
    assert battery.empty_s(0.0, math.inf) == pytest.approx(10.0)
    battery.draw(5.0, 50.0, 4.0)
    assert battery.empty_s(0.0, math.inf) == pytest.approx(6.0)
    battery.draw(5.5, 50.0, -4.0)  # revoked
    assert battery.empty_s(0.0, math.inf) == pytest.approx(8.0)
    battery.off(8.0)
    assert battery.restart_s(8.0, math.inf) == pytest.approx(16.0)  # 4 J at 0.5 W
    battery.on(16.0)
    assert battery.empty_s(16.0, math.inf) == pytest.approx(20.0)


def test_a_balance_never_empties_it_and_what_does_not_fit_is_spilled() -> None:
    battery = Battery(LAW, Harvest.constant(2.0), idle_w=1.0)
    assert battery.empty_s(0.0, math.inf) == math.inf
    assert battery.level_j(100.0) == LAW.capacity_j
    assert battery.spilled_j == pytest.approx(100.0 - 8.0)
    battery.draw(100.0, 200.0, 1.0)
    battery.draw(100.0, 200.0, 0.1)
    battery.draw(110.0, 200.0, -0.1)
    assert battery.level_j(1000.0) == LAW.capacity_j
    assert battery.empty_s(1000.0, math.inf) == math.inf


def test_a_draw_that_is_told_too_late_is_refused() -> None:
    battery = Battery(LAW, Harvest.constant(0.0), idle_w=0.0)
    battery.level_j(5.0)
    with pytest.raises(ValueError, match="told at 5"):
        battery.draw(4.0, 6.0, 1.0)


@given(st.lists(st.floats(0.1, 5.0), min_size=1, max_size=6), st.floats(0, 1), st.floats(0, 40))
@settings(max_examples=200, deadline=None)
def test_pieces_of_a_harvest_follow_each_other(lengths: list[float], share: float, start_s: float) -> None:
    """A pass brings the same energy wherever it is started."""
    edges_s = [sum(lengths[:number]) for number in range(len(lengths) + 1)]
    given_w = [float(number % 3) for number in range(len(lengths))]
    total_j, time_s = 0.0, start_s
    for until_s, piece_w in Harvest(edges_s, given_w, share * edges_s[-1]).pieces(start_s):
        stop_s = min(until_s, start_s + edges_s[-1])
        total_j += piece_w * max(stop_s - time_s, 0.0)
        time_s = max(stop_s, time_s)
        if until_s >= start_s + edges_s[-1]:
            break
    expected_j = sum(each_w * length for each_w, length in zip(given_w, lengths, strict=True))
    assert total_j == pytest.approx(expected_j, abs=1e-9)


def test_a_harvest_from_a_file(tmp_path: Path) -> None:
    """Each device has its own place in the file; scale and efficiency multiply."""
    (tmp_path / "sun.csv").write_text("time_s,power_w\n0,0\n10,2\n20,6\n30,0\n")
    harvest = TraceHarvest(process="trace", file=tmp_path / "sun.csv", scale=0.5, efficiency=0.8, offset="none")
    spec = BatterySpec(capacity_j=1000, initial_share=0.5, harvest=harvest)
    battery = build_battery(spec, 0.1, 3, "camera-0")
    assert [battery.level_j(time_s) for time_s in (10, 15, 30, 50)] == pytest.approx([499, 502.5, 529, 527])
    moved = spec.model_copy(update={"harvest": harvest.model_copy(update={"offset": "random"})})
    levels = [build_battery(moved, 0.1, 3, f"camera-{number}").level_j(7.0) for number in (0, 1, 1)]
    assert levels[0] != levels[1] == levels[2]
