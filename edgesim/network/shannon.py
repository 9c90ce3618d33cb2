"""From a received signal to a rate: Shannon's capacity, less what real modulation leaves of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

THERMAL_DBM_PER_HZ = -174.0
"""Thermal noise at 290 K, rounded as in link budgets."""

HIGHEST_BPS_PER_HZ = 7.4063
"""256-QAM at code rate 948/1024: the highest entry of 3GPP TS 38.214, table 5.1.3.1-2."""


def noise_dbm(bandwidth_hz: float, noise_figure_db: float) -> float:
    """Noise power in a band behind a receiver's first stage.

    >>> round(noise_dbm(20e6, 5.0), 2)
    -95.99
    """
    return float(THERMAL_DBM_PER_HZ + 10 * np.log10(bandwidth_hz) + noise_figure_db)


@dataclass(frozen=True)
class ShannonRate:
    """R = W min(eta log2(1 + SNR), cap): one stream, no interference, perfect rate adaptation to each fading block.

    efficiency: eta, what an implementation reaches of the capacity, 0 to 1.  highest_bps_per_hz: what its densest
    modulation carries.
    """

    bandwidth_hz: float
    efficiency: float = 1.0
    highest_bps_per_hz: float = HIGHEST_BPS_PER_HZ

    def rate_bps(self, snr: np.ndarray) -> np.ndarray:
        """Bits a second at a signal-to-noise ratio (a plain ratio, not dB)."""
        return self.bandwidth_hz * np.minimum(self.efficiency / math.log(2) * np.log1p(snr), self.highest_bps_per_hz)
