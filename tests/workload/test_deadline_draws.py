"""Deadlines, and what the axis does to them (rule 3)."""

from __future__ import annotations

from itertools import islice
from math import inf
from typing import Any

import numpy as np
import pytest

from edgesim.scenario.deadlines import ExponentialDeadline, FixedDeadline, UniformDeadline
from edgesim.workload.deadlines import deadlines, mean_deadline_s

FIXED = FixedDeadline(distribution="fixed", ms=150.0)
UNIFORM = UniformDeadline(distribution="uniform", low_ms=40.0, high_ms=160.0)
EXPONENTIAL = ExponentialDeadline(distribution="exponential", mean_ms=100.0)


def drawn(spec: Any, axis_ms: float | None = None, count: int = 20_000, device: str = "cam-0") -> np.ndarray:
    return np.array(list(islice(deadlines(spec, axis_ms, 1, device), count)))


def test_without_a_deadline_none_strikes_unless_the_axis_says_so() -> None:
    assert set(drawn(None, count=9)) == {inf} and mean_deadline_s(None, None) == inf
    assert set(drawn(None, 80.0, count=9)) == {0.08}


def test_fixed() -> None:
    assert set(drawn(FIXED, count=9)) == {0.15}
    assert set(drawn(FIXED, 30.0, count=9)) == {0.03}


@pytest.mark.parametrize(("spec", "deviation_s"), [(UNIFORM, 0.12 / np.sqrt(12)), (EXPONENTIAL, 0.1)])
def test_drawn_ones_have_their_distribution(spec: Any, deviation_s: float) -> None:
    values = drawn(spec)
    assert mean_deadline_s(spec, None) == pytest.approx(0.1)
    assert abs(values.mean() - 0.1) < 3.3 * deviation_s / np.sqrt(len(values))
    assert values.std() == pytest.approx(deviation_s, rel=0.03)
    assert abs(1.05 * values.mean() - 0.1) > 3.3 * deviation_s / np.sqrt(len(values))


@pytest.mark.parametrize("spec", [UNIFORM, EXPONENTIAL])
def test_the_axis_scales_every_drawn_deadline(spec: Any) -> None:
    assert drawn(spec, 250.0, 500) == pytest.approx(2.5 * drawn(spec, None, 500), rel=1e-12)
    assert mean_deadline_s(spec, 250.0) == 0.25


def test_devices_draw_their_own() -> None:
    assert not set(drawn(UNIFORM, count=100)) & set(drawn(UNIFORM, count=100, device="cam-1"))
