"""Arrivals: Poisson, periodic and from a file."""

from __future__ import annotations

from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesim.errors import InputError
from edgesim.scenario.arrivals import PeriodicArrivals, PoissonArrivals, TraceArrivals
from edgesim.workload.arrival_trace import read_arrival_trace
from edgesim.workload.arrivals import arrival_times


def times(spec: Any, count: int, device: str = "cam-0", root: int = 1) -> np.ndarray:
    return np.array(list(islice(arrival_times(spec, root, device), count)))


def from_file(path: Path, text: str) -> TraceArrivals:
    path.write_text(text)
    return TraceArrivals.model_construct(process="trace", file=path)


def poisson_z(rate_hz: float, stated_hz: float) -> tuple[float, float]:
    """z of the mean gap and of the variance of counts in 1 s, under the stated rate."""
    drawn = times(PoissonArrivals(process="poisson", rate_hz=rate_hz), 40_000)
    gaps = np.diff(drawn, prepend=0.0)
    mean_z = (gaps.mean() * stated_hz - 1) * np.sqrt(len(gaps))
    counts = np.histogram(drawn, np.arange(0, drawn[-1], 1.0))[0]
    dispersion_z = (counts.var(ddof=1) / counts.mean() - 1) * np.sqrt((len(counts) - 1) / 2)
    return mean_z, dispersion_z


def test_poisson_gaps() -> None:
    assert all(abs(z) < 3.3 for z in poisson_z(20.0, 20.0))


def test_a_rate_five_percent_off_is_seen() -> None:
    assert abs(poisson_z(21.0, 20.0)[0]) > 3.3


def test_periodic_arrivals_keep_their_phase() -> None:
    drawn = times(PeriodicArrivals(process="periodic", rate_hz=4.0), 1000)
    assert np.diff(drawn) == pytest.approx(0.25)
    assert 0 <= drawn[0] < 0.25
    other = times(PeriodicArrivals(process="periodic", rate_hz=4.0), 1, "cam-1")
    assert other[0] != drawn[0]


def test_jitter_delays_by_up_to_its_bound_and_keeps_the_order() -> None:
    plain = times(PeriodicArrivals(process="periodic", rate_hz=4.0), 5000)
    drawn = times(PeriodicArrivals(process="periodic", rate_hz=4.0, jitter_ms=250.0), 5000)
    delays = drawn - plain
    assert 0 <= delays.min() < 0.001 and 0.249 < delays.max() < 0.25
    assert abs(delays.mean() - 0.125) < 3.3 * 0.25 / np.sqrt(12 * 5000)
    assert (np.diff(drawn) >= 0).all()


def test_phases_are_uniform_over_devices() -> None:
    spec = PeriodicArrivals(process="periodic", rate_hz=1.0)
    phases = np.array([times(spec, 1, f"cam-{number}")[0] for number in range(2000)])
    assert abs(phases.mean() - 0.5) < 3.3 / np.sqrt(12 * 2000)
    assert phases.min() >= 0 and phases.max() < 1


def test_a_trace_is_read_as_it_stands_and_ends(tmp_path: Path) -> None:
    spec = from_file(tmp_path / "a.csv", "number,time_s\n0,0.0\n1,0.5\n2,0.5\n3,7e1\n")
    assert list(arrival_times(spec, 1, "cam-0")) == [0.0, 0.5, 0.5, 70.0]
    assert list(takewhile(lambda time_s: time_s < 1, arrival_times(spec, 9, "other"))) == [0.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("time\n1.0\n", "line 1"),
        ("time_s\n1.0\n0.5\n", "line 3"),
        ("time_s\n-1\n", "line 2"),
        ("time_s\n1.0\nsoon\n", "line 3"),
        ("time_s\n1.0\nnan\n", "line 3"),
        ("time_s\ninf\n", "line 2"),
        ("time_s\n", "bad.csv"),
        ("", "bad.csv"),
    ],
)
def test_a_bad_trace_names_file_and_line(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_arrival_trace(path)
    assert str(path) in str(caught.value) and line in str(caught.value)
