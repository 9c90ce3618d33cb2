"""Shadowing along a way: Gaussian in dB, its correlation falling off exponentially with the distance travelled.

Gudmundson (Electronics Letters 27, 1991): rho(dx) = exp(-|dx| / d_cor).  As an AR(1) over positions,
y_i = a_i y_{i-1} + sqrt(1 - a_i^2) n_i with a_i = exp(-dx_i / d_cor), which is exact for any steps dx_i.  Simpler than
reality: who comes back to a place by another way finds another shadow there, and base stations are independent.
"""

from __future__ import annotations

import numpy as np


def correlation(moved_m: np.ndarray, correlation_m: float | np.ndarray) -> np.ndarray:
    """a = exp(-dx / d_cor); a step of infinite length starts anew."""
    return np.exp(-moved_m / correlation_m)


def correlated(start: np.ndarray, a: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """y_i = a_i y_{i-1} + sqrt(1 - a_i^2) n_i along the first axis, y_{-1} = ``start``; of unit variance where it is.

    All steps at once, by doubling (Hillis and Steele 1986): after j rounds a step reaches back over 2^j others.
    """
    values, reach = draws * np.sqrt(1 - a**2), np.broadcast_to(a, draws.shape).copy()
    values[0] += a[0] * start
    back = 1
    while back < len(values):
        values[back:] += reach[back:] * values[:-back]
        reach[back:] *= reach[:-back].copy()
        back *= 2
    return values
