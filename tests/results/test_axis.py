from __future__ import annotations

import numpy as np
import pytest

from edgesim.results.axis import DeadlineAxis, device_class, mean_deadline_s
from edgesim.results.tables import Names


def test_means_of_every_distribution() -> None:
    assert mean_deadline_s({"distribution": "fixed", "ms": 150}) == 0.15
    assert mean_deadline_s({"distribution": "exponential", "mean_ms": 80}) == 0.08
    assert mean_deadline_s({"distribution": "uniform", "low_ms": 100, "high_ms": 300}) == pytest.approx(0.2)
    assert mean_deadline_s(None) == np.inf


def test_a_class_keeps_its_name_with_hyphens() -> None:
    assert device_class("front-camera-12") == "front-camera"


def test_relative_deadlines_are_one_on_average_and_exact_where_fixed() -> None:
    axis = DeadlineAxis((50.0,), {"camera": 0.1, "phone": 0.2, "tag": np.inf})
    devices = Names(np.array([0, 1, 1, 2]), ("camera-0", "phone-0", "tag-0"))
    assert axis.relative(devices, np.array([0.1, 0.1, 0.4, np.inf])).tolist() == [1.0, 0.5, 2.0, 1.0]


def test_the_nearest_deadline_is_nearest_as_a_ratio() -> None:
    assert DeadlineAxis((10.0, 100.0, 1000.0), {"camera": 0.4}).nearest_ms() == 1000.0
    assert DeadlineAxis((10.0, 100.0, 1000.0), {"camera": 0.3}).nearest_ms() == 100.0
    assert DeadlineAxis((10.0, 100.0, 1000.0), {"camera": np.inf}).nearest_ms() == 100.0
    assert DeadlineAxis((), {"camera": 0.3}).nearest_ms() is None
