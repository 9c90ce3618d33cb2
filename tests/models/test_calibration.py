from __future__ import annotations

from math import log

import numpy as np
import pytest
from scipy.special import softmax

from edgesim.models.calibration import (
    TEMPERATURES,
    calibrate,
    calibration_error,
    fit_temperature,
    negative_log_likelihood,
)


def calibrated(count: int, classes: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from the very probabilities that they say."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (count, classes)).astype(np.float32)
    cumulated = softmax(logits.astype(np.float64), axis=-1).cumsum(-1)
    labels = (rng.random(count)[:, None] > cumulated).sum(-1).clip(max=classes - 1)
    return logits, labels


@pytest.mark.parametrize("factor", [0.25, 1.0, 3.0])
def test_the_temperature_undoes_a_scaling_of_calibrated_logits(factor: float) -> None:
    logits, labels = calibrated(15_000)
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor, rel=0.04)


def test_temperatures_of_scaled_logits_are_in_proportion() -> None:
    logits, labels = calibrated(2_000)
    assert fit_temperature(3 * logits, labels) == pytest.approx(3 * fit_temperature(logits, labels), rel=1e-4)


def test_the_temperature_has_the_least_nll() -> None:
    logits, labels = calibrated(2_000)
    best = fit_temperature(4 * logits, labels)
    least = negative_log_likelihood(4 * logits / best, labels)
    assert all(negative_log_likelihood(4 * logits / (best * by), labels) > least for by in (0.3, 0.97, 1.03, 3))


def test_ends_of_the_range() -> None:
    right = 0.1 * np.eye(4)
    assert fit_temperature(right, np.arange(4)) == pytest.approx(TEMPERATURES[0], rel=1e-3)
    assert fit_temperature(right, (np.arange(4) + 1) % 4) == pytest.approx(TEMPERATURES[1], rel=1e-3)


def test_calibrated_logits_have_almost_no_calibration_error() -> None:
    logits, labels = calibrated(40_000)
    assert calibration_error(logits, labels) < 0.01
    assert calibration_error(3 * logits, labels) > 0.15


def test_calibration_error_by_hand() -> None:
    confidences = np.array([0.6, 0.62, 0.9, 0.95, 0.99])
    logits = np.log(np.stack((confidences, 1 - confidences), -1))
    labels = np.array([0, 1, 0, 0, 1])
    # 15 bins: 0.6 closes the bin below that of 0.62; 0.9 is in 13/15..14/15, 0.95 and 0.99 are in 14/15..1.
    by_hand = (0.4 + 0.62 + 0.1 + abs(0.05 - 0.99)) / 5
    assert calibration_error(logits, labels) == pytest.approx(by_hand)


def test_calibration_error_of_sure_answers_is_the_share_of_wrong_ones() -> None:
    assert calibration_error(1e4 * np.eye(4), np.array([0, 1, 2, 0])) == pytest.approx(0.25)


def test_nll_by_hand() -> None:
    logits = np.log(np.array([[0.5, 0.5], [0.25, 0.75]]))
    assert negative_log_likelihood(logits, np.array([0, 0])) == pytest.approx((log(2) + log(4)) / 2)
    assert negative_log_likelihood(np.array([[1e4, 0.0]], np.float32), np.array([1])) == pytest.approx(1e4)


def test_calibrate_fits_on_one_set_and_measures_on_the_other() -> None:
    logits, labels = calibrated(10_000)
    others, their_labels = calibrated(10_000, seed=1)
    found = calibrate(3 * logits, labels, 3 * others, their_labels)
    assert found.temperature == fit_temperature(3 * logits, labels)
    assert found.ece_before == calibration_error(3 * others, their_labels) > 0.15
    assert found.ece_after == calibration_error(3 * others / found.temperature, their_labels) < 0.02
    assert found.nll_before == negative_log_likelihood(3 * others, their_labels)
    assert found.nll_after == negative_log_likelihood(3 * others / found.temperature, their_labels) < found.nll_before
    assert found._fields == ("temperature", "ece_before", "ece_after", "nll_before", "nll_after")
