"""What is booked ahead of its time comes out as it does event by event."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
from little_worlds import (
    EXPONENTIAL,
    Loaded,
    Tables,
    assets_of,
    at_times,
    link,
    linked,
    look_at_everything,
    run,
    toy,
    world,
)

from edgesim.scenario.scenario import Scenario

STRAIGHT: list[dict[str, Any]] = [
    {"type": "device_only"},
    {"type": "server_only", "codec": "png"},
    {"type": "fixed_cut", "cut": 1, "codec": "int8"},
    {"type": "thresholds", "threshold": 0.8, "cut": 2},
    {"type": "little_policies:Carrying", "options": {"cut": 1, "codec": "int8"}},
]
OTHERS: list[dict[str, Any]] = [
    {"type": "anytime", "cut": 1},
    {"type": "exits_then_image", "exits": [0]},
    {"type": "random"},
    {"type": "neurosurgeon"},
    {"type": "little_policies:HedgeThenCancel"},
    {"type": "little_policies:SendThenCancel"},
    {"type": "little_policies:SendToBoth"},
]
AR1 = {"process": "ar1", "mean_mbps": 3, "cv": 0.6, "correlation_1s": 0.7}
STEPS = {"process": "steps", "steps": [[0, 4], [0.7, 0.3], [1.1, 0.05], [1.3, 8]], "ends": "loop"}
DYING = {"process": "steps", "steps": [[0, 4], [3, 0]], "ends": "hold"}
DECISIONS = {name: [1e-3, 2e-3, 4e-3] for name in ("user", "fixed_cut", "anytime", "thresholds")}


def some_world(seed: int, folder: Path) -> Scenario:
    """Anything that the engine knows, in any mixture: loads from light to far too much, bursts, runs that end early.

    No two devices do anything at one instant: who comes first then is nobody's rule.
    """
    draw = Random(seed)

    def often(usual: Any, other: Any) -> Any:
        return usual if draw.random() < 0.8 else other

    def bursts() -> dict[str, Any]:
        return at_times(folder, sorted([4 * draw.random() for _ in range(20)] * 3))

    def devices() -> dict[str, Any]:
        alone = draw.random() < 0.3
        return linked(
            draw.choice([3, 10, 40]),
            count=1 if alone else draw.choice([1, 3]),
            link=often(draw.choice(["l", "wide", "slow"]), "c"),
            server=draw.choice(["edge", "edge", "other"]),
            deadline={"distribution": "uniform", "low_ms": 10, "high_ms": 150},
            after_deadline=draw.choice(["continue", "abort"]),
            queue={"bound": draw.choice([None, 2]), "order": draw.choice(["fifo", "newest", "drop_oldest"])},
            power={"idle_w": 1, "compute_w": 3, "send_w": 0.5, "receive_w": 0.25},
            **often({}, {"processor": {"factor": 30}}),
            **({"arrivals": bursts()} if alone else {}),
        )

    def server() -> dict[str, Any]:
        return {
            **draw.choice([{}, {}, {"processor": {"factor": 0.1}}, {"processor": {"factor": 5}}]),
            "result_bytes": draw.choice([1, 500]),
            "workers": often(1, 2),
            "batch": often({"max_size": 1}, {"max_size": 3, "max_wait_ms": 5}),
            "after_deadline": often("continue", "abort"),
        }

    blocks = draw.choice([[2.0, 3.0, EXPONENTIAL], [0.0, 0.0, 0.0], [EXPONENTIAL, 0.0, 1.0]])
    accuracy = [0.5, 0.7, 0.9]
    return world(
        folder=folder,
        seed=seed,
        models={"toy": toy(blocks, exits=[1, 2, 3], accuracy=accuracy, state_bytes=[2000, 1500, 500])},
        devices={"a": devices(), "b": devices()},
        links={
            "l": link(draw.choice([AR1, STEPS, DYING]), draw.choice([AR1, DYING, 5]), delay_ms=draw.choice([0, 4])),
            "wide": link(),
            "slow": link(0.3, 0.02, delay_ms=20, headers="tcp"),
            "c": link(AR1, 5, delay_ms=2, sharing="cell"),
        },
        servers={"edge": server(), "other": server()},
        policies={"p": draw.choice(STRAIGHT) if draw.random() < 0.7 else draw.choice(OTHERS)},
        duration_s=4,
        warmup_s=0.5,
        drain_s=draw.choice([0.0, 0.02, 1e4]),
    )


def test_a_request_that_goes_straight_is_two_events() -> None:
    scenario = world(policies={"p": {"type": "fixed_cut", "cut": 1, "codec": "int8"}}, models={"toy": toy([1, 2])})
    ahead, plain = run(scenario), run(scenario, prepare=look_at_everything)
    events = [next(tables.world.clock._eid) for tables in (ahead, plain)]  # type: ignore[attr-defined]
    assert events[0] < 2.2 * len(ahead.requests) < 4 * len(plain.requests) < events[1], "few find the device busy"


@pytest.mark.parametrize(("count", "waiting"), [(1, 1), (2, 4)])
def test_who_comes_as_a_service_ends_still_waits(tmp_path: Path, count: int, waiting: int) -> None:
    """Devices that do the same; each transfer and each service takes 8 ms."""
    scenario = world(
        folder=tmp_path,
        models={"toy": toy([0.0, 8.0])},
        devices={"cam": linked(arrivals=at_times(tmp_path, [1.0, 1.0, 1.0]), count=count)},
        links={"l": link(1)},
        policies={"p": {"type": "fixed_cut", "cut": 1, "codec": "int8"}},
    )
    ahead, plain = run(scenario), run(scenario, prepare=look_at_everything)
    assert ahead.world.servers["edge"].serves_ahead
    assert ahead.node("edge").queue_max == plain.node("edge").queue_max == waiting
    assert sorted(ahead.requests.server_wait_s) == sorted(plain.requests.server_wait_s)


@pytest.mark.parametrize("drain_s", [0.0, 0.5])
def test_a_run_that_ends_within_a_service(drain_s: float) -> None:
    """The server takes 0.3 s for each; when the run is over it has one in service, and others wait or have not come."""
    changes: dict[str, Any] = {"models": {"toy": toy([1.0, 300.0])}, "duration_s": 2, "drain_s": drain_s}
    policies = {"p": {"type": "fixed_cut", "cut": 1, "codec": "int8"}}
    scenario = world(devices={"cam": linked(10, link="l")}, links={"l": link(0.5)}, policies=policies, **changes)
    ahead, plain = run(scenario), run(scenario, prepare=look_at_everything)
    assert 0 < (ahead.requests.server_wait_s > 0).sum() < (ahead.requests.end == "unfinished").sum()
    pd.testing.assert_frame_equal(rows(ahead), rows(plain), check_exact=True)
    pd.testing.assert_frame_equal(ahead.links, plain.links, rtol=1e-11)
    pd.testing.assert_frame_equal(ahead.nodes, plain.nodes, rtol=1e-11)


def rows(tables: Tables) -> pd.DataFrame:
    return tables.requests.sort_values(["device", "number"], ignore_index=True)


def answers(tables: Tables) -> pd.DataFrame:
    by = ["device", "number", "time_s", "depth"]
    return tables.answers.sort_values(by, ignore_index=True)


@pytest.mark.parametrize("seed", range(100))
def test_the_same_as_event_by_event(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesim.engine.express.ROW_GROUP", 50)
    scenario = some_world(seed, tmp_path)
    model = scenario.models["toy"]
    assets = assets_of(scenario, {"toy": Loaded(model)} if seed % 2 else None, decision_s=DECISIONS)  # type: ignore[arg-type]
    ahead, plain = run(scenario, assets), run(scenario, assets, prepare=look_at_everything)
    assert len(ahead.requests) > 10
    pd.testing.assert_frame_equal(rows(ahead), rows(plain), check_exact=True)
    pd.testing.assert_frame_equal(answers(ahead), answers(plain), check_exact=True)
    for summed, one_by_one in ((ahead.links, plain.links), (ahead.nodes, plain.nodes)):  # in another order
        pd.testing.assert_frame_equal(summed, one_by_one, rtol=1e-11, atol=1e-12)
