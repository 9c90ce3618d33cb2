"""The energy that a device has left."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from edgesim.compute.harvest import Harvest


@dataclass(frozen=True)
class BatteryLaw:
    """What it holds, in J: at most, at first, when the device must stop, and when it may start again."""

    capacity_j: float
    initial_j: float
    cut_off_j: float
    restart_j: float


class _Piece(NamedTuple):
    """A time in which nothing changes."""

    start_s: float
    stop_s: float
    harvest_w: float
    drawn_w: float

    @property
    def gain_w(self) -> float:
        return self.harvest_w - self.drawn_w

    def gain_j(self) -> float:
        return self.gain_w * (self.stop_s - self.start_s) if self.gain_w else 0.0

    def reached_s(self, level_j: float, target_j: float) -> float:
        """When a level that moves towards ``target_j`` from ``level_j`` at the start is there; inf: not within."""
        if not self.gain_w:
            return math.inf
        time_s = self.start_s + max((target_j - level_j) / self.gain_w, 0.0)
        return time_s if time_s <= self.stop_s else math.inf


class Battery:
    """A level that is piecewise linear: harvest less the device's idle power less what is told to be drawn above it.

    What comes in when the battery is full is spilled: initial + harvested - spilled - drawn = level at any time.
    Simpler than a real battery: what it gives is what it holds, at any power, temperature and age.

    A state machine without a clock: the caller tells the time, which must not go back.  Draws are told ahead, but none
    that began before now.  It looks for ``empty_s``, calls ``off`` then, and ``on`` at ``restart_s``; until it does,
    the level falls on, if need be below 0.
    """

    __slots__ = (
        "_changes",
        "_draws",
        "_drawn_w",
        "_harvest",
        "_idle_w",
        "_law",
        "_level_j",
        "_now_s",
        "_on",
        "drawn_j",
        "harvested_j",
        "spilled_j",
    )

    def __init__(self, law: BatteryLaw, harvest: Harvest, idle_w: float):
        self._law, self._harvest, self._idle_w = law, harvest, idle_w
        self._on = True
        self._now_s = 0.0
        self._level_j = law.initial_j
        self._changes: list[tuple[float, int, float]] = []  # later than now: (when, draws more, watts more)
        self._draws, self._drawn_w = 0, 0.0  # under way
        self.harvested_j = self.spilled_j = self.drawn_j = 0.0  # up to the last time that was told

    def draw(self, start_s: float, stop_s: float, watts: float) -> None:
        """``watts`` above idle between the two times, added to all else; negative: so much less than told before.

        Raises ValueError where the draw begins in the past.
        """
        if start_s < self._now_s:
            raise ValueError(f"a draw from {start_s} s is told at {self._now_s} s, when it has begun")
        if stop_s > start_s:
            insort(self._changes, (start_s, 1, watts))
            insort(self._changes, (stop_s, -1, -watts))

    def cut(self, now_s: float, stop_s: float, watts: float) -> None:
        """A draw under way, which was told to end at ``stop_s``, ends now."""
        self._changes.remove((stop_s, -1, -watts))
        insort(self._changes, (now_s, -1, -watts))

    def share(self, now_s: float) -> float:
        """The part of the capacity that it holds now."""
        return self.level_j(now_s) / self._law.capacity_j

    def level_j(self, now_s: float) -> float:
        """What it holds now."""
        for piece in self._pieces(self._now_s, now_s):
            self._live(piece)
        passed = 0
        for time_s, draws, watts in self._changes:
            if time_s > now_s:
                break
            self._draws, self._drawn_w = _changed(self._draws, self._drawn_w, draws, watts)
            passed += 1
        del self._changes[:passed]
        self._now_s = max(now_s, self._now_s)
        return self._level_j

    def off(self, now_s: float) -> None:
        """The device stops: draws end, those told ahead are forgotten, and idling takes nothing."""
        self.level_j(now_s)
        self._on = False
        self._changes.clear()
        self._draws, self._drawn_w = 0, 0.0

    def on(self, now_s: float) -> None:
        """The device starts again and idles."""
        self.level_j(now_s)
        self._on = True

    def empty_s(self, now_s: float, until_s: float) -> float:
        """When the level falls to the cut-off, by what has been told; inf where it does not by ``until_s``.

        It walks over the pieces of the harvest: where they recur, ``until_s`` must be finite.
        """
        level_j = self.level_j(now_s)
        for piece in self._pieces(now_s, until_s):
            reached_s = piece.reached_s(level_j, self._law.cut_off_j) if piece.gain_w < 0 else math.inf
            if reached_s < math.inf:
                return reached_s
            level_j = min(level_j + piece.gain_j(), self._law.capacity_j)
        return math.inf

    def restart_s(self, now_s: float, until_s: float) -> float:
        """When the level has risen to where the device may start again; inf where it does not by ``until_s``."""
        level_j = self.level_j(now_s)
        if level_j >= self._law.restart_j:
            return now_s
        for piece in self._pieces(now_s, until_s):
            reached_s = piece.reached_s(level_j, self._law.restart_j) if piece.gain_w > 0 else math.inf
            if reached_s < math.inf:
                return reached_s
            level_j += piece.gain_j()
        return math.inf

    def _live(self, piece: _Piece) -> None:
        seconds = piece.stop_s - piece.start_s
        self.harvested_j += piece.harvest_w * seconds
        self.drawn_j += piece.drawn_w * seconds
        level_j = self._level_j + piece.gain_j()
        self.spilled_j += max(level_j - self._law.capacity_j, 0.0)
        self._level_j = min(level_j, self._law.capacity_j)

    def _pieces(self, start_s: float, stop_s: float) -> Iterator[_Piece]:
        """What is known of the time from now, which is ``start_s``, to ``stop_s``."""
        idle_w = self._idle_w if self._on else 0.0
        changes, (count, drawn_w) = iter(self._changes), (self._draws, self._drawn_w)
        change_s, draws, watts = next(changes, (math.inf, 0, 0.0))
        for edge_s, harvest_w in self._harvest.pieces(start_s):
            while start_s < min(edge_s, stop_s):
                end_s = min(edge_s, change_s, stop_s)
                if end_s > start_s:
                    yield _Piece(start_s, end_s, harvest_w, idle_w + drawn_w)
                    start_s = end_s
                if change_s <= start_s:
                    count, drawn_w = _changed(count, drawn_w, draws, watts)
                    change_s, draws, watts = next(changes, (math.inf, 0, 0.0))
            if start_s >= stop_s:
                return


def _changed(count: int, drawn_w: float, draws: int, watts: float) -> tuple[int, float]:
    """Draws under way and their power; without any it is 0, whatever rounding has left."""
    count += draws
    return (count, drawn_w + watts) if count else (0, 0.0)
