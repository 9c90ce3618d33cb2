"""Taking samples: warm-ups, rejection, giving up, one measurement at a time."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edgesim.errors import InputError
from edgesim.profiling.lock import exclusive
from edgesim.profiling.sampling import FEWEST, Busy, Effort, Job, Sampler

EFFORT = Effort(rows=8, warmups=4, tolerance=10.0)


def spin(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def quiet(effort: Effort = EFFORT, compare_clocks: bool = True) -> Sampler:
    return Sampler(effort, compare_clocks, lambda *_: None)


def test_rows_after_warm_ups() -> None:
    calls: list[int] = []

    def run() -> list[float]:
        calls.append(len(calls))
        return [float(len(calls))]

    sampler = quiet()
    rows = sampler.collect("numbers", {"only": Job(run)}, 8, 1.0)["only"]
    assert rows == [[float(number)] for number in range(5, 13)]
    assert (sampler.kept, sampler.rejected) == (8, 0)


def test_a_round_runs_every_job_once() -> None:
    order: list[str] = []

    def job(name: str) -> Job:
        return Job(lambda: order.append(name) or [1.0])  # type: ignore[func-returns-value]

    quiet().collect("rounds", {name: job(name) for name in "abc"}, 5, 1.0)
    assert "".join(order) == "aaaabbbbcccc" + "abc" * 5


def test_waiting_is_rejected_and_given_up() -> None:
    """A sample that waits (here: sleeps) has wall time without CPU time."""
    sampler = quiet(replace(EFFORT, tolerance=0.05))
    with pytest.raises(Busy, match="too busy to measure on .sleeping.: 32 of 32 samples"):
        sampler.collect("sleeping", {0: Job(lambda: time.sleep(0.002) or [1.0])}, 8, 1.0)
    assert issubclass(Busy, InputError)
    unchecked = quiet(replace(EFFORT, tolerance=0.05), compare_clocks=False)
    assert len(unchecked.collect("sleeping", {0: Job(lambda: time.sleep(0.002) or [1.0])}, 8, 1.0)[0]) == 8


def test_what_comes_before_is_not_timed() -> None:
    rows = quiet().collect("idle", {0: Job(lambda: [spin(0.001) or 1.0], lambda: time.sleep(0.01))}, 4, 1.0)
    assert len(rows[0]) == 4


def test_a_disturbed_sample_is_replaced() -> None:
    count = 0

    def run() -> list[float]:
        nonlocal count
        count += 1
        if count % 3 == 0:
            time.sleep(0.05)
        return [float(count)]

    sampler = quiet(replace(EFFORT, tolerance=5.0))
    rows = sampler.collect("every third", {0: Job(run)}, 8, 1.0)[0]
    assert len(rows) == 8 and sampler.rejected >= 3
    assert all(number % 3 for (number,) in rows)


def test_slow_runs_are_fewer() -> None:
    effort = replace(EFFORT, slow_s=0.005, slow_total_s=0.05, rows=100)
    rows = quiet(effort).collect("slow", {0: Job(lambda: [spin(0.01) or 0.01])}, 100, 1.0)[0]
    assert FEWEST <= len(rows) <= 5


def test_a_used_up_budget_ends_at_the_fewest() -> None:
    rows = quiet(replace(EFFORT, budget_s=0.0)).collect("late", {0: Job(lambda: [1.0]), 1: Job(lambda: [2.0])}, 50, 1.0)
    assert [len(each) for each in rows.values()] == [FEWEST, FEWEST]


def hold(path: Path, held: multiprocessing.synchronize.Event, release: multiprocessing.synchronize.Event) -> None:
    with exclusive(path):
        held.set()
        release.wait(30)


def test_one_measurement_at_a_time(tmp_path: Path) -> None:
    context, path = multiprocessing.get_context("fork"), tmp_path / "lock"
    held, release = context.Event(), context.Event()
    other = context.Process(target=hold, args=(path, held, release))
    other.start()
    try:
        assert held.wait(30)
        with pytest.raises(InputError, match="another measurement"), exclusive(path):
            pass
    finally:
        release.set()
        other.join(30)
    with exclusive(path):
        pass


def test_a_lock_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"), exclusive(tmp_path / "no folder" / "lock"):
        pass
