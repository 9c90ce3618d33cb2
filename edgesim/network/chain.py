"""Chunks that follow from each other, and can yet be asked for in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

RECENT = 2  # chunks, and states at their starts, that are kept: there may be thousands of chains

State = TypeVar("State")
Chunk = TypeVar("Chunk")


class KeyedChain(Generic[State, Chunk]):
    """Chunk k is made of draws keyed by k and of the state that chunk k - 1 left.

    follow: (state, k) -> chunk k and the state that it leaves, the same for the same arguments.  The recent states and
    every ``kept_every``-th are kept, so that any chunk can be had in any order by walking at most so many chunks from a
    kept state, or on from the last one, and is the same.
    """

    __slots__ = ("_follow", "_kept_every", "recent", "states")

    def __init__(self, start: State, follow: Callable[[State, int], tuple[Chunk, State]], kept_every: int = 64):
        self._follow = follow
        self._kept_every = kept_every
        self.states = {0: start}
        self.recent: dict[int, Chunk] = {}

    def chunk(self, k: int) -> Chunk:
        """Chunk k = 0, 1, ..."""
        if k not in self.recent:
            for walked in range(max(start for start in self.states if start <= k), k + 1):
                made, self.states[walked + 1] = self._follow(self.states[walked], walked)
                if (walked + 1 - RECENT) % self._kept_every:
                    self.states.pop(walked + 1 - RECENT, None)
            self.recent[k] = made
            if len(self.recent) > RECENT:
                del self.recent[next(iter(self.recent))]
        return self.recent[k]
