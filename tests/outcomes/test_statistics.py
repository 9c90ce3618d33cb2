"""Exit statistics from validation outcomes, against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from edgesim.outcomes.statistics import ExitStatistics, is_sure
from edgesim.outcomes.synthetic import synthetic_outcomes
from edgesim.outcomes.table import Outcomes

PATH = ((2, "int8"),)
SCORES = ["confidence", "entropy", "margin"]


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    return synthetic_outcomes("toy", (1, 2, 4), (0.5, 0.7, 0.9), 0.6, 500, (90, 50, 40, 30), [PATH], 3, "validation")


@pytest.fixture(scope="module")
def statistics(outcomes: Outcomes) -> ExitStatistics:
    return ExitStatistics(outcomes)


def test_test_outcomes_are_refused(outcomes: Outcomes) -> None:
    test = synthetic_outcomes("toy", (1,), (0.5,), 0.0, 10, (9,), [], 3, "test")
    with pytest.raises(ValueError, match="validation split, not from test"):
        ExitStatistics(test)


def test_accuracy_and_bytes(statistics: ExitStatistics) -> None:
    assert statistics.accuracy() == {0: 0.5, 1: 0.7, 2: 0.9}
    assert statistics.accuracy(PATH) == {1: 0.7, 2: 0.9}
    assert statistics.payload_bytes(PATH) == 40.0


def test_sure_means_high_confidence_high_margin_low_entropy() -> None:
    value = np.array([0.1, 0.5, 0.9])
    assert is_sure("confidence", value, 0.5).tolist() == [False, True, True]
    assert is_sure("margin", value, 0.5).tolist() == [False, True, True]
    assert is_sure("entropy", value, 0.5).tolist() == [True, True, False]


@pytest.mark.parametrize("score", SCORES)
def test_leaving_equals_one_sample_at_a_time(score: str, outcomes: Outcomes, statistics: ExitStatistics) -> None:
    table = outcomes.table(())
    thresholds = {0: float(np.quantile(getattr(table, score)[0], 0.7)), 1: float(np.median(getattr(table, score)[1]))}
    left, right = np.zeros(3, int), np.zeros(3, int)
    for sample in range(table.samples):
        for index in range(3):
            found = table.scores(index, sample)
            value = getattr(found, score)
            sure = index == 2 or (value <= thresholds[index] if score == "entropy" else value >= thresholds[index])
            if sure:
                left[index] += 1
                right[index] += found.correct
                break
    leaving = statistics.leaving((), score, thresholds)
    assert leaving.shares == pytest.approx((left / 500).tolist())
    assert leaving.accuracies == pytest.approx((right / left).tolist())
    assert leaving.accuracy == pytest.approx(right.sum() / 500)
    assert statistics.leaving((), score, list(thresholds.values())) == leaving


def test_the_limits_of_a_threshold(statistics: ExitStatistics) -> None:
    all_first = statistics.leaving((), "confidence", [0.0, 0.0])
    assert all_first.shares == (1.0, 0.0, 0.0)
    assert np.isnan(all_first.accuracies[1])
    assert all_first.accuracy == pytest.approx(0.5)
    assert statistics.leaving((), "confidence", [1.1, 1.1]).shares == (0.0, 0.0, 1.0)
    assert statistics.leaving((), "confidence", {}).accuracy == pytest.approx(0.9)
    assert statistics.leaving(PATH, "confidence", {1: 0.0}).shares == (1.0, 0.0)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.37, 1.0])
def test_a_threshold_for_a_share_lets_that_share_leave(score: str, share: float, statistics: ExitStatistics) -> None:
    threshold = statistics.threshold_for((), 1, score, share)
    assert share <= statistics.share_sure((), 1, score, threshold) <= share + 0.012
