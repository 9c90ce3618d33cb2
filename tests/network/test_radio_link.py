"""A radio link as a rate process: the budget, fading, interruptions, and what the directions share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from edgesim.errors import InputError
from edgesim.network.build import build_rate
from edgesim.network.build_radio import build_channel, build_radio
from edgesim.network.channel import ChannelLaw
from edgesim.network.handover import Handover
from edgesim.network.mobility import WaypointLaw
from edgesim.network.path_loss import LogDistanceLoss, OfficeLoss, Shadow, uma, umi
from edgesim.network.radio import LONGEST_S, RadioRate, grid
from edgesim.network.rate import pieces
from edgesim.scenario.rates import Rate

RATES: TypeAdapter[Rate] = TypeAdapter(Rate)
PLAIN = {
    "process": "radio",
    "path_loss": {"type": "umi", "line_of_sight": "never"},
    "sites": [{"position_m": [0, 0]}],
    "mobility": {"type": "static", "position_m": [100, 0]},
    "carrier_ghz": 3.5,
    "bandwidth_mhz": 20,
    "shadowing": False,
}
MOVING = PLAIN | {
    "path_loss": {"type": "umi"},
    "sites": [{"position_m": [0, 0]}, {"position_m": [200, 0], "server": "edge"}, {"position_m": [0, 200]}],
    "mobility": {"type": "random_waypoint", "area_m": [200, 200], "low_mps": 5, "high_mps": 20},
    "shadowing": True,
    "handover": {"interruption_ms": 55, "hysteresis_db": 1, "time_to_trigger_ms": 0},
}
RAYLEIGH = {"type": "rayleigh", "coherence_ms": 10}


def link(spec: dict[str, Any], direction: str = "up", device: str = "drone-0") -> RadioRate:
    built = build_rate(RATES.validate_python(spec), 3, "rate", "access", device, direction, horizon_s=60.0)
    assert isinstance(built, RadioRate)
    return built


def test_what_a_scenario_says_arrives() -> None:
    loss = {"type": "log_distance", "exponent": 3.1, "at_1m_db": 41.0, "sigma_db": 6.0, "correlation_m": 30.0}
    handover = {"hysteresis_db": 2.5, "time_to_trigger_ms": 120, "interruption_ms": 35}
    spec = RATES.validate_python(MOVING | {"path_loss": loss, "handover": handover, "measurement_ms": 20})
    channel = build_channel(spec, 3, "rate", "access", "drone-0")
    assert channel.law == ChannelLaw(
        LogDistanceLoss(41.0, 3.1, Shadow(6.0, 30.0), 1.5, 10.0),
        ((0.0, 0.0), (200.0, 0.0), (0.0, 200.0)),
        Handover(2.5, 0.12, 0.035),
        0.02,
        "always",
    )
    assert channel.mobility._law == WaypointLaw(200.0, 200.0, 5.0, 20.0, 0.0)
    assert build_radio(spec, 3, "rate", "access", "drone-0", "up").channel is channel
    for found, wanted in (("umi", umi(3.5)), ("uma", uma(3.5)), ("inh", OfficeLoss(3.5))):
        of_table = RATES.validate_python(MOVING | {"path_loss": {"type": found}})
        assert build_channel(of_table, 3, "rate", "access", "drone-0").law.loss == wanted


def test_the_budget_of_a_link() -> None:
    assert link(PLAIN).rate(12.3) == pytest.approx(96.35e6, abs=5e3)
    down = PLAIN | {"site_power_dbm": 23, "device_noise_figure_db": 5}
    assert link(down, "down").rate(12.3) == pytest.approx(96.35e6, abs=5e3)
    otherwise = PLAIN | {"device_power_dbm": 20, "antenna_gain_db": 3, "efficiency": 0.5}
    assert link(otherwise).rate(0) == pytest.approx(96.35e6 / 2, abs=5e3)
    assert link(PLAIN | {"spectral_efficiency_cap": 4}).rate(0) == pytest.approx(80e6)


@pytest.mark.parametrize(("coherence_ms", "measurement_ms"), [(10, 40), (60, 40), (33, 40), (1.3, 40), (10_000, 1)])
def test_blocks_last_the_coherence_time(coherence_ms: float, measurement_ms: float) -> None:
    found = grid(measurement_ms / 1e3, coherence_ms / 1e3)
    assert found.piece_s * found.per_sample == pytest.approx(measurement_ms / 1e3, rel=1e-12)
    assert found.piece_s * found.per_block == pytest.approx(coherence_ms / 1e3, rel=0.01)
    assert found.chunk_pieces % found.per_block == found.chunk_pieces % found.per_sample == 0


def test_fading_has_its_capacity_and_is_new_after_the_coherence_time() -> None:
    """SNR 10 dB: 2.9065 b/s/Hz."""
    spec = PLAIN | {"fading": {"type": "rayleigh", "coherence_ms": 10}, "device_power_dbm": 23 - 4.3487}
    assert link(spec | {"fading": {"type": "none"}}).rate(0) == pytest.approx(20e6 * np.log2(11), rel=1e-3)
    _, rates = pieces(link(spec), 0.0, 1000.0)
    found = np.array(rates) / 20e6
    error = found.std() / np.sqrt(len(found))
    assert len(found) == 100_000
    assert abs(found.mean() - 2.9065) < 3.3 * error < 0.05 * 2.9065
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 3.3 / np.sqrt(len(found))
    slow = np.array(pieces(link(spec | {"fading": {"type": "rician", "k_db": 3, "coherence_ms": 80}}), 0, 100.0)[1])
    assert (slow[::2] == slow[1::2]).all() and (slow[2::2] != slow[:-2:2]).all()


def test_the_rician_factor_is_in_decibels() -> None:
    """The gains behind the rates vary by (1 + 2 k) / (1 + k)^2."""
    plain = PLAIN | {"spectral_efficiency_cap": 99}
    _, rates = pieces(link(plain | {"fading": {"type": "rician", "k_db": 6, "coherence_ms": 10}}), 0.0, 1000.0)
    gains = (2 ** (np.array(rates) / 20e6) - 1) / (2 ** (link(plain).rate(0) / 20e6) - 1)
    k = 10**0.6
    spread = (gains - 1) ** 2
    assert abs(spread.mean() - (1 + 2 * k) / (1 + k) ** 2) < 3.3 * spread.std() / np.sqrt(len(spread))


def test_coherence_time_from_the_top_speed() -> None:
    """20 m/s at 3.5 GHz: 1.81 ms."""
    edges, _ = pieces(link(MOVING | {"fading": {"type": "rayleigh"}}), 0.0, 1.0)
    assert np.median(np.diff(edges)) == pytest.approx(0.423 * 299_792_458 / (20 * 3.5e9), rel=0.01)


def test_directions_share_the_channel_and_not_the_fading() -> None:
    same = MOVING | {"site_power_dbm": 23, "device_noise_figure_db": 5, "spectral_efficiency_cap": 99}
    up, down = (pieces(link(same, direction), 0.0, 100.0) for direction in ("up", "down"))
    assert up == down
    other = pieces(link(same, device="drone-1"), 0.0, 100.0)
    assert other[1] != up[1]
    faded = [link(same | {"fading": RAYLEIGH}, direction) for direction in ("up", "down")]
    assert faded[0].channel is faded[1].channel
    up_bps, down_bps = (np.array(pieces(rate, 0.0, 100.0)[1]) for rate in faded)
    assert ((up_bps == 0) == (down_bps == 0)).all()
    assert (up_bps != down_bps)[up_bps > 0].all()
    again = link(same | {"fading": RAYLEIGH, "bandwidth_mhz": 10}, "up")
    shared = np.array(pieces(again, 0.0, 100.0)[1]) * 2  # another bandwidth, the same channel and fading: 3 dB more
    assert (shared >= up_bps).all()


def interruptions(rate: RadioRate, until_s: float) -> list[float]:
    times_s, time_s = [], 0.0
    while (time_s := rate.channel.next_change(time_s, until_s)) < np.inf:
        times_s.append(time_s)
    return times_s


@pytest.mark.parametrize("fading", [{"type": "none"}, RAYLEIGH, {"type": "rayleigh", "coherence_ms": 33}])
def test_every_interruption_has_rate_zero_and_nothing_else_changes(fading: dict[str, Any]) -> None:
    """55 ms from each handover on; elsewhere the rate is that of the model without a gap."""
    spec = MOVING | {"fading": fading}
    whole = spec | {"handover": spec["handover"] | {"interruption_ms": 0}}
    cut, uncut = link(spec), link(whole)
    starts_s = interruptions(cut, 200.0)
    assert starts_s == interruptions(uncut, 200.0) and len(starts_s) > 20
    edges, rates = (np.array(part) for part in pieces(cut, 0.0, 200.0))
    middles = (edges[:-1] + edges[1:]) / 2
    inside = ((middles[:, None] > starts_s) & (middles[:, None] < np.array(starts_s) + 0.055)).any(axis=1)
    assert (rates[inside] == 0).all() and (rates[~inside] > 0).all()
    assert rates[~inside].tolist() == [uncut.rate(time_s) for time_s in middles[~inside].tolist()]
    assert min(pieces(uncut, 0.0, 200.0)[1]) > 0
    covered_s = np.minimum(np.diff([*starts_s, 200.0]), 0.055).sum()
    assert np.diff(edges)[rates == 0].sum() == pytest.approx(covered_s, rel=1e-6)


def test_an_interruption_delays_a_transfer_by_its_length() -> None:
    cut, uncut = link(MOVING), link(MOVING | {"handover": MOVING["handover"] | {"interruption_ms": 0}})
    start_s = interruptions(cut, 200.0)[3]
    assert cut.finish(start_s + 1e-6, 1e5) == pytest.approx(uncut.finish(start_s + 0.055, 1e5), abs=1e-9)


def test_the_long_term_rate_is_that_of_the_serving_site() -> None:
    """Without shadowing, without obstacles and without hysteresis: always the best of the sites, by hand."""
    loss = {"type": "log_distance", "exponent": 3.0, "at_1m_db": 40.0, "device_height_m": 10.0}
    handover = {"hysteresis_db": 0, "time_to_trigger_ms": 0, "interruption_ms": 0}
    rate = link(MOVING | {"path_loss": loss, "shadowing": False, "handover": handover})
    times_s = [i * 0.04 for i in range(2500)]
    points_m = rate.channel.mobility.positions(np.array(times_s))
    gaps_m = points_m[:, None, :] - np.array([site["position_m"] for site in MOVING["sites"]])
    nearest_m = np.maximum(np.sqrt((gaps_m**2).sum(axis=2)).min(axis=1), 1)
    snr_db = 23 - 40 - 30 * np.log10(nearest_m) + 174 - 10 * np.log10(20e6) - 5
    expected = 20e6 * np.minimum(np.log2(1 + 10 ** (snr_db / 10)), 7.4063)
    found = [rate.rate(time_s + 0.01) for time_s in times_s]
    assert found == pytest.approx(expected.tolist(), rel=1e-9)


def test_out_of_reach_a_transfer_never_ends() -> None:
    far = PLAIN | {"mobility": {"type": "static", "position_m": [1e6, 0]}}
    assert link(far).rate(0) > 0
    assert link(far).finish(0.0, link(far).rate(0) * LONGEST_S / 2) < np.inf
    assert link(far).finish(0.0, 1e6) == np.inf


def test_a_changed_track_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "way.csv"
    spec = PLAIN | {"mobility": {"type": "track", "file": str(path)}}
    path.write_text("time_s,x_m,y_m\n0,100,0\n")
    before = link(spec).rate(0)
    path.write_text("time_s,x_m,y_m\n0,50.0,0\n")
    assert link(spec).rate(0) > before


def test_fading_on_a_track_that_never_moves_needs_its_coherence_time(tmp_path: Path) -> None:
    path = tmp_path / "way.csv"
    path.write_text("time_s,x_m,y_m\n0,100,0\n")
    with pytest.raises(InputError, match="coherence_ms"):
        link(PLAIN | {"mobility": {"type": "track", "file": str(path)}, "fading": {"type": "rayleigh"}})
