"""Which replications are run, and when there are enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgesim.studies.agenda import Agenda, half_width
from edgesim.studies.ledger import Quantity
from edgesim.studies.study import Study, Until

QUANTITIES: list[Quantity] = [("p", None, "latency_mean_s")]


def study(**more: Any) -> Study:
    return Study.model_validate(
        {"study": "s", "scenario": "s.yaml", "axes": {"a": {"key": "x", "values": [1]}}, **more}
    )


def drawn(cell: int, replications: int) -> tuple[list[Quantity], np.ndarray]:
    """Cell 0 varies much, cell 1 little."""
    random = np.random.default_rng(cell)
    return QUANTITIES, random.normal(1.0, (0.2, 0.001)[cell], 1000)[:replications, None]


def run_all(agenda: Agenda, order: Any = lambda tasks: tasks.pop(0)) -> list[tuple[int, int]]:
    """Everything that the agenda hands out, finished in some order."""
    in_hand: list[tuple[int, int]] = []
    done = []
    while True:
        while task := agenda.next():
            in_hand.append(task)
        if not in_hand:
            return done
        task = order(in_hand)
        done.append(task)
        agenda.finish(task[0])


def test_what_is_finished_is_not_run_again():
    agenda = Agenda(study(replications=3), 2, {0: [1], 1: [0, 1, 2]}, drawn)
    assert (agenda.done, agenda.total) == (4, 6)
    assert run_all(agenda) == [(0, 0), (0, 2)]
    assert agenda.done == agenda.total == 6


def test_replications_go_on_until_the_half_width_is_met_and_no_further():
    until = {"metric": "latency_mean_s", "half_width": 0.05}
    agenda = Agenda(study(until=until), 2, {}, drawn)
    done = run_all(agenda)
    counts = [sum(cell == wanted for cell, _ in done) for wanted in (0, 1)]
    spec = Until.model_validate(until)
    met = [n for n in range(10, 101, 5) if half_width(spec, *drawn(0, n)) <= 0.05]
    assert counts == [met[0], 10]
    assert met[0] > 15, "the test would show nothing"


@pytest.mark.parametrize("seed", range(5))
def test_how_many_does_not_depend_on_who_finishes_first_or_on_a_stop(seed: int):
    until = {"metric": "latency_mean_s", "half_width": 0.05}
    straight = sorted(run_all(Agenda(study(until=until), 2, {}, drawn)))
    random = np.random.default_rng(seed)
    shuffled = run_all(Agenda(study(until=until), 2, {}, drawn), lambda tasks: tasks.pop(random.integers(len(tasks))))
    assert sorted(shuffled) == straight
    kept = shuffled[: random.integers(len(shuffled))]
    finished = {cell: sorted(number for each, number in kept if each == cell) for cell in (0, 1)}
    rest = run_all(Agenda(study(until=until), 2, finished, drawn))
    assert sorted(kept + rest) == straight


def test_there_are_never_more_than_at_most():
    until = {"metric": "latency_mean_s", "half_width": 1e-6, "at_most": 12}
    assert len(run_all(Agenda(study(until=until), 1, {}, drawn))) == 12


def test_a_metric_that_nobody_measures_is_never_precise_enough():
    until = {"metric": "speed", "half_width": 1.0, "at_most": 11}
    assert len(run_all(Agenda(study(until=until), 1, {}, drawn))) == 11


def test_nothing_more_is_begun_of_a_cell_that_was_given_up():
    agenda = Agenda(study(replications=5), 2, {}, drawn)
    assert agenda.next() == (0, 0)
    agenda.give_up(0)
    assert run_all(agenda) == [(1, number) for number in range(5)]
