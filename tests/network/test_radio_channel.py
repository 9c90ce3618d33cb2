"""The slow channel: line of sight and shadowing have their laws, and belong to their keys."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from edgesim.network.channel import CHUNK_SAMPLES, Channel, ChannelLaw
from edgesim.network.handover import Handover
from edgesim.network.mobility import RandomWaypoint, Static, Track, WaypointLaw
from edgesim.network.path_loss import umi

HANDOVER = Handover(3.0, 0.16, 0.05)
LAW = ChannelLaw(umi(3.5), ((0.0, 0.0), (300.0, 0.0), (0.0, 300.0)), HANDOVER, 0.04)
ALONE = replace(LAW, sites_m=((0.0, 0.0),))
DEVICES = 2000


def gains_db(law: ChannelLaw, mobility: Static | Track, count: int = 1, devices: int = DEVICES) -> np.ndarray:
    """(devices, samples) gains of devices that move alike."""
    channels = (Channel(law, mobility, 5, "access", number) for number in range(devices))
    return 10 * np.log10([channel.samples(0, count).gain for channel in channels])


def test_the_share_in_line_of_sight_is_that_of_the_distance() -> None:
    sees = gains_db(replace(ALONE, shadowing=False), Static(60.0, 80.0))[:, 0] > -90  # 85.31 or 104.64 dB at 100 m
    expected = 0.2310
    error = np.sqrt(expected * (1 - expected) / DEVICES)
    assert abs(sees.mean() - expected) < 3.3 * error


def test_sight_is_drawn_along_the_way() -> None:
    """Over 1 m of a way it hardly changes, over 628 m it is drawn anew; a static device keeps it."""
    start, near = Static(100.0, 0.0), Track([0, 40], [(100, 0), (101, 0)], "hold")
    law = replace(ALONE, shadowing=False)
    assert (np.ptp(gains_db(law, start, 1000, 50), axis=1) == 0).all()
    nearby = gains_db(law, near, 1001, 400) > -95
    assert 0 < (nearby[:, 0] != nearby[:, -1]).mean() < 0.1
    angles = np.linspace(0, 2 * np.pi, 1001)
    points_m = [(100 * np.cos(angle), 100 * np.sin(angle)) for angle in angles]
    ways = gains_db(law, Track(np.linspace(0, 40, 1001).tolist(), points_m, "hold"), 1001, 400) > -95
    first, last = ways[:, 0], ways[:, -1]
    assert abs(np.corrcoef(first, last)[0, 1]) < 3.3 / np.sqrt(400)


@pytest.mark.parametrize(("sight", "loss_db", "sigma_db"), [("always", 85.31, 4.0), ("never", 104.64, 7.82)])
def test_shadowing_has_the_spread_of_the_table(sight: str, loss_db: float, sigma_db: float) -> None:
    found = gains_db(replace(ALONE, line_of_sight=sight), Static(100.0, 0.0))[:, 0] + loss_db
    assert abs(found.mean()) < 3.3 * sigma_db / np.sqrt(DEVICES)
    assert abs(found.std() / sigma_db - 1) < 3.3 / np.sqrt(2 * DEVICES)


@pytest.mark.parametrize(("sight", "correlation_m"), [("always", 10.0), ("never", 13.0)])
def test_shadowing_is_correlated_along_the_way(sight: str, correlation_m: float) -> None:
    """1/e at the correlation distance, across the border of a chunk."""
    count = CHUNK_SAMPLES + 201
    way = Track([0.0, (count - 1) * 0.04], [(100.0, 0.0), (100.0, correlation_m * (count - 1) / 400)], "hold")
    law = replace(ALONE, line_of_sight=sight)
    with_it, without = gains_db(law, way, count), gains_db(replace(law, shadowing=False), way, count, 1)
    shadow = with_it - without
    product = shadow[:, 200] * shadow[:, 600] / np.sqrt(shadow[:, 200].var() * shadow[:, 600].var())
    assert abs(product.mean() - np.exp(-1)) < 3.3 * product.std() / np.sqrt(DEVICES)


def test_any_order_gives_the_same_samples() -> None:
    def channel(root: int = 1, device: str = "drone") -> Channel:
        return Channel(LAW, RandomWaypoint(WaypointLaw(300, 300, 5, 20, 1), root, device), root, "access", device)

    forward = channel()
    windows = [(first, 300) for first in range(0, 100 * CHUNK_SAMPLES, 300)]
    expected = [forward.samples(*window) for window in windows]
    order = list(range(len(windows)))
    random.Random(1).shuffle(order)
    shuffled = channel()
    for i in order[:80]:
        found = shuffled.samples(*windows[i])
        assert (found.gain == expected[i].gain).all() and found.served == expected[i].served
    assert (channel(2).samples(0, 9).gain != expected[0].gain[:9]).any()
    assert (channel(device="other").samples(0, 9).gain != expected[0].gain[:9]).any()


def test_another_site_moves_nothing_of_the_others() -> None:
    far = replace(ALONE, sites_m=((0.0, 0.0), (1e7, 0.0)))
    walk = Track([0, 100], [(50, 0), (150, 0)], "hold")
    assert (gains_db(far, walk, 900, 3) == gains_db(ALONE, walk, 900, 3)).all()


def test_little_is_kept() -> None:
    channel = Channel(LAW, RandomWaypoint(WaypointLaw(300, 300, 5, 20, 1), 1, "drone"), 1, "drone")
    for first in range(0, 200 * CHUNK_SAMPLES, CHUNK_SAMPLES):
        channel.samples(first, 10)
    assert len(channel._chain.recent) == 2 and len(channel._chain.states) <= 6
