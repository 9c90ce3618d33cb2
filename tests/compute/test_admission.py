"""Whom a server turns away, against M/M/1/K and against what would have happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from waiting_tasks import end_s, poisson, serve, task, z_of_runs

from edgesim.compute.admission import Admission, DeadlineLimit, WaitLimit
from edgesim.compute.server_queue import server_queue


def at_the_door(admission: Admission, mean_s: float) -> Callable[[Any, int, int], bool]:
    """Expects what a server of one worker expects by its mean service: who is in service is half done."""

    def admit(coming: Any, waiting: int, idle: int) -> bool:
        wait_s = 0.0 if idle else (waiting + 0.5) * mean_s
        return admission.admit(coming.request, wait_s, mean_s, coming.ready_s)

    return admit


def test_bounds_are_met_by_what_just_fits() -> None:
    request = task(deadline_s=5.0).request
    assert [WaitLimit(0.5).admit(request, wait_s, 9.0, 0.0) for wait_s in (0.5, 0.5001)] == [True, False]
    assert [DeadlineLimit().admit(request, 0.5, 1.5, now_s) for now_s in (3.0, 3.0001)] == [True, False]


def test_before_the_first_service_all_come_in() -> None:
    assert WaitLimit(0.0).admit(task().request, 0.0, 0.0, 1.0)
    assert DeadlineLimit().admit(task(deadline_s=1.0).request, 0.0, 0.0, 1.0)


def lost(seed: int, slower: float) -> float:
    """Share turned away from M/M/1 at load 0.8 where at most three may wait: (2 + 0.5) of the mean service is less
    than three of it."""
    rng, size = np.random.default_rng(seed), 8000
    services = rng.exponential(slower, size).tolist()
    tasks = [
        task(ready_s=ready_s, service_s=service_s)
        for ready_s, service_s in zip(poisson(rng, size, 0.8), services, strict=True)
    ]
    return len(serve(server_queue("fifo", None), tasks, admit=at_the_door(WaitLimit(3.0), slower))) / size


@pytest.mark.parametrize(("slower", "seen"), [(1.0, False), (1.05, True)])
def test_a_limit_of_the_wait_is_m_m_1_k(slower: float, seen: bool) -> None:
    """Of M/M/1/4, (1 - r) r^4 / (1 - r^5) are lost; a service 5 % slower is seen."""
    z = z_of_runs([lost(seed, slower) for seed in range(16)], 0.2 * 0.8**4 / (1 - 0.8**5))
    assert z > 3.3 if seen else abs(z) < 3.3


def test_with_equal_services_it_is_wrong_by_half_a_service_at_most() -> None:
    """First come, first served: who was let in is late by half a service at most, and who was not would have been."""
    rng = np.random.default_rng(4)
    tasks = [
        task(ready_s=ready_s, deadline_s=ready_s + float(slack_s))
        for ready_s, slack_s in zip(poisson(rng, 3000, 1.2), rng.uniform(0.5, 8.0, 3000), strict=True)
    ]
    turned_away = serve(server_queue("fifo", None), tasks, admit=at_the_door(DeadlineLimit(), 1.0))
    served = [each for each in tasks if each.began_s is not None]
    assert len(served) + len(turned_away) == 3000 and min(len(served), len(turned_away)) > 300
    assert max(end_s(each) - each.request.deadline_s for each in served) <= 0.5 + 1e-6
    ends = sorted(end_s(each) for each in served)
    for each in turned_away:
        in_line = [end for end, begins in zip(ends, served, strict=True) if begins.ready_s < each.ready_s]
        would_end_s = max(in_line[-1], each.ready_s) + 1.0
        assert would_end_s >= each.request.deadline_s - 0.5 - 1e-6
