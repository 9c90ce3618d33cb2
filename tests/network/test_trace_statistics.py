"""Statistics of recorded rates: by hand, and as published rows of real traces say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from edgesim.network.rate import binned
from edgesim.network.trace_statistics import bin_s_of, correlation, rate_statistics
from edgesim.network.traces.base import Reading
from edgesim.network.traces.formats import read_trace

TRACES = Path(__file__).resolve().parents[3] / "shared" / "traces"

ROWS = [
    # file, carrier, mean Mb/s, CV, autocorrelation at 1 s, outage share, mean outage s
    ("nyu-mets/7Train1.csv", None, 6.81, 0.81, 0.88, 0.011, 1.4),
    ("nyu-mets/Long_Island_Rail_Road.csv", None, 4.29, 0.91, 0.83, 0.103, 2.7),
    ("nyu-mets/QTrain.csv", None, 8.50, 0.75, 0.92, 0.069, 3.4),
    ("nyu-mets/bus57.csv", None, 7.21, 0.59, 0.89, 0.012, 2.0),
    ("nyu-mets/bus62.csv", None, 2.64, 0.46, 0.78, 0.020, 3.0),
    ("sabre-4g/report_bicycle_0001.json", None, 31.5, 0.38, 0.77, 0, math.nan),
    ("5gophers/03-User-Mobility_walking-trace.csv", None, 333, 0.82, 0.93, 0.008, 1.2),
    ("5gophers/03-User-Mobility_car-driving-trace-1.csv", "Sprint", 265, 0.39, 0.87, 0, math.nan),
    ("5gophers/03-User-Mobility_car-driving-trace-1.csv", "TMobile", 97, 0.86, 0.86, 0.15, 9.0),
    ("5gophers/03-User-Mobility_car-driving-trace-1.csv", "Verizon", 275, 1.73, 0.97, 0.025, 1.0),
]


def test_by_hand() -> None:
    found = rate_statistics(np.array([4e6, 4e6, 0, 0, 4e6, 0.05e6, 8e6, 8e6]), 0.5)
    assert found.mean_bps == pytest.approx(28.05e6 / 8)
    assert found.outage_share == 3 / 8 and found.outage_mean_s == 0.75
    assert found.quantiles_bps[2] == 4e6
    changes = np.array([1.0, 3, 1, 3, 1, 3, 1, 3])
    assert [correlation(changes, lag) for lag in (1, 2)] == [-1, 1]
    assert rate_statistics(changes * 1e6, 1.0).cv == 0.5


def test_an_outage_is_below_a_share_of_the_median_where_that_is_more() -> None:
    assert rate_statistics(np.array([100e6, 100e6, 1.9e6, 2.1e6, 100e6]), 1.0).outage_share == 0.2


def test_what_cannot_be_known_is_not_a_number() -> None:
    assert math.isnan(rate_statistics(np.full(100, 7e6), 1.0).correlation_1s)
    assert math.isnan(rate_statistics(np.array([1e6, 2e6, 4e6]), 3.0).correlation_1s), "bins coarser than the lag"
    found = rate_statistics(np.array([1e6, 2e6, 4e6]), 1.0)
    assert math.isnan(found.correlation_5s) and math.isnan(found.outage_mean_s)


@pytest.mark.skipif(not TRACES.is_dir(), reason="no real traces beside the project")
@pytest.mark.parametrize(("file", "carrier", "mean", "cv", "correlation_1s", "share", "length_s"), ROWS)
def test_rows_of_real_traces(
    file: str, carrier: str | None, mean: float, cv: float, correlation_1s: float, share: float, length_s: float
) -> None:
    """Within their rounding; autocorrelations of short traces depend on the estimator by a little more."""
    trace = read_trace(TRACES / file, Reading(where=(("carrier", carrier),) if carrier else ()))
    found = rate_statistics(binned(trace.table(1.0), bin_s_of(trace, 1.0)), bin_s_of(trace, 1.0))
    assert found.mean_bps / 1e6 == pytest.approx(mean, rel=0.004)
    assert found.cv == pytest.approx(cv, abs=0.0075)
    assert found.correlation_1s == pytest.approx(correlation_1s, abs=0.0075)
    assert found.outage_share == pytest.approx(share, abs=6e-4)
    assert found.outage_mean_s == pytest.approx(length_s, abs=0.051, nan_ok=True)
