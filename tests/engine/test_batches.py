"""Batches on a server (rule 10)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from little_worlds import EXPONENTIAL, Loaded, Tables, assets_of, at_times, link, linked, lucks, run, toy, world

from edgesim.compute.batching import Batching
from edgesim.engine.world import World

DEEP = toy([3.0, EXPONENTIAL, 4.0, 2.0], exits=[2, 3, 4], accuracy=[0.6, 0.7, 0.9], state_bytes=[1000] * 4)
SURE = {"type": "little_policies:LeaveOnServer", "options": {"threshold": 0.8}}
EXITS = [{"type": "little_policies:AnswerAtEach"}, SURE]


@pytest.mark.parametrize("policy", [{"type": "fixed_cut", "cut": 1, "codec": "int8"}, *EXITS])
def test_batches_of_one_are_no_batches(policy: dict[str, Any]) -> None:
    """The batching server with at most one a batch, whatever it may wait, against the one that serves one by one."""
    scenario = world(models={"toy": DEEP}, links={"l": link(8, 8)}, devices={"a": linked(45)}, policies={"p": policy})
    assets = assets_of(scenario, {"toy": Loaded(scenario.models["toy"])})

    def one_by_one(world: World) -> None:
        world.servers["edge"].batching = Batching(1, 0.5)

    plain, batched = run(scenario, assets), run(scenario, assets, prepare=one_by_one)
    assert plain.requests.server_wait_s.max() > 0.02
    for column in plain.requests.select_dtypes("number"):
        assert plain.requests[column].values == pytest.approx(
            batched.requests[column].values, rel=1e-9, abs=1e-12, nan_ok=True
        )
    assert plain.answers.time_s.values == pytest.approx(batched.answers.time_s.values, rel=1e-9)
    busy = [tables.node("edge").busy_s for tables in (plain, batched)]
    assert busy[0] == pytest.approx(busy[1], rel=1e-9)


def served(
    folder: Path, times: list[float], max_size: int, max_wait_ms: float, policy: Any = None, **changes: Any
) -> Tables:
    policy = policy or {"type": "fixed_cut", "cut": 0, "codec": "raw"}
    defaults: dict[str, Any] = {
        "models": {"toy": toy([10.0])},
        "servers": {"edge": {"batch": {"max_size": max_size, "max_wait_ms": max_wait_ms}}},
        "devices": {"a": linked(arrivals=at_times(folder, times))},
    }
    return run(world(policies={"p": policy}, folder=folder, **{**defaults, **changes}))


def test_max_wait_counts_from_the_oldest(tmp_path: Path) -> None:
    """Synthetic batches take as long as their requests one after the other: 10 ms each."""
    rows = served(tmp_path, [1.0, 1.015, 1.019, 1.1], 4, 20).requests
    assert rows.server_wait_s.tolist() == pytest.approx([0.02, 0.005, 0.001, 0.02], abs=1e-9)
    assert rows.server_s.tolist() == pytest.approx([0.03] * 3 + [0.01])
    assert rows.latency_s.tolist() == pytest.approx([0.05, 0.035, 0.031, 0.03], abs=1e-9)


def test_a_full_batch_leaves_at_once(tmp_path: Path) -> None:
    tables = served(tmp_path, [1.0, 1.004, 1.005, 1.006], 2, 50)
    assert tables.requests.server_wait_s.tolist() == pytest.approx([0.004, 0.0, 0.019, 0.018], abs=1e-9)
    assert tables.requests.server_s.tolist() == pytest.approx([0.02] * 4)
    node = tables.node("edge")
    assert (node.served, node.batches, node.busy_s) == (4, 2, pytest.approx(0.04))


def test_without_waiting_a_batch_is_what_has_queued(tmp_path: Path) -> None:
    rows = served(tmp_path, [1.0, 1.001, 1.002, 1.003, 1.004], 3, 0).requests
    assert rows.server_s.tolist() == pytest.approx([0.01] + [0.03] * 3 + [0.01])
    assert rows.server_wait_s.tolist() == pytest.approx([0, 0.009, 0.008, 0.007, 0.036], abs=1e-9)


def test_nobody_joins_a_running_batch(tmp_path: Path) -> None:
    rows = served(tmp_path, [1.0, 1.0, 1.001], 8, 0).requests
    assert rows.server_wait_s.iloc[2] == pytest.approx(0.009)


def test_only_the_same_model_and_block_go_together(tmp_path: Path) -> None:
    """Two cuts of a random policy: no batch mixes them, and the oldest says which goes first."""
    models = {"toy": toy([10.0, 10.0], exits=[2], state_bytes=[1000] * 2)}
    policy = {"type": "random", "codecs": ["raw", "int8"], "cuts": [0, 1]}
    times = [1.0 + n / 1000 for n in range(60)]
    devices = {"a": linked(arrivals=at_times(tmp_path, times), processor={"factor": 1e-6})}
    tables = served(tmp_path, times, 4, 0, policy, models=models, devices=devices)
    rows = tables.requests
    rows["begins_s"] = (rows.arrival_s + rows.device_wait_s + rows.device_compute_s + rows.server_wait_s).round(7)
    batches = rows.groupby("begins_s")
    assert (batches.cut.nunique() == 1).all()
    assert batches.size().max() == 4
    assert tables.node("edge").batches == len(batches)
    assert set(rows.cut) == {0, 1}
    per_request_s = np.where(rows.cut == 0, 0.02, 0.01)
    assert rows.server_s.values == pytest.approx(batches.cut.transform("size") * per_request_s, rel=1e-6)


def test_survivors_go_on_at_the_smaller_size_and_pay_for_the_gathering(tmp_path: Path) -> None:
    """Sixteen at once; those that are sure leave at their stage's end, the rest go on: all times by hand."""
    times = [1.0] * 16
    scenario = world(
        models={"toy": DEEP},
        servers={"edge": {"batch": {"max_size": 16, "max_wait_ms": 500}}},
        devices={"a": linked(arrivals=at_times(tmp_path, times))},
        policies={"p": SURE},
        folder=tmp_path,
    )
    costs = Loaded(scenario.models["toy"])
    assets = assets_of(scenario, {"toy": costs})
    tables = run(scenario, assets)
    rows = tables.requests.sort_values("number")
    table = assets.test["toy"].table(())
    there = lucks(scenario, "edge", "a-0", 16)
    idle = costs.idle_factor(1e9)
    sure = table.confidence[:2, rows["sample"]] >= 0.8
    leaves = np.where(sure[0], 0, np.where(sure[1], 1, 2))
    assert len(set(leaves)) == 3, "the seed makes requests leave at every exit"
    elapsed = idle * sum(costs.decode_s("raw", 0, luck) for luck in there)
    elapsed += idle * sum(costs.preprocess_s(luck) for luck in there)
    left, start, expected = 16, 0, {}
    for index, stop in enumerate([2, 3, 4]):
        elapsed += idle * (costs.piece_s(there[0], start, stop, left) + costs.branch_s(there[0], index, left))
        expected[index] = elapsed
        staying = int((leaves > index).sum())
        if 0 < staying < left:
            elapsed += idle * costs.gather_s(staying)
        left, start = staying, stop
        if not left:
            break
    assert rows.exit.tolist() == leaves.tolist()
    assert rows.server_s.tolist() == pytest.approx([expected[index] for index in leaves], rel=1e-9)
    node = tables.node("edge")
    assert (node.batches, node.busy_s) == (1, pytest.approx(max(expected.values()), rel=1e-9))


def test_answers_leave_at_the_end_of_their_stage(tmp_path: Path) -> None:
    """Both requests of a batch answer at each exit and stay together to the end."""
    model = toy([10.0, 20.0, 5.0], exits=[1, 2, 3], accuracy=[0.6, 0.7, 0.9], state_bytes=[1000] * 3)
    tables = served(tmp_path, [1.0, 1.0], 2, 100, {"type": "little_policies:AnswerAtEach"}, models={"toy": model})
    for _, own in tables.answers.groupby("number"):
        assert own.time_s.tolist() == pytest.approx([0.02, 0.06, 0.07], abs=1e-9)
        assert own.exit.tolist() == [0, 1, 2]
    assert tables.requests.server_s.tolist() == pytest.approx([0.07] * 2)


def test_a_batch_of_plans_that_stop_short_queues_again(tmp_path: Path) -> None:
    """A block a plan: three services each, all of them on record."""
    model = toy([10.0, 20.0, 5.0], exits=[3], state_bytes=[1000] * 3)
    tables = served(tmp_path, [1.0, 1.0], 2, 100, {"type": "little_policies:BlockByBlock"}, models={"toy": model})
    rows = tables.requests
    assert rows.latency_s.tolist() == pytest.approx([0.07] * 2, abs=1e-9)
    assert (rows.server_s + rows.server_wait_s).tolist() == pytest.approx([0.07] * 2, abs=1e-9)
    assert rows.server_s.tolist() == pytest.approx([0.07] * 2)


def test_wasted_time_of_a_batch_is_each_ones_share(tmp_path: Path) -> None:
    spec = linked(arrivals=at_times(tmp_path, [1.0, 1.0]), deadline={"distribution": "fixed", "ms": 5})
    rows = served(tmp_path, [1.0, 1.0], 2, 100.0, devices={"a": spec}).requests
    assert list(rows.end) == ["late", "late"]
    assert rows.server_s.tolist() == pytest.approx([0.02, 0.02])
    assert rows.wasted_s.tolist() == pytest.approx([0.01, 0.01])


def test_a_batch_time_between_sizes_is_used(tmp_path: Path) -> None:
    """Three in a batch cost what the costs say of three."""
    scenario = world(
        models={"toy": toy([10.0])},
        servers={"edge": {"batch": {"max_size": 4, "max_wait_ms": 5}}},
        devices={"a": linked(arrivals=at_times(tmp_path, [1.0, 1.0, 1.0]))},
        folder=tmp_path,
    )
    costs = Loaded(scenario.models["toy"])
    rows = run(scenario, assets_of(scenario, {"toy": costs})).requests
    there = lucks(scenario, "edge", "a-0", 3)
    coding_s = sum(costs.decode_s("raw", 0, luck) + costs.preprocess_s(luck) for luck in there)
    whole_s = costs.piece_s(there[0], 0, 1, 3) + costs.branch_s(there[0], 0, 3) + coding_s
    assert whole_s < 3 * costs.piece_s(there[0], 0, 1, 1)
    assert rows.server_s.tolist() == pytest.approx([costs.idle_factor(1e9) * whole_s] * 3, rel=1e-9)
