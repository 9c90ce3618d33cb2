"""What is booked ahead of its time comes out as it does event by event."""

from __future__ import annotations

from random import Random
from typing import Any

import pandas as pd
import pytest
from little_worlds import EXPONENTIAL, Loaded, Tables, assets_of, link, linked, run, toy, world

from edgesim.engine.world import World
from edgesim.scenario.scenario import Scenario

POLICIES: list[dict[str, Any]] = [
    {"type": "device_only"},
    {"type": "server_only", "codec": "png"},
    {"type": "fixed_cut", "cut": 1, "codec": "int8"},
    {"type": "thresholds", "threshold": 0.8, "cut": 2},
    {"type": "anytime", "cut": 1},
    {"type": "exits_then_image", "exits": [0]},
    {"type": "random"},
    {"type": "neurosurgeon"},
    {"type": "little_policies:HedgeThenCancel"},
]
AR1 = {"process": "ar1", "mean_mbps": 3, "cv": 0.6, "correlation_1s": 0.7}
STEPS = {"process": "steps", "steps": [[0, 4], [0.7, 0.3], [1.1, 0], [1.3, 8]], "ends": "loop"}


def some_world(seed: int) -> Scenario:
    """Anything that the engine knows, in any mixture; loads from light to far too much, and a short drain."""
    draw = Random(seed)

    def devices() -> dict[str, Any]:
        return linked(
            draw.choice([3, 10, 40]),
            count=draw.choice([1, 3]),
            link=draw.choice(["l", "l", "slow", "c"]) if seed % 3 else draw.choice(["l", "slow"]),
            server=draw.choice(["edge", "edge", "other"]),
            deadline={"distribution": "uniform", "low_ms": 10, "high_ms": 150},
            after_deadline=draw.choice(["continue", "abort"]),
            queue={"bound": draw.choice([None, 2]), "order": draw.choice(["fifo", "newest", "drop_oldest"])},
            power={"idle_w": 1, "compute_w": 3, "send_w": 0.5, "receive_w": 0.25},
        )

    def server() -> dict[str, Any]:
        quick = {"processor": {"factor": draw.choice([0.1, 0.5, 2.0])}, "result_bytes": draw.choice([1, 500])}
        if seed % 4:
            return quick
        batch = draw.choice([{"max_size": 1}, {"max_size": 3, "max_wait_ms": 5}])
        return {**quick, "workers": draw.choice([1, 2]), "batch": batch, "after_deadline": draw.choice(AFTER)}

    blocks = [draw.choice([0.0, 3.0, EXPONENTIAL]) for _ in range(3)]
    if seed % 5:
        blocks[0] = 2.0
    accuracy = [0.5, 0.7, 0.9]
    return world(
        seed=seed,
        models={"toy": toy(blocks, exits=[1, 2, 3], accuracy=accuracy, state_bytes=[2000, 1500, 500])},
        devices={"a": devices(), "b": devices()},
        links={
            "l": link(draw.choice([AR1, STEPS, 5]), draw.choice([AR1, 5]), delay_ms=draw.choice([0, 4])),
            "slow": link(0.3, 0.2, delay_ms=2, headers="tcp"),
            "c": link(AR1, 5, delay_ms=2, sharing="cell"),
        },
        servers={"edge": server(), "other": server()},
        policies={"p": POLICIES[seed % len(POLICIES)]},
        duration_s=4,
        warmup_s=0.5,
        drain_s=draw.choice([0.02, 1, 1e4]),
    )


AFTER = ["continue", "abort"]
DECISIONS = {name: [1e-3, 2e-3, 4e-3] for name in ("user", "fixed_cut", "anytime", "thresholds")}


def look_at_everything(world: World) -> None:
    """Every policy is asked each time, and every stage is an event."""
    for device in world.devices:
        device.plan = None
        device.sends_ahead = device.ends_ahead = False
    for server in world.servers.values():
        server.plan = None
        server.serves_ahead = False


def test_a_request_that_goes_straight_is_two_events() -> None:
    scenario = world(policies={"p": {"type": "fixed_cut", "cut": 1, "codec": "int8"}}, models={"toy": toy([1, 2])})
    ahead, plain = run(scenario), run(scenario, prepare=look_at_everything)
    events = [next(tables.world.clock._eid) for tables in (ahead, plain)]  # type: ignore[attr-defined]
    assert events[0] < 2.2 * len(ahead.requests) < 4 * len(plain.requests) < events[1], "few find the device busy"


def rows(tables: Tables) -> pd.DataFrame:
    return tables.requests.sort_values(["device", "number"], ignore_index=True)


def answers(tables: Tables) -> pd.DataFrame:
    by = ["device", "number", "time_s", "depth"]
    return tables.answers.sort_values(by, ignore_index=True)


@pytest.mark.parametrize("seed", range(60))
def test_the_same_as_event_by_event(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesim.engine.express.ROW_GROUP", 50)
    scenario = some_world(seed)
    model = scenario.models["toy"]
    assets = assets_of(scenario, {"toy": Loaded(model)} if seed % 2 else None, decision_s=DECISIONS)  # type: ignore[arg-type]
    ahead, plain = run(scenario, assets), run(scenario, assets, prepare=look_at_everything)
    assert len(ahead.requests) > 10
    pd.testing.assert_frame_equal(rows(ahead), rows(plain), check_exact=True)
    pd.testing.assert_frame_equal(answers(ahead), answers(plain), check_exact=True)
    for summed, one_by_one in ((ahead.links, plain.links), (ahead.nodes, plain.nodes)):  # in another order
        pd.testing.assert_frame_equal(summed, one_by_one, rtol=1e-11, atol=1e-12)
