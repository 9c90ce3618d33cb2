"""Handover by signal: against a plain loop, and at places that follow from geometry."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from edgesim.network.channel import CHUNK_SAMPLES, Channel, ChannelLaw
from edgesim.network.handover import Attachment, Change, Handover, changes
from edgesim.network.mobility import Track
from edgesim.network.path_loss import LogDistanceLoss, Shadow

SAMPLE_S = 0.04
SITES_M = ((0.0, 0.0), (1000.0, 0.0))


def plain(signal_db: np.ndarray, site: int, hysteresis_db: float, needed: int) -> list[Change]:
    """Event A3 as it is told: one sample after the other, one counter a neighbour."""
    found, counters = [], [0] * signal_db.shape[1]
    for sample, row in enumerate(signal_db):
        counters = [n + 1 if x > row[site] + hysteresis_db else 0 for n, x in zip(counters, row, strict=True)]
        ripe = [i for i, n in enumerate(counters) if n >= needed]
        if ripe:
            site, counters = max(ripe, key=lambda i: row[i]), [0] * len(row)
            found.append(Change(sample, site))
    return found


@pytest.mark.parametrize(("hysteresis_db", "needed"), [(0.0, 1), (0.0, 4), (2.0, 1), (2.0, 5), (30.0, 1)])
def test_the_plain_loop_finds_the_same(hysteresis_db: float, needed: int) -> None:
    rng = np.random.default_rng(2)
    signal_db = lfilter([1.0], [1.0, -0.98], rng.standard_normal((3000, 4)), axis=0)
    expected = plain(signal_db, 1, hysteresis_db, needed)
    assert len(expected) > 10 or hysteresis_db == 30
    found, attachment, begin = [], Attachment(1, np.zeros(4, dtype=int)), 0
    for part in np.split(signal_db, [1, 2, 700, 701, 2500]):
        more, attachment = changes(part, attachment, hysteresis_db, needed)
        found += [Change(begin + sample, site) for sample, site in more]
        begin += len(part)
    assert found == expected


def test_time_to_trigger_in_samples() -> None:
    assert [Handover(3, ms / 1e3, 0).samples(SAMPLE_S) for ms in (0, 1, 40, 160, 161)] == [1, 2, 2, 5, 6]


def drive(handover: Handover, sigma_db: float = 0.0, device: str = "drone", x_m: tuple[float, float] = (0, 1000)):
    """From one site to the other in 100 s, path loss exponent 4, both antennas at one height."""
    loss = LogDistanceLoss(40.0, 4.0, Shadow(sigma_db, 20.0), 1.5, 1.5)
    law = ChannelLaw(loss, SITES_M, handover, SAMPLE_S)
    return Channel(law, Track([0.0, 100.0], [(x_m[0], 1.0), (x_m[1], 1.0)], "hold"), 7, device)


@pytest.mark.parametrize("time_to_trigger_s", [0.0, 0.16, 0.64])
def test_the_handover_is_where_geometry_says(time_to_trigger_s: float) -> None:
    """3 dB = 40 lg(d_0 / d_1): 10 m/s along the line, the whole time to trigger later, at the next sample."""
    channel = drive(Handover(3.0, time_to_trigger_s, 0.05))
    ratio = 10 ** (3 / 40)
    crossing_s = 1000 * ratio / (1 + ratio) / 10
    expected_s = np.ceil(crossing_s / SAMPLE_S) * SAMPLE_S + time_to_trigger_s
    found_s = channel.next_change(0.0, 200.0)
    assert found_s == pytest.approx(expected_s, abs=1e-9)
    assert [channel.serving(time_s) for time_s in (0.0, found_s - 0.01, found_s, 99.0, 150.0)] == [0, 0, 1, 1, 1]
    assert channel.next_change(found_s, 200.0) == np.inf
    assert channel.next_change(0.0, found_s - 1) == np.inf
    assert channel.next_change(found_s - 0.001, 200.0) == found_s


def test_no_ping_pong_when_the_hysteresis_is_above_the_difference_of_shadowing() -> None:
    """Along the line in the middle both path losses are equal, so that shadowing alone could move the device."""

    def count(hysteresis_db: float) -> int:
        loss = LogDistanceLoss(40.0, 4.0, Shadow(6.0, 20.0), 1.5, 1.5)
        law = ChannelLaw(loss, SITES_M, Handover(hysteresis_db, 0.0, 0.0), SAMPLE_S)
        channel = Channel(law, Track([0.0, 100.0], [(500.0, 0.0), (500.0, 1000.0)], "hold"), 7, "drone")
        time_s, found = 0.0, -1
        while time_s < np.inf:
            time_s, found = channel.next_change(time_s, 100.0), found + 1
        return found

    counts = [count(hysteresis_db) for hysteresis_db in (0.0, 3.0, 10.0, 6 * 6 * np.sqrt(2))]
    assert counts[0] > counts[1] > counts[2] > counts[3] == 0
    assert counts[0] > 100


def test_the_sequence_does_not_depend_on_the_order_of_questions() -> None:
    asked = drive(Handover(1.0, 0.04, 0.05), sigma_db=8.0)
    times_s, time_s = [], 0.0
    while (time_s := asked.next_change(time_s, 100.0)) < np.inf:
        times_s.append(time_s)
    assert len(times_s) > 10
    backwards = drive(Handover(1.0, 0.04, 0.05), sigma_db=8.0)
    assert [backwards.next_change(t - 1e-6, 100.0) for t in reversed(times_s)] == times_s[::-1]
    sites = [asked.serving(t) for t in times_s]
    assert all(a != b for a, b in zip(sites, sites[1:], strict=False))
    assert max(times_s) > 2 * CHUNK_SAMPLES * SAMPLE_S


def test_who_stands_still_or_has_one_site_never_changes() -> None:
    law = drive(Handover(0.0, 0.0, 0.0), sigma_db=8.0).law
    still = Channel(law, Track([0.0], [(500.0, 0.0)], "hold"), 7, "drone")
    assert still.next_change(0.0, 1e12) == np.inf
    assert len({still.serving(time_s) for time_s in range(1000)}) == 1
