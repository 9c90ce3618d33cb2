"""From what a scenario says of a node's energy and load to the state machines behind them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edgesim.compute.battery import Battery, BatteryLaw
from edgesim.compute.harvest import Harvest
from edgesim.errors import InputError
from edgesim.network.constant import ConstantRate
from edgesim.network.markov import JumpLaw, JumpRate
from edgesim.network.radio_power import Radio, TransferPower
from edgesim.network.rate import RateProcess, Stretch
from edgesim.network.series import read_series
from edgesim.network.tabled import TabledRate, stretch_of_rows
from edgesim.network.trace import random_offset_s
from edgesim.network.versions import version

if TYPE_CHECKING:
    from edgesim.scenario import batteries, loads
    from edgesim.scenario.energy import Power


def build_radio(power: Power) -> Radio:
    """The radio above the device's idle power: that which ``power`` names, or its fixed watts without a tail."""
    spec = power.radio
    if spec is None:
        return Radio(TransferPower(power.send_w), TransferPower(power.receive_w))
    below_w = power.idle_w if spec.includes_idle else 0.0
    return Radio(
        TransferPower(spec.send_w - below_w, spec.send_uj_per_bit / 1e6, spec.send_uj_per_packet / 1e6),
        TransferPower(spec.receive_w - below_w, spec.receive_uj_per_bit / 1e6, spec.receive_uj_per_packet / 1e6),
        spec.tail_w - below_w if spec.tail_s else 0.0,
        spec.tail_s,
        spec.promotion_w - below_w if spec.promotion_s else 0.0,
        spec.promotion_s,
    )


def build_battery(spec: batteries.Battery, idle_w: float, root_seed: int, *key: str | int) -> Battery:
    """The battery of one device, on; (root seed, key) is all that the place in a harvest's file depends on.

    Raises InputError for a bad file.
    """
    shares = (1.0, spec.initial_share, spec.cut_off_share, spec.restart_share)
    law = BatteryLaw(*(spec.capacity_j * share for share in shares))
    return Battery(law, _harvest(spec.harvest, root_seed, *key), idle_w)


def _harvest(
    spec: batteries.ConstantHarvest | batteries.TraceHarvest | None, root_seed: int, *key: str | int
) -> Harvest:
    if spec is None:
        return Harvest.constant(0.0)
    if spec.process == "constant":
        return Harvest.constant(spec.power_w * spec.efficiency)
    table = _table(spec.file, version(spec.file), "power_w", spec.scale * spec.efficiency)
    return Harvest(table.edges_s, table.rates_bps, _offset_s(spec, table, root_seed, *key))


def build_speed(spec: loads.Load, root_seed: int, *key: str | int) -> RateProcess:
    """The share of a node's speed that is left, in (0, 1], over time: its integral is work in seconds.

    Work that takes s seconds on the idle node and starts at t ends at ``finish(t, s)``.  (root seed, key) is all that
    its draws depend on.  Raises InputError for a bad file.
    """
    if spec.process == "constant":
        return ConstantRate(spec.speed)
    if spec.process == "on_off":
        starts_hz, ends_hz = 1 / spec.off_mean_s, 1 / spec.on_mean_s
        law = JumpLaw((1.0, spec.speed), ((-starts_hz, starts_hz), (ends_hz, -ends_hz)))
        return JumpRate(law, root_seed, *key)
    table = _table(spec.file, version(spec.file), "speed", 1.0)
    if not 0 < min(table.rates_bps) <= max(table.rates_bps) <= 1:
        raise InputError(f"{spec.file}: every speed must be above 0 and at most 1")
    return TabledRate(table, spec.ends, _offset_s(spec, table, root_seed, *key))


def _offset_s(spec: batteries.TraceHarvest | loads.TraceLoad, table: Stretch, root_seed: int, *key: str | int) -> float:
    return random_offset_s(table.edges_s[-1], root_seed, *key) if spec.offset == "random" else 0.0


@lru_cache(maxsize=32)
def _table(path: Path, version: tuple[int, int], column: str, scale: float) -> Stretch:
    """A column of a file over time; the last row lasts as long as the one before it."""
    times_s, values = read_series(path, column)
    return stretch_of_rows(times_s, [value * scale for value in values])
