from __future__ import annotations

import numpy as np
import pytest

from edgesim.models.reliability import reliability


def test_by_hand() -> None:
    found = reliability(np.array([0.1, 0.15, 0.9, 1.0]), np.array([False, True, True, True]), bins=5)
    assert found.counts.tolist() == [2, 2]
    assert found.confidences == pytest.approx([0.125, 0.95])
    assert found.accuracies == pytest.approx([0.5, 1.0])
    assert found.calibration_error == pytest.approx((0.375 + 0.05) / 2)


def test_bins_are_closed_above() -> None:
    assert reliability(np.array([0.2, 0.21, 0.4]), np.ones(3), bins=5).counts.tolist() == [1, 2]


@pytest.mark.parametrize("shift", [-0.15, 0.0, 0.15])
def test_a_shift_of_confidence_is_the_error(shift: float) -> None:
    """Whether 15 % too sure or too unsure, the error says by how much."""
    rng = np.random.default_rng(0)
    probability = rng.uniform(0.2, 0.8, 60_000)
    found = reliability(probability + shift, rng.random(60_000) < probability)
    assert found.calibration_error == pytest.approx(abs(shift), abs=0.008)
    assert found.counts.sum() == 60_000
