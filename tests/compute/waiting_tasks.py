"""Tasks as a server's queue sees them, and a server that serves them without an engine around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import count, groupby
from math import inf
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import numpy as np

from edgesim.compute.server_queue import ServerQueue


def task(name: str = "", ready_s: float = 0.0, service_s: float = 1.0, **more: Any) -> Any:
    """more: of the request (``deadline_s``, ``priority``), or ``model`` and ``blocks``."""
    place, blocks = SimpleNamespace(model=more.pop("model", "m")), more.pop("blocks", 0)
    request = SimpleNamespace(**{"deadline_s": inf, "priority": 0, **more})
    return SimpleNamespace(
        name=name, ready_s=ready_s, service_s=service_s, request=request, place=place, blocks=blocks, began_s=None
    )


def names(tasks: Iterable[Any]) -> str:
    return "".join(each.name for each in tasks)


def serve(
    queue: ServerQueue,
    tasks: Sequence[Any],
    workers: int = 1,
    admit: Callable[[Any, int, int], bool] = lambda task, waiting, idle: True,
) -> list[Any]:
    """Serve tasks that come in this order, none interrupted; says in ``began_s`` when.  Returns who was turned away.

    admit: (task, how many wait, idle workers) -> whether it may join the queue.
    """
    ends: list[tuple[float, int]] = []
    numbers, idle = count(), workers
    turned_away: list[Any] = []

    def begin(now_s: float) -> None:
        nonlocal idle
        while idle and len(queue):
            following: Any = queue.popleft()
            following.began_s = now_s
            heappush(ends, (now_s + following.service_s, next(numbers)))
            idle -= 1

    for now_s, together in groupby(tasks, key=attrgetter("ready_s")):
        while ends and ends[0][0] < now_s:
            idle += 1
            begin(heappop(ends)[0])
        for coming in together:
            lost = queue.push(coming) if admit(coming, len(queue), idle) else coming
            turned_away += [lost] if lost is not None else []
        while ends and ends[0][0] == now_s:  # who ends now is followed by the best of all that have come by now
            idle += 1
            heappop(ends)
        begin(now_s)
    while ends:
        idle += 1
        begin(heappop(ends)[0])
    return turned_away


def end_s(each: Any) -> float:
    return each.began_s + each.service_s


def poisson(rng: np.random.Generator, size: int, rate_hz: float) -> list[float]:
    """Arrival times."""
    return np.cumsum(rng.exponential(1 / rate_hz, size)).tolist()


def z_of_runs(means: Sequence[float], theory: float, half_width: float = 0.05) -> float:
    """How many standard errors independent runs are off; their interval must be narrow enough to say something."""
    values = np.asarray(means)
    error = values.std(ddof=1) / len(values) ** 0.5
    assert 1.96 * error < half_width * values.mean()
    return float((values.mean() - theory) / error)
