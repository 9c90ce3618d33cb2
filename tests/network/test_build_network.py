"""From the scenario's words to processes and estimators."""

from __future__ import annotations

import math
from pathlib import Path
from typing import get_args

import pytest
from pydantic import TypeAdapter

from edgesim.errors import InputError
from edgesim.network.build import build_estimator, build_rate, load_trace
from edgesim.network.constant import ConstantRate
from edgesim.network.estimators import EwmaRate, HarmonicRate, LastRate
from edgesim.network.presets import LABEL, PRESETS
from edgesim.network.realised import realised
from edgesim.network.traces.csv_columns import UNITS
from edgesim.network.traces.formats import FORMATS
from edgesim.scenario.estimators import Estimator
from edgesim.scenario.rates import Rate, TraceFormat, TraceUnit

RATES: TypeAdapter[Rate] = TypeAdapter(Rate)
ESTIMATORS: TypeAdapter[Estimator] = TypeAdapter(Estimator)


def rate(root: int = 1, key: str = "camera-0", **spec: object):
    return build_rate(RATES.validate_python(spec), root, "access", key, "up", horizon_s=100.0)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "rail.csv"
    path.write_text("time_s,rate_mbps\n" + "".join(f"{t},{1 + t % 7}\n" for t in range(50)))
    return path


def test_constant() -> None:
    assert isinstance(built := rate(process="constant", rate_mbps=20), ConstantRate)
    assert built.rate_bps == 20e6


def test_steps() -> None:
    looped = rate(process="steps", steps=[[0, 5], [10, 1]], ends="loop")
    held = rate(process="steps", steps=[[0, 5], [10, 1]])
    assert [looped.rate(t) for t in (3, 13, 23)] == [5e6, 1e6, 5e6]
    assert [held.rate(t) for t in (3, 13, 23)] == [5e6, 1e6, 1e6]


def test_a_trace_is_scaled_and_starts_at_an_offset_of_device_and_seed(csv: Path) -> None:
    spec = {"process": "trace", "file": str(csv), "scale": 0.5}
    assert rate(**spec, offset="none").rate(0) == 5e5
    starts = [rate(**spec, key=f"camera-{n}").chunk(0)[0][0] for n in range(20)]
    assert len(set(starts)) == 20 and all(-50 < start <= 0 for start in starts)
    assert rate(**spec, key="camera-3").chunk(0)[0][0] == starts[3] != rate(2, **spec, key="camera-3").chunk(0)[0][0]


def test_devices_share_the_table_of_a_trace(csv: Path) -> None:
    first, second = (rate(process="trace", file=str(csv), key=f"camera-{n}") for n in range(2))
    assert first._first is second._first


def test_a_changed_trace_file_is_read_again(csv: Path) -> None:
    spec = RATES.validate_python({"process": "trace", "file": str(csv)})
    assert load_trace(spec) is load_trace(spec)
    assert load_trace(spec).duration_s == 50
    csv.write_text("time_s,rate_mbps\n0,1\n1,2\n")
    assert load_trace(spec).duration_s == 2


def test_a_trace_is_read_as_the_scenario_says(csv: Path) -> None:
    csv.write_text("time_ms,cell,kbit\n0,a,1000\n0,b,2000\n500,a,3000\n500,b,4000\n")
    columns = {"time_column": "time_ms", "rate_column": "kbit", "unit": "kbps", "where": {"cell": "b"}}
    built = rate(process="trace", file=str(csv), offset="none", format="csv", **columns)
    assert [built.rate(t) for t in (0, 0.5)] == [2e6, 4e6]
    spec = {"process": "trace", "file": str(csv), **columns}
    assert load_trace(RATES.validate_python(spec)).direction == "unknown"
    assert load_trace(RATES.validate_python({**spec, "direction": "up"})).direction == "up"


def test_the_schema_names_the_formats_and_units_there_are() -> None:
    assert set(get_args(TraceFormat)) == FORMATS.keys() and set(get_args(TraceUnit)) == UNITS.keys()


def test_a_missing_trace_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone.csv"):
        rate(process="trace", file=str(tmp_path / "gone.csv"))


def test_ar1_by_preset_and_by_moments() -> None:
    row = PRESETS["lte-rail"].moments
    moments = {"mean_mbps": row.mean_bps / 1e6, "cv": row.cv, "correlation_1s": row.correlation_1s}
    outages = {"outage_share": row.outage_share, "outage_mean_s": row.outage_mean_s}
    assert rate(process="ar1", preset="lte-rail").chunk(3) == rate(process="ar1", **moments, **outages).chunk(3)
    assert rate(process="ar1", **moments).integral(0, 100) > 0
    coarse = rate(process="ar1", preset="lte-rail", step_ms=500).chunk(0)[0]
    assert coarse[1] - coarse[0] == 0.5


def test_markov_by_matrix_generator_and_file(csv: Path) -> None:
    states = {"process": "markov", "states_mbps": [1, 9]}
    stepped = rate(**states, matrix=[[0.9, 0.1], [0.2, 0.8]], step_ms=500)
    assert stepped.chunk(0)[0][1] == 0.5 and set(stepped.chunk(0)[1]) == {1e6, 9e6}
    assert set(rate(**states, generator_hz=[[-1, 1], [2, -2]]).chunk(0)[1]) == {1e6, 9e6}
    fitted = rate(process="markov", file=str(csv), states=7)
    assert set(fitted.chunk(0)[1]) <= {1e6 * mbps for mbps in range(1, 8)} and fitted.chunk(0)[0][1] == 1.0
    halves = rate(process="markov", file=str(csv), states=7, step_ms=2000)
    assert halves.chunk(0)[0][1] == 2.0 and 1.5e6 in halves.chunk(0)[1]


def test_gilbert_elliott_by_probabilities_and_by_mean_lengths() -> None:
    two = {"process": "gilbert_elliott", "good_mbps": 9, "bad_mbps": 1}
    stepped = rate(**two, p=0.02, r=0.2, step_ms=100)
    timed = rate(**two, good_mean_s=5, bad_mean_s=0.5)
    mean_bps = (9e6 * 10 + 1e6) / 11
    for built in (stepped, timed):
        assert built.integral(0, 20_000) / 20_000 == pytest.approx(mean_bps, rel=0.01)
    assert stepped.chunk(0)[0][1] == 0.1
    assert set(rate(process="gilbert_elliott", good_mbps=9, good_mean_s=1, bad_mean_s=1).chunk(0)[1]) == {0.0, 9e6}


def test_a_random_walk_keeps_within_its_bounds() -> None:
    rates = rate(process="random_walk", low_mbps=2, high_mbps=8, change_mbps=3).chunk(4)[1]
    assert 2e6 <= min(rates) < max(rates) <= 8e6


def test_a_season_is_another_rate_times_a_factor() -> None:
    plain = {"process": "ar1", "preset": "lte-rail"}
    seasonal = rate(process="seasonal", of=plain, amplitude=0.5, period_s=100, peak_s=25)
    for time_s in (3.0, 25.0, 75.0):
        factor = 1 + 0.5 * math.cos(2 * math.pi * (time_s - 25) / 100)
        assert seasonal.rate(time_s) == pytest.approx(rate(**plain).rate(time_s) * factor, rel=0.02)


def test_any_rate_can_be_warped(csv: Path) -> None:
    for spec in (
        {"process": "ar1", "preset": "lte-rail"},
        {"process": "trace", "file": str(csv)},
        {"process": "steps", "steps": [[0, 5], [10, 1], [20, 3]], "ends": "loop"},
        {"process": "markov", "states_mbps": [1, 3, 9], "generator_hz": [[-2, 1, 1], [1, -2, 1], [1, 1, -2]]},
        {"process": "random_walk", "high_mbps": 9, "change_mbps": 1},
        {"process": "seasonal", "of": {"process": "constant", "rate_mbps": 5}, "amplitude": 0.5, "period_s": 50},
    ):
        plain, varied = rate(**spec), rate(**spec, warp={"cv_factor": 1.2})
        assert realised(varied, 100).cv() == pytest.approx(1.2 * realised(plain, 100).cv(), rel=1e-6), spec
        assert varied.integral(0, 100) == pytest.approx(plain.integral(0, 100), rel=1e-7)


def test_a_constant_rate_has_nothing_to_spread() -> None:
    with pytest.raises(InputError, match="takes 1 different rates, which allow at most 0"):
        rate(process="constant", rate_mbps=5, warp={"cv": 0.5})


def test_an_unknown_preset_is_bad_input() -> None:
    with pytest.raises(InputError, match=r"no preset 'lte-rial'; there are .*lte-rail"):
        rate(process="ar1", preset="lte-rial")


def test_presets_say_where_they_are_from() -> None:
    assert LABEL == "synthetic, moment-matched"
    assert all(preset.source and preset.direction in ("up", "down", "unknown") for preset in PRESETS.values())


@pytest.mark.parametrize(
    ("spec", "kind"),
    [({"type": "last"}, LastRate), ({"type": "ewma", "alpha": 0.3}, EwmaRate), ({"type": "harmonic"}, HarmonicRate)],
)
def test_estimators(spec: dict, kind: type) -> None:
    estimator = build_estimator(ESTIMATORS.validate_python(spec), 5e6)
    assert isinstance(estimator, kind) and estimator.rate_bps == 5e6
