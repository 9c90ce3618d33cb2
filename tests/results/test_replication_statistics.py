from __future__ import annotations

import numpy as np
import pytest

from edgesim.results.statistics import (
    holm,
    image_weights,
    paired_differences,
    paired_p,
    pool_interval,
    t_interval,
)


def test_t_interval_by_hand() -> None:
    """Mean 3, standard deviation sqrt(2.5), t of 4 degrees of freedom 2.776445."""
    interval = t_interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    half = 2.776445 * np.sqrt(2.5) / np.sqrt(5)
    assert interval == pytest.approx((3.0, 3.0 - half, 3.0 + half), rel=1e-6)


def test_one_replication_has_no_interval() -> None:
    mean, low, high = t_interval(np.array([0.5]))
    assert mean == 0.5 and np.isnan(low) and np.isnan(high)
    assert np.isnan(t_interval(np.array([])).mean)


def test_replications_with_nothing_to_measure_are_left_out() -> None:
    assert t_interval(np.array([1.0, np.nan, 3.0])) == t_interval(np.array([1.0, 3.0]))


def coverage(half_width: float) -> float:
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(2000):
        mean, low, high = t_interval(random.normal(1.0, 0.3, 10))
        covered += mean - half_width * (mean - low) <= 1.0 <= mean + half_width * (high - mean)
    return covered / 2000


def test_t_interval_covers_95_percent() -> None:
    bound = 3.3 * np.sqrt(0.95 * 0.05 / 2000)
    assert abs(coverage(1.0) - 0.95) < bound
    assert abs(coverage(0.8) - 0.95) > bound, "an interval a fifth too narrow must be found"


def pool_coverage(also_images: bool) -> float:
    """How often an interval on 10 replications of 60 requests over 80 images holds the accuracy of all images.

    Images differ in difficulty and each answer is right or wrong for good, so that an interval over replications
    knows nothing of the images that the pool happens to lack.
    """
    random = np.random.default_rng(8)
    covered, rounds = 0, 300
    for _ in range(rounds):
        right_images = random.random(80) < 0.7
        asked = np.array([np.bincount(random.integers(80, size=400), minlength=80) for _ in range(10)])
        right = asked * right_images
        if also_images:
            _, low, high = pool_interval(right, asked, image_weights(80, random), random)
        else:
            _, low, high = t_interval(right.sum(1) / asked.sum(1))
        covered += low <= 0.7 <= high
    return covered / rounds


def test_only_the_interval_that_resamples_images_covers_new_images() -> None:
    assert pool_coverage(also_images=True) >= 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / 300)
    assert pool_coverage(also_images=False) < 0.6


def test_pool_interval_is_hardly_narrower_than_the_one_over_replications() -> None:
    random = np.random.default_rng(4)
    asked = random.poisson(3.0, (10, 200))
    right = random.binomial(asked, 0.6)
    pool = pool_interval(right, asked, image_weights(200, random), random)
    over = t_interval(right.sum(1) / asked.sum(1))
    assert pool.mean == pytest.approx(over.mean)
    assert pool.high - pool.low > 0.95 * (over.high - over.low)


def test_pool_interval_needs_two_replications() -> None:
    random = np.random.default_rng(0)
    asked = np.array([[2, 2], [0, 0]])
    interval = pool_interval(np.array([[1, 2], [0, 0]]), asked, image_weights(2, random), random)
    assert interval.mean == 0.75 and np.isnan(interval.low)


def test_image_weights_draw_as_many_images_as_there_are() -> None:
    weights = image_weights(50, np.random.default_rng(1))
    assert (weights.sum(0) == 50).all()
    assert weights.mean() == pytest.approx(1.0)


def test_holm_by_hand() -> None:
    """Sorted .005, .01, .03, .04 times 4, 3, 2, 1: .02, .03, .06, .04, and the last may not fall below .06."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_holm_leaves_out_what_has_no_p() -> None:
    adjusted = holm([float("nan"), 0.02, 0.03])
    assert np.isnan(adjusted[0]) and adjusted[1:] == pytest.approx([0.04, 0.04])


def test_holm_keeps_the_family_wise_error() -> None:
    random = np.random.default_rng(6)
    p_values = random.random((4000, 10))
    wrong = np.mean([min(holm(row)) < 0.05 for row in p_values])
    assert abs(wrong - (1 - (1 - 0.005) ** 10)) < 3.3 * np.sqrt(0.05 * 0.95 / 4000)
    assert np.mean(p_values.min(1) < 0.05) > 0.3, "without Holm four in ten families would be wrong"


def test_paired_p_equals_the_one_sample_t_test() -> None:
    from scipy.stats import ttest_1samp

    differences = np.random.default_rng(2).normal(0.5, 1.0, 12)
    assert paired_p(differences) == pytest.approx(ttest_1samp(differences, 0.0).pvalue)
    assert paired_p(np.zeros(5)) == 1.0
    assert paired_p(np.full(5, 0.25)) == 0.0
    assert np.isnan(paired_p(np.array([0.1])))


def test_pairing_on_common_random_numbers_narrows_the_difference() -> None:
    random = np.random.default_rng(9)
    world = random.normal(0, 0.3, 20)
    first, second = 1.0 + world + random.normal(0, 0.05, 20), world + random.normal(0, 0.05, 20)
    found = paired_differences({"b": dict(enumerate(second)), "a": dict(enumerate(first))})[0]
    independent = np.sqrt(first.var(ddof=1) / 20 + second.var(ddof=1) / 20)
    assert (found.first, found.second) == ("a", "b")
    assert found.interval.low < 1.0 < found.interval.high
    assert found.interval.high - found.interval.mean < independent
    assert found.p_holm < 1e-6


def test_differences_pair_replications_by_number() -> None:
    values = {"a": {0: 0.5, 1: 0.7, 2: 0.9}, "b": {1: 0.6, 2: 0.7, 5: 0.0}}
    (found,) = paired_differences(values)
    assert found.interval.mean == pytest.approx(0.15)


def test_every_pair_is_compared_and_the_same_policy_twice_does_not_differ() -> None:
    values = {name: dict(enumerate([0.5, 0.6, 0.7])) for name in "abcd"}
    found = paired_differences(values)
    assert len(found) == 6
    assert all(each.p_holm == 1.0 and each.interval.mean == 0.0 for each in found)
