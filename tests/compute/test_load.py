"""A co-running load: the speed that is left, whose integral is work in seconds."""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import pytest

from edgesim.compute.build import build_speed
from edgesim.errors import InputError
from edgesim.network.rate import pieces
from edgesim.scenario.loads import ConstantLoad, OnOffLoad, TraceLoad

ON_OFF = OnOffLoad(process="on_off", speed=0.4, on_mean_s=1.0, off_mean_s=2.0)
UNTIL_S, PATHS = 200.0, 300


def trace(folder: Path, text: str = "time_s,speed\n0,1\n4,0.5\n6,0.25\n") -> TraceLoad:
    (folder / "load.csv").write_text(text)
    return TraceLoad(process="trace", file=folder / "load.csv", offset="none")


def statistics(spec: OnOffLoad) -> dict[str, np.ndarray]:
    """By path: share of the time with load, loads that began a second, mean speed."""
    shares, begins, speeds = [], [], []
    for number in range(PATHS):
        edges_s, found = pieces(build_speed(spec, 5, "load", f"node-{number}"), 0.0, UNTIL_S)
        loaded = np.array(found) < 1
        lengths_s = np.diff(edges_s)
        shares.append(lengths_s[loaded].sum() / UNTIL_S)
        begins.append((loaded[1:] & ~loaded[:-1]).sum() / UNTIL_S)
        speeds.append((lengths_s * found).sum() / UNTIL_S)
    return {"share": np.array(shares), "begins": np.array(begins), "speed": np.array(speeds)}


@pytest.fixture(scope="module")
def found() -> dict[str, np.ndarray]:
    return statistics(ON_OFF)


def z_scores(found: dict[str, np.ndarray], on_s: float, off_s: float, speed: float) -> list[float]:
    share = on_s / (on_s + off_s)
    expected = {"share": share, "begins": 1 / (on_s + off_s), "speed": 1 - share * (1 - speed)}
    return [
        (values.mean() - expected[name]) / (values.std(ddof=1) / math.sqrt(PATHS)) for name, values in found.items()
    ]


def test_share_of_time_number_and_depth_of_loads(found: dict[str, np.ndarray]) -> None:
    assert max(map(abs, z_scores(found, 1.0, 2.0, 0.4))) < 3.3


@pytest.mark.parametrize("wrong", [(1.05, 2.0, 0.4), (1.0, 2.1, 0.4), (1.05, 2.1, 0.4), (1.0, 2.0, 0.42)])
def test_five_percent_off_is_seen(found: dict[str, np.ndarray], wrong: tuple[float, float, float]) -> None:
    assert max(map(abs, z_scores(found, *wrong))) > 3.3


def test_work_ends_where_the_integral_of_the_speed_is_reached(tmp_path: Path) -> None:
    draws = random.Random(2)
    for spec in (ConstantLoad(process="constant", speed=0.3), ON_OFF, trace(tmp_path)):
        speed = build_speed(spec, 5, "load", "camera-0")
        for _ in range(300):
            start_s, work_s = draws.uniform(0, 100), 10 ** draws.uniform(-4, 1.5)
            finish_s = speed.finish(start_s, work_s)
            assert speed.integral(start_s, finish_s) == pytest.approx(work_s, rel=1e-9, abs=1e-12)
            assert finish_s - start_s >= work_s - 1e-9


def test_worked_examples(tmp_path: Path) -> None:
    assert build_speed(ConstantLoad(process="constant", speed=0.5), 1).finish(3.0, 2.0) == pytest.approx(7.0)
    speed = build_speed(trace(tmp_path), 1)
    assert speed.finish(3.0, 2.25) == pytest.approx(7.0)  # 1 s at full speed, 2 s at a half, 1 s at a quarter
    assert speed.finish(7.0, 1.25) == pytest.approx(9.0)  # 1 s at a quarter, then the file from its start


def test_loads_are_keyed_by_node() -> None:
    first, second, again = (build_speed(ON_OFF, 5, "load", name).chunk(3) for name in ("a", "b", "a"))
    assert first == again != second


@pytest.mark.parametrize("value", ["0", "1.5"])
def test_a_speed_outside_its_range_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(InputError, match="load.csv: every speed must be above 0 and at most 1"):
        build_speed(trace(tmp_path, f"time_s,speed\n0,1\n1,{value}\n"), 1)
