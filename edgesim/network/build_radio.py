"""From what a scenario says of a radio link to the channel and the rates behind it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edgesim.errors import InputError
from edgesim.network import mobility, path_loss
from edgesim.network.channel import Channel, ChannelLaw
from edgesim.network.fading import BlockFading, coherence_s
from edgesim.network.handover import Handover
from edgesim.network.radio import Budget, RadioRate
from edgesim.network.shannon import ShannonRate, noise_dbm
from edgesim.network.tabled import Ends
from edgesim.network.versions import version

Version = tuple[int, int] | None

if TYPE_CHECKING:
    from edgesim.scenario import mobility as mobility_spec
    from edgesim.scenario import radio

KEPT = 2048  # links
COHERENCE_S = 1e-4, 10.0  # bounds of what is derived from a speed


def build_radio(spec: radio.RadioRate, root: int, *key: str | int) -> RadioRate:
    """One direction of one device's radio link.

    key: ends with the direction, ``up`` or ``down``; what stands before it names the link and the device, whose
    position, line of sight, shadowing and handovers both directions share.  Raises InputError for a bad track, and for
    fading whose coherence time neither the scenario nor a speed tells.
    """
    return _rate(spec, _version(spec), root, *key)


def build_channel(spec: radio.RadioRate, root: int, *owner: str | int) -> Channel:
    """What both directions share: where the device is, and by ``serving`` and ``next_change`` which site serves it.

    owner: the key of ``build_radio`` without the direction.
    """
    return _channel(spec, _version(spec), root, *owner)


def _version(spec: radio.RadioRate) -> Version:
    return version(spec.mobility.file) if spec.mobility.type == "track" else None


@lru_cache(maxsize=KEPT)
def _rate(spec: radio.RadioRate, track_version: Version, root: int, *key: str | int) -> RadioRate:
    """Kept, since the cells of a run that share a replication meet the same links one after the other."""
    *owner, direction = key
    channel = _channel(spec, track_version, root, *owner)
    powers_dbm = {"up": spec.device_power_dbm, "down": spec.site_power_dbm}
    figures_db = {"up": spec.site_noise_figure_db, "down": spec.device_noise_figure_db}
    bandwidth_hz = spec.bandwidth_mhz * 1e6
    budget = Budget(
        powers_dbm[str(direction)] + spec.antenna_gain_db,
        noise_dbm(bandwidth_hz, figures_db[str(direction)]),
        ShannonRate(bandwidth_hz, spec.efficiency, spec.spectral_efficiency_cap),
    )
    fading = _fading(spec.fading)
    block_s = None if fading is None else _coherence_s(spec, channel.mobility.top_speed_mps)
    return RadioRate(channel, budget, fading, block_s, root, *key)


@lru_cache(maxsize=KEPT)
def _channel(spec: radio.RadioRate, track_version: Version, root: int, *owner: str | int) -> Channel:
    """One for both directions where they say the same; where they do not, the draws are still shared."""
    law = ChannelLaw(
        _loss(spec),
        tuple(site.position_m for site in spec.sites),
        Handover(
            spec.handover.hysteresis_db,
            spec.handover.time_to_trigger_ms / 1e3,
            spec.handover.interruption_ms / 1e3,
        ),
        spec.measurement_ms / 1e3,
        "always" if spec.path_loss.type == "log_distance" else spec.path_loss.line_of_sight,
        spec.shadowing,
    )
    return Channel(law, _mobility(spec.mobility, track_version, root, *owner), root, *owner)


def _loss(spec: radio.RadioRate) -> path_loss.PathLoss:
    loss, carrier_ghz = spec.path_loss, spec.carrier_ghz
    if loss.type == "umi":
        return path_loss.umi(carrier_ghz, loss.device_height_m, loss.site_height_m)
    if loss.type == "uma":
        return path_loss.uma(carrier_ghz, loss.device_height_m, loss.site_height_m)
    if loss.type == "inh":
        return path_loss.OfficeLoss(carrier_ghz, loss.device_height_m, loss.site_height_m)
    at_1m_db = path_loss.free_space_db(1.0, carrier_ghz) if loss.at_1m_db is None else loss.at_1m_db
    shadow = path_loss.Shadow(loss.sigma_db, loss.correlation_m)
    return path_loss.LogDistanceLoss(at_1m_db, loss.exponent, shadow, loss.device_height_m, loss.site_height_m)


def _mobility(spec: mobility_spec.Mobility, track_version: Version, root: int, *owner: str | int) -> mobility.Mobility:
    if spec.type == "static":
        return mobility.Static(*spec.position_m)
    if spec.type == "track":
        return _track(spec.file, track_version, spec.ends)
    law = mobility.WaypointLaw(*spec.area_m, spec.low_mps, spec.high_mps, spec.pause_s)
    return mobility.RandomWaypoint(law, root, *owner)


@lru_cache(maxsize=32)
def _track(file: Path, track_version: Version, ends: Ends) -> mobility.Track:
    return mobility.read_track(file, ends)


def _fading(spec: radio.Fading) -> BlockFading | None:
    if spec.type == "none":
        return None
    return BlockFading(10 ** (spec.k_db / 10) if spec.type == "rician" else 0.0)


def _coherence_s(spec: radio.RadioRate, top_speed_mps: float) -> float:
    assert spec.fading.type != "none"
    if spec.fading.coherence_ms is not None:
        return spec.fading.coherence_ms / 1e3
    if top_speed_mps == 0:
        raise InputError("radio: the track never moves, so that no Doppler shift tells coherence_ms of the fading")
    shortest_s, longest_s = COHERENCE_S
    return min(max(coherence_s(top_speed_mps, spec.carrier_ghz), shortest_s), longest_s)
