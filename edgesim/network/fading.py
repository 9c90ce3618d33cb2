"""Block fading: a power gain of mean 1, drawn anew for each coherence time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgesim.network.path_loss import LIGHT_MPS


@dataclass(frozen=True)
class BlockFading:
    """Rician with factor ``k`` (power of the steady part over that of the scattered): Rayleigh at k = 0.

    g = |sqrt(k / (k + 1)) + CN(0, 1 / (k + 1))|^2, so that E g = 1 (Goldsmith 2005, section 3.2.2).  Simpler than
    reality: one gain for the whole band, independent from block to block and between the directions.
    """

    k: float = 0.0

    def gains(self, draws: np.random.Generator, count: int) -> np.ndarray:
        """Power gains of ``count`` blocks."""
        if self.k == 0:
            return draws.standard_exponential(count)
        scattered = draws.standard_normal((2, count)) * np.sqrt(0.5 / (self.k + 1))
        scattered[0] += np.sqrt(self.k / (self.k + 1))
        return (scattered**2).sum(axis=0)


def coherence_s(speed_mps: float, carrier_ghz: float) -> float:
    """0.423 / f_D, f_D = v f / c the Doppler shift (Rappaport 2002, equation 5.40.c: a geometric mean of two rules).

    >>> round(coherence_s(30.0, 3.5), 6)
    0.001208
    """
    return 0.423 * LIGHT_MPS / (speed_mps * carrier_ghz * 1e9)
