"""Where a device is at a time: known from outside, whatever is sent."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from edgesim.network.series import read_columns
from edgesim.network.tabled import Ends
from edgesim.workload.random import generator

LEGS = 64  # of a random waypoint that are made at once


class Mobility(Protocol):
    """Positions on the ground; any times in any order of the calls."""

    @property
    def top_speed_mps(self) -> float:
        """0 for what never moves."""
        ...

    def positions(self, times_s: np.ndarray) -> np.ndarray:
        """(times, 2) x and y in metres at rising times, from 0 on."""
        ...


@dataclass(frozen=True)
class Static:
    """Always at one place."""

    x_m: float
    y_m: float
    top_speed_mps: float = 0.0

    def positions(self, times_s: np.ndarray) -> np.ndarray:
        return np.full((len(times_s), 2), (self.x_m, self.y_m))


class _Knots(NamedTuple):
    """Straight ways between points at times."""

    times_s: np.ndarray
    points_m: np.ndarray

    def at(self, times_s: np.ndarray) -> np.ndarray:
        return np.column_stack([np.interp(times_s, self.times_s, axis) for axis in self.points_m.T])


class Track:
    """Along given points at given times, straight between them; times count from the first point.

    ends: after the last point ``loop`` (a jump to the first, unless they are one) or ``hold``.
    """

    __slots__ = ("_ends", "_knots", "top_speed_mps")

    def __init__(self, times_s: list[float], points_m: list[tuple[float, float]], ends: Ends):
        self._knots = _Knots(np.array(times_s) - times_s[0], np.array(points_m))
        self._ends = ends
        ways_m = np.hypot(*np.diff(self._knots.points_m, axis=0).T)
        self.top_speed_mps = float((ways_m / np.diff(self._knots.times_s)).max(initial=0.0))

    def positions(self, times_s: np.ndarray) -> np.ndarray:
        length_s = self._knots.times_s[-1]
        return self._knots.at(times_s % length_s if self._ends == "loop" and length_s else times_s)


def read_track(path: Path, ends: Ends) -> Track:
    """The track in a CSV file with the columns time_s, x_m and y_m; InputError naming file and line where it is bad."""
    times_s, x_m, y_m = read_columns(path, ("x_m", "y_m"))
    return Track(times_s, list(zip(x_m, y_m, strict=True)), ends)


@dataclass(frozen=True)
class WaypointLaw:
    """Random waypoint (Johnson and Maltz 1996): from point to point, each uniform in a rectangle from (0, 0) on, each
    way at a speed drawn uniformly, with a pause at each point.

    Two well-known biases belong to the model: devices gather in the middle, and as slow ways last longer the mean speed
    falls from (low + high) / 2 at the start to (high - low) / ln(high / low), without pauses (Yoon, Liu and Noble,
    INFOCOM 2003); a warm-up leaves the beginning out.
    """

    width_m: float
    height_m: float
    low_mps: float
    high_mps: float
    pause_s: float


class RandomWaypoint:
    """A way of the law, keyed by (root seed, key): 64 legs at a time, of which the start alone is kept."""

    __slots__ = ("_key", "_knots", "_law", "_made", "_root", "_starts_s", "_starts_m")

    def __init__(self, law: WaypointLaw, root: int, *key: str | int):
        self._law = law
        self._root = root
        self._key = key
        self._starts_s = [0.0]
        self._starts_m = [self._points(generator(root, "waypoint start", *key), 1)[0]]
        self._made = -1

    @property
    def top_speed_mps(self) -> float:
        return self._law.high_mps

    def positions(self, times_s: np.ndarray) -> np.ndarray:
        while self._starts_s[-1] <= times_s[-1]:
            self._legs(len(self._starts_s) - 1)
        first, last = (bisect_right(self._starts_s, time_s) - 1 for time_s in (times_s[0], times_s[-1]))
        found = np.empty((len(times_s), 2))
        for k in range(first, last + 1):
            here = slice(*np.searchsorted(times_s, self._starts_s[k : k + 2]))
            found[here] = self._legs(k).at(times_s[here])
        return found

    def _legs(self, k: int) -> _Knots:
        """The k-th 64 legs, with their pauses; the last made are kept."""
        if self._made != k:
            self._knots, self._made = self._make(k), k
        if k + 1 == len(self._starts_s):
            self._starts_s.append(float(self._knots.times_s[-1]))
            self._starts_m.append(self._knots.points_m[-1].copy())
        return self._knots

    def _make(self, k: int) -> _Knots:
        draws = generator(self._root, "waypoints", *self._key, k)
        points_m = np.vstack([self._starts_m[k], self._points(draws, LEGS)])
        ways_s = np.hypot(*np.diff(points_m, axis=0).T) / draws.uniform(self._law.low_mps, self._law.high_mps, LEGS)
        stays_s = np.full(LEGS, self._law.pause_s)
        times_s = self._starts_s[k] + np.cumsum([[0.0, *np.column_stack([ways_s, stays_s]).ravel()]])
        return _Knots(times_s, np.repeat(points_m, 2, axis=0)[1:])

    def _points(self, draws: np.random.Generator, count: int) -> np.ndarray:
        return draws.uniform((0.0, 0.0), (self._law.width_m, self._law.height_m), (count, 2))


def distances_m(points_m: np.ndarray, sites_m: np.ndarray) -> np.ndarray:
    """(points, sites) distances on the ground."""
    return np.hypot(*(points_m[:, None, :] - sites_m[None, :, :]).transpose(2, 0, 1))


def moved_m(points_m: np.ndarray) -> np.ndarray:
    """How far each point lies from the one before; the first comes from nowhere."""
    return np.concatenate([[math.inf], np.hypot(*np.diff(points_m, axis=0).T)])
