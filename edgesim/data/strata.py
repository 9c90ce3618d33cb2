"""Errors of a model against what is known of each sample, such as a scene's count or clutter."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np

Z95 = 1.959964


class Stratum(NamedTuple):
    """The samples whose level lies within ``low`` .. ``high``: how many, their mean error, half its 95 % interval."""

    low: float
    high: float
    samples: int
    mean: float
    half_width: float


def error_against(levels: np.ndarray, errors: np.ndarray, parts: int | None = None) -> list[Stratum]:
    """Mean of ``errors`` (N,) by ``levels`` (N,): at each value, or in ``parts`` equal ranges from 0 to 1.

    errors: absolute errors, or 1 for a wrong class and 0 for a right one.  Levels without a sample are left out; the
    interval is the normal one, NaN for a single sample.

    >>> [(each.low, each.samples, each.mean) for each in error_against(np.array([2, 1, 1]), np.array([0.5, 1.0, 0.0]))]
    [(1.0, 2, 0.5), (2.0, 1, 0.5)]
    """
    if parts is None:
        values, place = np.unique(levels, return_inverse=True)
        ranges = [(float(value), float(value)) for value in values]
    else:
        place = np.minimum((levels * parts).astype(int), parts - 1)
        ranges = [(part / parts, (part + 1) / parts) for part in range(parts)]
    found = [(bounds, errors[place == number]) for number, bounds in enumerate(ranges)]
    return [_stratum(low, high, own) for (low, high), own in found if len(own)]


def _stratum(low: float, high: float, errors: np.ndarray) -> Stratum:
    half = Z95 * float(errors.std(ddof=1)) / sqrt(len(errors)) if len(errors) > 1 else float("nan")
    return Stratum(low, high, len(errors), float(errors.mean()), half)
