"""The log-normal AR(1) with outages has the moments it was asked for, at any step."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from edgesim.errors import InputError
from edgesim.network.ar1 import CHUNK_STEPS, Ar1Law, Ar1Moments, Ar1Rate, match
from edgesim.network.presets import PRESETS

LINK = Ar1Moments(10e6, 0.8, 0.6, outage_share=0.2, outage_mean_s=1.5)


def paths(law: Ar1Law, count: int, seconds: float) -> np.ndarray:
    """(count, steps) rates of independent links."""
    chunks = math.ceil(seconds / law.step_s / CHUNK_STEPS)
    links = [Ar1Rate(law, 11, "link", number) for number in range(count)]
    return np.array([np.concatenate([link.chunk(k)[1] for k in range(chunks)]) for link in links])


def z_scores(rates_bps: np.ndarray, moments: Ar1Moments, step_s: float) -> dict[str, float]:
    """How far each statistic of the paths lies from what the moments say, in standard errors over paths.

    All are means over time of something whose expectation is known, so that they have no bias.
    """
    lag = round(1 / step_s)
    second = moments.mean_bps**2 * (1 + moments.cv**2)
    out = rates_bps == 0
    statistics = {
        "mean": (rates_bps, moments.mean_bps),
        "second moment": (rates_bps**2, second),
        "half squared change in 1 s": (
            (rates_bps[:, lag:] - rates_bps[:, :-lag]) ** 2 / 2,
            (moments.mean_bps * moments.cv) ** 2 * (1 - moments.correlation_1s),
        ),
        "share of outage": (out, moments.outage_share),
        "outages a step": (out[:, 1:] & ~out[:, :-1], moments.outage_share * step_s / moments.outage_mean_s),
    }
    scores = {}
    for name, (values, expected) in statistics.items():
        means = values.mean(axis=1)
        error = means.std(ddof=1) / math.sqrt(len(means))
        scores[name] = (means.mean() - expected) / error if error else float(means.mean() != expected)
    return scores


@pytest.fixture(scope="module")
def link_paths() -> np.ndarray:
    return paths(match(LINK, 0.1), 200, 300)


def test_the_moments_are_those_asked_for(link_paths: np.ndarray) -> None:
    scores = z_scores(link_paths, LINK, 0.1)
    assert all(abs(score) < 3.3 for score in scores.values()), scores


@pytest.mark.parametrize("name", ["mean_bps", "cv", "correlation_1s", "outage_share", "outage_mean_s"])
def test_a_moment_five_percent_off_is_seen(link_paths: np.ndarray, name: str) -> None:
    wrong = replace(LINK, **{name: getattr(LINK, name) * 1.05})
    scores = z_scores(link_paths, wrong, 0.1)
    assert any(abs(score) > 3.3 for score in scores.values()), scores


def test_half_the_step_leaves_the_moments() -> None:
    scores = z_scores(paths(match(LINK, 0.05), 150, 200), LINK, 0.05)
    assert all(abs(score) < 3.3 for score in scores.values()), scores


def test_the_logarithm_is_an_exact_ar1_at_any_step() -> None:
    smooth = Ar1Moments(10e6, 0.5, 0.7)
    coarse, fine = match(smooth, 0.1), match(smooth, 0.05)
    assert fine.a**2 == pytest.approx(coarse.a, rel=1e-12)
    assert (fine.mu, fine.sigma) == (coarse.mu, coarse.sigma)
    logs = np.log(paths(coarse, 100, 100))
    noise = logs[:, 1:] - coarse.mu - coarse.a * (logs[:, :-1] - coarse.mu)
    assert noise.std() == pytest.approx(coarse.sigma * math.sqrt(1 - coarse.a**2), rel=0.02)
    assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 3.3 / math.sqrt(noise.size)


@pytest.mark.parametrize("step_s", [0.1, 0.05])
@pytest.mark.parametrize("name", PRESETS)
def test_the_law_of_a_preset_has_the_moments_of_its_row(name: str, step_s: float) -> None:
    """Forwards, from the law's parameters alone."""
    row, law = PRESETS[name].moments, match(PRESETS[name].moments, step_s)
    up, lag = 1 - law.outage_share, round(1 / step_s)
    level, second = math.exp(law.mu + law.sigma**2 / 2), math.exp(2 * law.mu + 2 * law.sigma**2)
    chain = np.linalg.matrix_power(np.array([[1 - law.p_begin, law.p_begin], [law.p_end, 1 - law.p_end]]), lag)
    variance = up * second - (up * level) ** 2
    covariance = up * chain[0, 0] * level**2 * math.exp(law.sigma**2 * law.a**lag) - (up * level) ** 2
    assert up * level == pytest.approx(row.mean_bps, rel=1e-9)
    assert math.sqrt(variance) / row.mean_bps == pytest.approx(row.cv, rel=1e-9)
    assert covariance / variance == pytest.approx(row.correlation_1s, rel=1e-9)
    if row.outage_share:
        assert law.p_begin / (law.p_begin + law.p_end) == pytest.approx(row.outage_share, rel=1e-9)
        assert step_s / law.p_end == pytest.approx(row.outage_mean_s, rel=1e-9)


@pytest.mark.parametrize("step_s", [0.1, 0.05])
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_reproduces_its_row(name: str, step_s: float) -> None:
    """Mean, CV, autocorrelation at 1 s, share of outage and, by how often they begin, the mean length of outages."""
    row = PRESETS[name].moments
    scores = z_scores(paths(match(row, step_s), 40, 250), row, step_s)
    assert all(abs(score) < 3.3 for score in scores.values()), scores


def test_links_are_keyed_apart() -> None:
    law = match(LINK, 0.1)
    assert Ar1Rate(law, 1, "up", "camera-0").chunk(5) == Ar1Rate(law, 1, "up", "camera-0").chunk(5)
    assert Ar1Rate(law, 1, "up", "camera-0").chunk(5) != Ar1Rate(law, 1, "up", "camera-1").chunk(5)
    assert Ar1Rate(law, 2, "up", "camera-0").chunk(5) != Ar1Rate(law, 1, "up", "camera-0").chunk(5)


def test_no_variation_is_a_constant_rate() -> None:
    rates = Ar1Rate(match(Ar1Moments(4e6, 0.0, 0.0), 0.1), 3, "up").chunk(2)[1]
    assert rates == pytest.approx([4e6] * CHUNK_STEPS, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"cv": 0.4}, "cv"),
        ({"correlation_1s": 0.05}, "correlation_1s"),
        ({"correlation_1s": 1.0}, "correlation_1s"),
        ({"outage_mean_s": 0.1}, "step"),
        ({"mean_bps": 0.0}, "mean"),
        ({"mean_bps": math.nan}, "mean"),
        ({"outage_share": 1.0}, "outage_share"),
    ],
)
def test_moments_that_no_process_has_are_refused(change: dict[str, float], word: str) -> None:
    with pytest.raises(InputError, match=word):
        match(replace(LINK, **change), 0.1)
