"""Where devices are: any time in any order, and the textbook statistics of random waypoint."""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import pytest

from edgesim.errors import InputError
from edgesim.network.mobility import (
    LEGS,
    RandomWaypoint,
    Static,
    Track,
    WaypointLaw,
    distances_m,
    moved_m,
    read_track,
)

LAW = WaypointLaw(100.0, 60.0, 1.0, 3.0, 2.0)
UNIT_SQUARE_MEAN = (2 + math.sqrt(2) + 5 * math.log(1 + math.sqrt(2))) / 15
"""Mean distance of two random points of the unit square, 0.5214."""


def legs(count: int, law: WaypointLaw = LAW) -> tuple[np.ndarray, np.ndarray]:
    """(lengths in m, durations in s) of a device's legs, by its knots."""
    device, lengths_m, durations_s = RandomWaypoint(law, 3, "walker"), [], []
    for k in range(count // LEGS):
        times_s, points_m = device._legs(k)
        lengths_m.append(np.hypot(*np.diff(points_m, axis=0).T)[::2])
        durations_s.append(np.diff(times_s)[::2])
    return np.concatenate(lengths_m), np.concatenate(durations_s)


def test_any_order_gives_the_same_positions() -> None:
    windows = [np.linspace(start_s, start_s + 40, 100, endpoint=False) for start_s in range(0, 20_000, 40)]
    forward = RandomWaypoint(LAW, 3, "walker")
    expected = [forward.positions(times_s) for times_s in windows]
    order = list(range(len(windows)))
    random.Random(1).shuffle(order)
    shuffled = RandomWaypoint(LAW, 3, "walker")
    assert all((shuffled.positions(windows[i]) == expected[i]).all() for i in order)
    assert (RandomWaypoint(LAW, 3, "runner").positions(windows[0]) != expected[0]).any()
    assert (RandomWaypoint(LAW, 4, "walker").positions(windows[0]) != expected[0]).any()


def test_one_window_is_many_small_ones() -> None:
    times_s = np.arange(0, 5000, 0.5)
    whole = RandomWaypoint(LAW, 3, "walker").positions(times_s)
    apart = RandomWaypoint(LAW, 3, "walker")
    assert (np.vstack([apart.positions(part) for part in np.split(times_s, 1000)]) == whole).all()


def test_waypoints_stay_inside_and_keep_to_their_speeds() -> None:
    times_s = np.arange(0, 5000, 0.01)
    points_m = RandomWaypoint(LAW, 3, "walker").positions(times_s)
    assert (points_m >= 0).all() and (points_m <= [LAW.width_m, LAW.height_m]).all()
    speeds_mps = moved_m(points_m)[1:] / 0.01
    assert speeds_mps.max() <= LAW.high_mps * (1 + 1e-6)
    stays_s = np.diff(RandomWaypoint(LAW, 3, "walker")._legs(0).times_s)[1::2]
    assert stays_s == pytest.approx(LAW.pause_s, rel=1e-9)


def z_scores(lengths_m: np.ndarray, durations_s: np.ndarray) -> dict[str, float]:
    """Length of a leg, and the speed that it is made at, of a square of 100 m and speeds of 1 to 3 m/s."""
    speeds_mps = lengths_m / durations_s
    expected = {"length": (lengths_m, 100 * UNIT_SQUARE_MEAN), "speed": (speeds_mps, 2.0)}
    # legs share their ends with the next ones: every third is independent of the others
    return {
        name: float((values[::3].mean() - mean) / (values[::3].std() / math.sqrt(len(values[::3]))))
        for name, (values, mean) in expected.items()
    }


def test_legs_are_as_long_and_as_fast_as_the_law_says() -> None:
    lengths_m, durations_s = legs(64_000, WaypointLaw(100.0, 100.0, 1.0, 3.0, 0.0))
    assert all(abs(score) < 3.3 for score in z_scores(lengths_m, durations_s).values())
    assert all(abs(score) > 3.3 for score in z_scores(1.05 * lengths_m, durations_s).values())
    over_time_mps = lengths_m.sum() / durations_s.sum()
    assert over_time_mps == pytest.approx((3 - 1) / math.log(3 / 1), rel=0.01)  # Yoon et al.: slow legs last longer


def test_a_track_is_followed_in_straight_lines() -> None:
    ends = {"times_s": [5.0, 15.0, 20.0], "points_m": [(0.0, 0.0), (10.0, 0.0), (10.0, 20.0)]}
    held, looped = Track(**ends, ends="hold"), Track(**ends, ends="loop")
    assert held.positions(np.array([0.0, 5.0, 12.5, 15.0, 99.0])).tolist() == [
        [0, 0],
        [5, 0],
        [10, 10],
        [10, 20],
        [10, 20],
    ]
    assert looped.positions(np.array([5.0, 15.0, 20.0, 42.5])).tolist() == [[5, 0], [0, 0], [5, 0], [10, 10]]
    assert held.top_speed_mps == 4.0


def test_one_point_is_a_place() -> None:
    times_s = np.array([0.0, 1.0, 77.0])
    for place in (Static(3.0, -4.0), Track([2.0], [(3.0, -4.0)], "loop")):
        assert place.positions(times_s).tolist() == [[3, -4]] * 3
        assert place.top_speed_mps == 0


def test_distances() -> None:
    points_m, sites_m = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    assert distances_m(points_m, sites_m).tolist() == [[0, 3, 4], [5, 4, 3]]
    assert moved_m(points_m).tolist() == [math.inf, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("time_s,x_m\n0,1\n", "no column y_m"),
        ("time_s,x_m,y_m\n0,1,2\n0,1,2\n", "line 3: time_s must grow"),
        ("time_s,x_m,y_m\n0,1,far\n", "line 2: y_m must be a finite number"),
    ],
)
def test_a_bad_track_names_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "way.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=f"way.csv.*{message}"):
        read_track(path, "hold")


def test_a_track_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "way.csv"
    path.write_text("# a drone\ntime_s,altitude_m,x_m,y_m\n0,9,-10,0\n10,9,-10,50\n")
    assert read_track(path, "hold").positions(np.array([2.0])).tolist() == [[-10, 10]]
