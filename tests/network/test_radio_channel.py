"""The slow channel: line of sight and shadowing have their laws, and belong to their keys."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from edgesim.network.channel import CHUNK_SAMPLES, Channel, ChannelLaw
from edgesim.network.handover import Handover
from edgesim.network.mobility import RandomWaypoint, Static, Track, WaypointLaw
from edgesim.network.path_loss import umi

HANDOVER = Handover(3.0, 0.16, 0.05)
LAW = ChannelLaw(umi(3.5), ((0.0, 0.0), (300.0, 0.0), (0.0, 300.0)), HANDOVER, 0.04)
ALONE = replace(LAW, sites_m=((0.0, 0.0),))


def gains_db(law: ChannelLaw, mobility: Static | Track, count: int, devices: int) -> np.ndarray:
    """(devices, samples) gains of devices that move alike."""
    channels = (Channel(law, mobility, 5, "access", number) for number in range(devices))
    return 10 * np.log10([channel.samples(0, count).gain for channel in channels])


LONG = 100_000


def sights(x_m: float, y_m: float, count: int) -> np.ndarray:
    """Whether one device is in line of sight while it jumps to and fro between (x, y) and (x, -y), 50 m from the site.

    There P_LOS is 0.5196, and the gains are -79.09 or -94.18 dB.
    """
    to_and_fro = Track([0.0, 0.04, 0.08], [(x_m, y_m), (x_m, -y_m), (x_m, y_m)], "loop")
    return gains_db(replace(ALONE, shadowing=False), to_and_fro, count, 1)[0] > -85


def score(values: np.ndarray, expected: float) -> float:
    """In standard errors, from the means of parts that are hardly correlated."""
    means = np.array([part.mean() for part in np.array_split(values, 200)])
    return float((means.mean() - expected) / (means.std(ddof=1) / np.sqrt(200)))


def test_the_share_in_line_of_sight_is_that_of_the_distance() -> None:
    sees = sights(0.0, 50.0, LONG)
    assert abs(score(sees, 0.5196)) < 3.3
    assert abs(score(sees, 1.05 * 0.5196)) > 3.3


def test_sight_is_correlated_over_its_distance() -> None:
    """Jumps of 50 m: a bivariate normal with correlation 1/e says how often two sights in a row are both clear."""

    def both(correlation_m: float) -> float:
        rho, level = np.exp(-50 / correlation_m), norm.ppf(umi(3.5).los_probability(np.array(50.0)))
        return float(multivariate_normal.cdf([level, level], cov=[[1, rho], [rho, 1]]))

    sees = sights(np.sqrt(50**2 - 25**2), 25.0, 10 * LONG)
    assert abs(score(sees[1:] & sees[:-1], both(50.0))) < 3.3
    assert abs(score(sees[1:] & sees[:-1], both(1.05 * 50.0))) > 3.3


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


SHADOWS = {"always": (4.0, 10.0), "never": (7.82, 13.0)}


def shadow_scores(sight: str, sigma_db: float, correlation_m: float) -> dict[str, float]:
    """Along a straight way of one such correlation distance a sample, through many chunks, in standard errors."""
    way = Track([0.0, 0.04 * LONG], [(0.0, 50.0), (SHADOWS[sight][1] * LONG, 50.0)], "hold")
    law = replace(ALONE, line_of_sight=sight)
    shadow_db = gains_db(law, way, LONG, 1)[0] - gains_db(replace(law, shadowing=False), way, LONG, 1)[0]
    steps_m = SHADOWS[sight][1]
    expected = {
        "mean": (shadow_db, 0.0),
        "variance": (shadow_db**2, sigma_db**2),
        "correlation": (shadow_db[1:] * shadow_db[:-1] / SHADOWS[sight][0] ** 2, np.exp(-steps_m / correlation_m)),
    }
    return {name: score(values, mean) for name, (values, mean) in expected.items()}


@pytest.mark.parametrize("sight", SHADOWS)
def test_shadowing_has_the_spread_and_the_correlation_of_the_table(sight: str) -> None:
    sigma_db, correlation_m = SHADOWS[sight]
    assert all(abs(score) < 3.3 for score in shadow_scores(sight, sigma_db, correlation_m).values())
    assert abs(shadow_scores(sight, 1.05 * sigma_db, correlation_m)["variance"]) > 3.3
    assert abs(shadow_scores(sight, sigma_db, 1.05 * correlation_m)["correlation"]) > 3.3


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
    assert len(channel._chain.recent) == 2 and len(channel._chain.states) <= 200 / 8 + 3
    for state in channel._chain.states.values():
        kept = [state.sight, state.shadow, *([state.attachment.runs] if state.attachment else [])]
        assert all(values.base is None and values.size == 3 for values in kept)
