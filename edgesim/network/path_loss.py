"""Path loss in dB over distance: 3GPP TR 38.901 (tables 7.4.1-1 and 7.4.2-1) and log-distance.

Distances are in metres on the ground (d_2D); the models add the difference in height (d_3D).  Frequencies are in GHz
inside the formulas, as in the tables.  The 3GPP models hold from 0.5 to 100 GHz, UMi and UMa from 10 m to 5 km, InH
from 1 to 150 m; outside they are extrapolated, with d_3D never below 1 m.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

LIGHT_MPS = 299_792_458.0


class Shadow(NamedTuple):
    """Standard deviation of the shadowing (dB) and the distance over which its correlation falls to 1/e (m).

    For the 3GPP models from table 7.4.1-1 and from table 7.5-6.
    """

    sigma_db: float
    correlation_m: float


class PathLoss(Protocol):
    """What a radio channel needs of its surroundings; without line of sight everything is ``nlos``."""

    @property
    def los_shadow(self) -> Shadow: ...

    @property
    def nlos_shadow(self) -> Shadow: ...

    @property
    def los_correlation_m(self) -> float:
        """Over which distance being in line of sight is correlated: TR 38.901, table 7.6.3.1-2."""
        ...

    def los_probability(self, ground_m: np.ndarray) -> np.ndarray: ...

    def los_db(self, ground_m: np.ndarray) -> np.ndarray: ...

    def nlos_db(self, ground_m: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class StreetLoss:
    """UMi street canyon and UMa of TR 38.901, which differ in their numbers alone; see ``umi`` and ``uma``.

    In line of sight a + n lg d_3D + 20 lg f up to the breakpoint d'_BP = 4 h'_BS h'_UT f / c (h' = h - 1 m), then
    a + 40 lg d_3D + 20 lg f - m lg(d'_BP^2 + (h_BS - h_UT)^2); without, max(LOS, b + k lg d_3D + q lg f -
    s (h_UT - 1.5)).  UMa for devices up to 13 m high, above which the table makes h' random.
    """

    carrier_ghz: float
    site_height_m: float
    device_height_m: float
    near: tuple[float, float]
    far_offset: float
    nlos: tuple[float, float, float, float]
    decay_m: float
    los_shadow: Shadow
    nlos_shadow: Shadow
    los_correlation_m: float = 50.0

    @property
    def breakpoint_m(self) -> float:
        return 4 * (self.site_height_m - 1) * (self.device_height_m - 1) * self.carrier_ghz * 1e9 / LIGHT_MPS

    def los_probability(self, ground_m: np.ndarray) -> np.ndarray:
        close = 18 / np.maximum(ground_m, 18)
        return close + np.exp(-ground_m / self.decay_m) * (1 - close)

    def los_db(self, ground_m: np.ndarray) -> np.ndarray:
        lg_d = lg_slant(ground_m, self.site_height_m - self.device_height_m)
        base, slope = self.near
        corner = self.breakpoint_m**2 + (self.site_height_m - self.device_height_m) ** 2
        beyond = base + 40 * lg_d - self.far_offset * np.log10(corner)
        near = base + slope * lg_d
        return np.where(ground_m <= self.breakpoint_m, near, beyond) + 20 * np.log10(self.carrier_ghz)

    def nlos_db(self, ground_m: np.ndarray) -> np.ndarray:
        lg_d = lg_slant(ground_m, self.site_height_m - self.device_height_m)
        base, slope, per_lg_f, per_m = self.nlos
        around = base + slope * lg_d + per_lg_f * np.log10(self.carrier_ghz) - per_m * (self.device_height_m - 1.5)
        return np.maximum(self.los_db(ground_m), around)


def umi(carrier_ghz: float, device_height_m: float = 1.5, site_height_m: float = 10.0) -> StreetLoss:
    """Urban micro, street canyon: base stations below the roofs (10 m)."""
    return StreetLoss(
        carrier_ghz,
        site_height_m,
        device_height_m,
        near=(32.4, 21.0),
        far_offset=9.5,
        nlos=(22.4, 35.3, 21.3, 0.3),
        decay_m=36.0,
        los_shadow=Shadow(4.0, 10.0),
        nlos_shadow=Shadow(7.82, 13.0),
    )


def uma(carrier_ghz: float, device_height_m: float = 1.5, site_height_m: float = 25.0) -> StreetLoss:
    """Urban macro: base stations above the roofs (25 m)."""
    return StreetLoss(
        carrier_ghz,
        site_height_m,
        device_height_m,
        near=(28.0, 22.0),
        far_offset=9.0,
        nlos=(13.54, 39.08, 20.0, 0.6),
        decay_m=63.0,
        los_shadow=Shadow(4.0, 37.0),
        nlos_shadow=Shadow(6.0, 50.0),
    )


@dataclass(frozen=True)
class OfficeLoss:
    """InH office of TR 38.901, line of sight as in its mixed office."""

    carrier_ghz: float
    device_height_m: float = 1.0
    site_height_m: float = 3.0
    los_shadow: Shadow = Shadow(3.0, 10.0)
    nlos_shadow: Shadow = Shadow(8.03, 6.0)
    los_correlation_m: float = 10.0

    def los_probability(self, ground_m: np.ndarray) -> np.ndarray:
        near = np.exp(-(np.maximum(ground_m, 1.2) - 1.2) / 4.7)
        return np.where(ground_m < 6.5, near, 0.32 * np.exp(-(ground_m - 6.5) / 32.6))

    def los_db(self, ground_m: np.ndarray) -> np.ndarray:
        lg_d = lg_slant(ground_m, self.site_height_m - self.device_height_m)
        return 32.4 + 17.3 * lg_d + 20 * np.log10(self.carrier_ghz)

    def nlos_db(self, ground_m: np.ndarray) -> np.ndarray:
        lg_d = lg_slant(ground_m, self.site_height_m - self.device_height_m)
        return np.maximum(self.los_db(ground_m), 17.3 + 38.3 * lg_d + 24.9 * np.log10(self.carrier_ghz))


@dataclass(frozen=True)
class LogDistanceLoss:
    """PL(1 m) + 10 n lg d_3D, in line of sight or not.

    Free space is n = 2 with ``free_space_db`` at 1 m; the 128.1 + 37.6 lg d_km of older 3GPP macro cells (TR 36.814,
    2 GHz) is n = 3.76 with 15.3 dB at 1 m.
    """

    at_1m_db: float
    exponent: float
    shadow: Shadow
    device_height_m: float
    site_height_m: float
    los_correlation_m: float = 50.0

    @property
    def los_shadow(self) -> Shadow:
        return self.shadow

    @property
    def nlos_shadow(self) -> Shadow:
        return self.shadow

    def los_probability(self, ground_m: np.ndarray) -> np.ndarray:
        return np.ones_like(ground_m)

    def los_db(self, ground_m: np.ndarray) -> np.ndarray:
        return self.at_1m_db + 10 * self.exponent * lg_slant(ground_m, self.site_height_m - self.device_height_m)

    def nlos_db(self, ground_m: np.ndarray) -> np.ndarray:
        return self.los_db(ground_m)


def lg_slant(ground_m: np.ndarray, height_m: float) -> np.ndarray:
    """Decimal logarithm of the distance in space (at least 1 m) of antennas that differ in height."""
    return np.log10(np.maximum(np.hypot(ground_m, height_m), 1.0))


def free_space_db(distance_m: float, carrier_ghz: float) -> float:
    """20 lg(4 pi d f / c): Friis, isotropic antennas."""
    return float(20 * np.log10(4 * np.pi * distance_m * carrier_ghz * 1e9 / LIGHT_MPS))
