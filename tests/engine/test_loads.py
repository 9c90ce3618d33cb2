"""What else runs on a node: its requests take as much longer as the speed of the moment says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from little_worlds import at_times, device, linked, run, toy, world

ON_OFF = {"process": "on_off", "speed": 0.4, "on_mean_s": 1.0, "off_mean_s": 2.0}
SPLIT = {"type": "fixed_cut", "cut": 1, "codec": "int8"}


def loaded(folder: Path, load: Any, times: list[float], **changes: Any) -> Any:
    """One device and one server; each takes 100 ms without a load."""
    cam = linked(arrivals=at_times(folder, times), processor={"load": load})
    model = toy([100, 100], exits=[1, 2], accuracy=[0.6, 0.8])
    parts = {"models": {"toy": model}, "devices": {"cam": cam}, "policies": {"p": SPLIT}}
    return world(folder=folder, **{**parts, **changes})


def test_the_speed_that_is_left_divides_every_time_on_its_node_alone(tmp_path: Path) -> None:
    found = run(loaded(tmp_path, {"process": "constant", "speed": 0.8}, [1.0, 2.0])).requests
    assert found.device_compute_s.tolist() == pytest.approx([0.125, 0.125])
    assert found.server_s.tolist() == pytest.approx([0.1, 0.1])


def test_a_load_on_a_server(tmp_path: Path) -> None:
    servers = {"edge": {"processor": {"factor": 2, "load": {"process": "constant", "speed": 0.8}}}}
    found = run(loaded(tmp_path, None, [1.0, 2.0], servers=servers)).requests
    assert found.device_compute_s.tolist() == pytest.approx([0.1, 0.1])
    assert found.server_s.tolist() == pytest.approx([0.25, 0.25])


def test_a_load_and_an_event_multiply(tmp_path: Path) -> None:
    """A request keeps the speed that it meets, also where it changes meanwhile."""
    (tmp_path / "load.csv").write_text("time_s,speed\n0,1\n2,0.5\n3.05,0.25\n4,1\n")
    load = {"process": "trace", "file": "load.csv", "offset": "none", "ends": "hold"}
    slow = {"what": "slow", "node": "cam", "factor": 3, "at_s": 2.5}
    found = run(loaded(tmp_path, load, [1.0, 2.0, 3.0, 3.5, 5.0], events={"slow": slow})).requests
    assert found.device_compute_s.tolist() == pytest.approx([0.1, 0.2, 0.6, 1.2, 0.3])


@pytest.fixture(scope="module")
def slowdowns() -> np.ndarray:
    """By replication, how many times as long requests take as without the load, at times that know nothing of it."""
    cam = device(5, processor={"load": ON_OFF})
    local = {"type": "device_only"}
    scenario = world(models={"toy": toy([1])}, devices={"cam": cam}, policies={"p": local}, duration_s=1500)
    means = [run(scenario, replication=number).requests.device_compute_s.mean() for number in range(8)]
    return np.array(means) / 1e-3


def z_score(slowdowns: np.ndarray, share: float, speed: float) -> float:
    expected = share / speed + 1 - share
    return abs(slowdowns.mean() - expected) / (slowdowns.std(ddof=1) / len(slowdowns) ** 0.5)


def test_a_random_load_slows_down_by_the_mean_of_the_inverse_speed(slowdowns: np.ndarray) -> None:
    assert z_score(slowdowns, 1 / 3, 0.4) < 3.3


@pytest.mark.parametrize(("share", "speed"), [(1 / 3 * 1.15, 0.4), (1 / 3, 0.36), (1 / 3, 1.0)])
def test_another_load_is_seen(slowdowns: np.ndarray, share: float, speed: float) -> None:
    """The mean slow-down moves by 5 %, or is that of no load."""
    assert z_score(slowdowns, share, speed) > 3.3


def test_each_node_has_a_load_of_its_own_and_no_policy_moves_it() -> None:
    def compute_s(policy: Any) -> dict[str, np.ndarray]:
        cam = linked(5, count=2, processor={"load": ON_OFF})
        model = toy([1, 1], exits=[1, 2], accuracy=[0.6, 0.8])
        rows = run(world(models={"toy": model}, devices={"cam": cam}, policies={"p": policy})).requests
        return {str(name): each.device_compute_s.to_numpy() for name, each in rows.groupby("device")}

    split, whole = compute_s(SPLIT), compute_s({"type": "device_only"})
    for name in ("cam-0", "cam-1"):
        assert whole[name] == pytest.approx(2 * split[name])
        assert len(set(split[name].round(9))) == 2
    first, second = (split[name].round(9)[:40] for name in ("cam-0", "cam-1"))
    assert first.tolist() != second.tolist()
