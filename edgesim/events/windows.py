"""When something is so: stretches of time that nobody in the simulation can move."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING, Any

from edgesim.profiling.synthetic_costs import block_time
from edgesim.workload.random import draws

if TYPE_CHECKING:
    from edgesim.scenario.events import Event


class Windows:
    """Stretches [start, stop) in rising order, which are made as far as somebody asks and then kept.

    >>> windows = Windows(iter([(2.0, 3.0), (5.0, inf)]))
    >>> windows.inside(2.0), windows.inside(3.0), windows.next_edge(3.0), windows.next_edge(5.0)
    (True, False, 5.0, inf)
    """

    __slots__ = ("_coming", "_edges_s")

    def __init__(self, windows: Iterator[tuple[float, float]]) -> None:
        self._coming = windows
        self._edges_s: list[float] = []

    def inside(self, time_s: float) -> bool:
        """Whether ``time_s`` lies in a window; its start does, its stop does not."""
        return self._passed(time_s) % 2 == 1

    def next_edge(self, time_s: float) -> float:
        """The first start or stop after ``time_s``; inf where there is none."""
        passed = self._passed(time_s)
        return self._edges_s[passed] if passed < len(self._edges_s) else inf

    def _passed(self, time_s: float) -> int:
        edges_s = self._edges_s
        while not edges_s or edges_s[-1] <= time_s:
            window = next(self._coming, None)
            if window is None:
                break
            edges_s.extend(window)
        return bisect_right(edges_s, time_s)


def windows_of(event: Event, name: str, entity: str, root: int) -> Windows:
    """The windows of a scenario's event as they befall one entity.

    Random ones alternate between gaps and lengths, drawn by (root, event, entity), or by the event alone where it
    befalls all together.
    """
    if event.at_s is not None:
        stop_s = inf if event.for_s is None else event.at_s + event.for_s
        return Windows(iter([(event.at_s, stop_s)]))
    return Windows(_renewal(event, root, name, "" if event.together else entity))


def _renewal(event: Event, root: int, *key: str) -> Iterator[tuple[float, float]]:
    gaps_s, lengths_s = (
        map(block_time(spec).quantile, draws(_uniform, root, "events", *key, part))
        for spec, part in ((event.gap_ms, "gap"), (event.length_ms, "length"))
    )
    stop_s = 0.0
    for gap_s, length_s in zip(gaps_s, lengths_s, strict=True):
        start_s = stop_s + gap_s
        stop_s = start_s + length_s
        yield start_s, stop_s


def _uniform(rng: Any, size: int) -> Any:
    return rng.random(size)
