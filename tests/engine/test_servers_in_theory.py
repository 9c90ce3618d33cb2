"""Servers with several workers and with batches against queueing theory; a service 5 % slower must be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from little_worlds import EXPONENTIAL, assets_of, linked, run, toy, world
from queue_estimates import Estimate, copies, see

from edgesim.compute.batching import Batching
from edgesim.engine.world import World
from edgesim.profiling.synthetic_costs import SyntheticCosts, block_time
from edgesim.studies.theory import wait_in_mg1_s, wait_in_mmk_s

SERVICE_S, LOAD = 0.01, 0.8
ERLANG = {"distribution": "erlang", "mean_ms": 10, "k": 4}


def waits(
    block_ms: Any,
    count: int,
    duration_s: float,
    slower: float = 1.0,
    workers: int = 1,
    prepare: Callable[[World], None] = lambda world: None,
) -> Estimate:
    """Mean wait at load 0.8 for servers that each have a device of their own."""
    names = [f"d{n}" for n in range(count)]
    scenario = world(
        models={"toy": toy([block_ms], samples=2)},
        devices={name: linked(workers * LOAD / SERVICE_S, server=f"s-{name}") for name in names},
        servers={f"s-{name}": {"workers": workers, "processor": {"factor": slower}} for name in names},
        duration_s=duration_s + 5,
        warmup_s=5,
    )
    tables = run(scenario, prepare=prepare)
    return copies(scenario, tables, "server_wait_s", "s-{}" if block_ms is EXPONENTIAL else None)


def batches_of_one(world: World) -> None:
    """The batching server, which would wait for its batch to fill."""
    for server in world.servers.values():
        server.batching = Batching(1, 0.05)


M_M_2 = (EXPONENTIAL, 2, wait_in_mmk_s(2 * LOAD / SERVICE_S, SERVICE_S, 2))
M_M_4 = (EXPONENTIAL, 4, wait_in_mmk_s(4 * LOAD / SERVICE_S, SERVICE_S, 4))
M_D_1 = (10.0, 1, wait_in_mg1_s(LOAD / SERVICE_S, SERVICE_S, 0.0))
M_E4_1 = (ERLANG, 1, wait_in_mg1_s(LOAD / SERVICE_S, SERVICE_S, 0.5))


@pytest.mark.parametrize(("block_ms", "workers", "theory_s"), [M_M_2, M_M_4, M_D_1], ids=["M/M/2", "M/M/4", "M/D/1"])
def test_waits_for_servers(block_ms: Any, workers: int, theory_s: float) -> None:
    see(waits(block_ms, 24, 40 / workers, workers=workers), theory_s, 0.08)
    assert waits(block_ms, 24, 20 / workers, 1.05, workers).z(theory_s) > 3.3


@pytest.mark.parametrize(("block_ms", "workers", "theory_s"), [M_D_1, M_E4_1], ids=["M/D/1", "M/E4/1"])
def test_batches_of_at_most_one_are_m_g_1(block_ms: Any, workers: int, theory_s: float) -> None:
    see(waits(block_ms, 24, 40, prepare=batches_of_one), theory_s, 0.08)
    assert waits(block_ms, 24, 20, 1.05, prepare=batches_of_one).z(theory_s) > 3.3


class Affine(SyntheticCosts):
    """A batch of b takes a + c b."""

    def __init__(self, each_s: float, batch_s: float) -> None:
        super().__init__([block_time(1e3 * (each_s + batch_s))], [1], [0.0], [1000])
        self.each_s, self.batch_s = each_s, batch_s

    def piece_s(self, luck: float, start: int, stop: int, batch: int = 1) -> float:
        return self.batch_s + self.each_s * batch


def throughput_hz(size: int, workers: int, slower: float) -> float:
    """What servers with twice the requests that they can serve send out."""
    each_s, batch_s = 0.002 * slower, 0.010 * slower
    scenario = world(
        models={"toy": toy([1.0], samples=2)},
        devices={"cam": linked(2 * workers * saturated_hz(size))},
        servers={"edge": {"workers": workers, "batch": {"max_size": size, "max_wait_ms": 20}}},
        duration_s=15,
        warmup_s=5,
        drain_s=1,
    )
    tables = run(scenario, assets_of(scenario, {"toy": Affine(each_s, batch_s)}))
    assert tables.node("edge").batches * size == pytest.approx(tables.node("edge").served, rel=0.01)
    return tables.node("edge").served / 10


def saturated_hz(size: int) -> float:
    """Of one worker: b / (a + c b)."""
    return size / (0.010 + 0.002 * size)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("size", [2, 8])
def test_a_saturated_server_sends_out_full_batches(size: int, workers: int) -> None:
    theory_hz = workers * saturated_hz(size)
    assert throughput_hz(size, workers, 1.0) == pytest.approx(theory_hz, rel=0.01)
    assert throughput_hz(size, workers, 1.05) < 0.97 * theory_hz


def test_nobody_waits_longer_than_max_wait_and_the_batches_before() -> None:
    """At most one other batch is in service or full before one that is due, while arrivals are slow enough."""
    scenario = world(
        models={"toy": toy([1.0], samples=2)},
        devices={"cam": linked(20)},
        servers={"edge": {"batch": {"max_size": 64, "max_wait_ms": 40}}},
        duration_s=60,
    )
    tables = run(scenario, assets_of(scenario, {"toy": Affine(0.002, 0.010)}))
    longest_s = tables.requests.server_wait_s.max()
    assert 0.04 < longest_s <= 0.04 + tables.requests.server_s.max()
    assert (tables.requests.server_wait_s >= 0.04 - 1e-9).sum() >= tables.node("edge").batches * 0.99
