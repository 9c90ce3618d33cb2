"""Synthetic outcomes: accuracy, correlation and calibration are those that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from edgesim.outcomes.synthetic import synthetic_outcomes, synthetic_table
from edgesim.outcomes.table import OutcomeTable

ACCURACY, CORRELATION, SAMPLES = (0.6, 0.75, 0.9), 0.5, 400_000
PATHS = [((0, "png"),), ((2, "int8+zlib"),), ((3, "fp32"),)]


def made(seed: int = 1, correlation: float = CORRELATION, samples: int = SAMPLES) -> OutcomeTable:
    return synthetic_table(ACCURACY, correlation, samples, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def table() -> OutcomeTable:
    return made()


def test_accuracy_is_met_to_half_a_sample() -> None:
    for samples in (10, 77, 2_000):
        right = made(samples=samples).correct.sum(axis=1)
        assert (np.abs(right - np.array(ACCURACY) * samples) <= 0.5).all()


def z_of_both_right(table: OutcomeTable, correlation: float) -> float:
    """Deviation of the share of samples that the first two exits both get right, in standard errors."""
    bounds = norm.ppf(ACCURACY[:2])
    expected = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf(bounds)
    found = (table.correct[0] & table.correct[1]).mean()
    return (found - expected) / np.sqrt(expected * (1 - expected) / table.samples)


def test_two_exits_are_right_together_as_the_copula_says(table: OutcomeTable) -> None:
    assert abs(z_of_both_right(table, CORRELATION)) < 3.3


def test_a_correlation_5_percent_off_would_be_noticed() -> None:
    assert abs(z_of_both_right(made(correlation=CORRELATION * 1.05), CORRELATION)) > 3.3


def z_of_calibration(confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Per tenth of the samples by confidence: right answers less what the confidences promise, in standard errors."""
    order = np.argsort(confidence).reshape(10, -1)
    promised, right = confidence[order].astype(float), correct[order]
    return (right - promised).sum(axis=1) / np.sqrt((promised * (1 - promised)).sum(axis=1))


def test_confidence_is_calibrated_at_every_exit(table: OutcomeTable) -> None:
    for confidence, correct in zip(table.confidence, table.correct, strict=True):
        assert (np.abs(z_of_calibration(confidence, correct)) < 3.3).all()


def test_confidence_5_percent_off_would_be_noticed(table: OutcomeTable) -> None:
    for confidence, correct in zip(table.confidence, table.correct, strict=True):
        assert (np.abs(z_of_calibration(confidence * 0.95, correct)) > 3.3).any()


def test_confidence_tells_right_from_wrong(table: OutcomeTable) -> None:
    for confidence, correct in zip(table.confidence, table.correct, strict=True):
        assert confidence[correct].mean() > confidence[~correct].mean() + 0.15


def test_scores_are_those_of_probabilities(table: OutcomeTable) -> None:
    assert ((table.confidence >= 0) & (table.confidence <= 1)).all()
    assert ((table.entropy >= 0) & (table.entropy <= np.log(10) + 1e-6)).all()
    assert ((table.margin >= 0) & (table.margin <= 1)).all()
    order = np.argsort(table.confidence[0])
    assert (np.diff(table.entropy[0][order]) <= 1e-5).all()
    assert (np.diff(table.margin[0][order]) >= -1e-5).all()


def test_right_exits_agree_and_wrong_ones_are_other_classes(table: OutcomeTable) -> None:
    both = table.correct[0] & table.correct[1]
    assert (table.prediction[0][both] == table.prediction[1][both]).all()
    one = table.correct[0] & ~table.correct[1]
    assert (table.prediction[0][one] != table.prediction[1][one]).all()


def test_the_ends_of_the_ranges() -> None:
    sure = synthetic_table((0.0, 1.0), 1.0, 50, np.random.default_rng(0))
    assert sure.correct.mean(axis=1).tolist() == [0.0, 1.0]
    assert sure.confidence.mean(axis=1).tolist() == [0.0, 1.0]
    assert np.isfinite(sure.entropy).all()
    nested = synthetic_table((0.3, 0.8), 1.0, 500, np.random.default_rng(0))
    assert not (nested.correct[0] & ~nested.correct[1]).any()


def outcomes_of(**changes):
    arguments = dict(
        model="toy", exits=(1, 2, 4), accuracy=ACCURACY, correlation=0.8, samples=40, state_bytes=(90, 50, 40, 30),
        paths=PATHS, seed=5, split="test",
    )  # fmt: skip
    return synthetic_outcomes(**{**arguments, **changes})


def test_paths_share_the_answers_and_carry_the_cut_s_bytes() -> None:
    outcomes = outcomes_of()
    assert outcomes.label == "synthetic"
    assert outcomes.payload(((0, "png"),)).tolist() == [90] * 40
    assert outcomes.payload(((2, "int8+zlib"),)).tolist() == [40] * 40
    assert outcomes.table(((3, "fp32"),)).exits == (0, 1, 2)
    behind = outcomes.table(((2, "int8"),))
    assert behind.exits == (1, 2)
    assert np.array_equal(behind.confidence, outcomes.table(()).confidence[1:])


def test_draws_are_keyed() -> None:
    base = outcomes_of()
    assert outcomes_of().hash == base.hash
    assert outcomes_of(paths=[]).table(()).prediction.tolist() == base.table(()).prediction.tolist()
    for change in ({"seed": 6}, {"split": "validation"}, {"model": "other"}):
        assert outcomes_of(**change).hash != base.hash
