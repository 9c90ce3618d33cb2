"""How far an exit's confidence can be trusted: accuracy against confidence in bins; numpy only.

Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017 (reliability diagrams, and the expected
calibration error of Naeini et al., AAAI 2015, with 15 bins).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

BINS = 15


class Reliability(NamedTuple):
    """Of each bin that is not empty: how many samples, their mean confidence, and the share of them that is right."""

    counts: np.ndarray
    confidences: np.ndarray
    accuracies: np.ndarray

    @property
    def calibration_error(self) -> float:
        """Expected calibration error (ECE): the gap between confidence and accuracy, averaged over the samples."""
        return float((self.counts * np.abs(self.accuracies - self.confidences)).sum() / self.counts.sum())


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Reliability:
    """From (samples,) confidences in 0..1 and whether each answer is right; bins of equal width, closed above."""
    confidence = confidence.astype(np.float64)
    bin_of = np.ceil(confidence * bins).astype(int)
    count = np.bincount(bin_of)
    filled = count > 0
    sums = (np.bincount(bin_of, weights=values)[filled] for values in (confidence, right))
    return Reliability(count[filled], *(each / count[filled] for each in sums))
