"""Small synthetic worlds for the tests of the engine, and what they recorded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from edgesim.engine.assets import Assets, missed_errors
from edgesim.engine.simpy_clock import SimpyClock
from edgesim.engine.tally import link_rows, node_rows
from edgesim.engine.world import Cell, World, replication_root
from edgesim.profiling.costs import Seconds
from edgesim.profiling.synthetic_costs import SyntheticCosts, block_time
from edgesim.results.columns import TABLES
from edgesim.results.recorder import RunRecorder
from edgesim.scenario.load import build_scenario
from edgesim.scenario.models import SyntheticModel
from edgesim.scenario.scenario import Scenario
from edgesim.studies.load import load_assets
from edgesim.workload.random import draws

EXPONENTIAL = {"distribution": "exponential", "mean_ms": 10}
WIDE = {"process": "constant", "rate_mbps": 1e9}


def toy(blocks_ms: list[Any] = [EXPONENTIAL], **changes: Any) -> dict[str, Any]:  # noqa: B006
    """A synthetic model, by default with one exit and 1,000 bytes at every cut."""
    blocks = len(blocks_ms)
    model = {"blocks_ms": blocks_ms, "exits": [blocks], "state_bytes": [1000] * blocks, "accuracy": [0.8]}
    return {"source": "synthetic", "samples": 200, **model, **changes}


def link(up: Any = WIDE, down: Any = WIDE, **changes: Any) -> dict[str, Any]:
    """A link without delay or headers; rates in Mb/s or as a scenario says them."""
    up, down = (each if isinstance(each, dict) else {"process": "constant", "rate_mbps": each} for each in (up, down))
    return {"up": up, "down": down, "delay_ms": 0, "headers": "none", "prior_mbps": 5, **changes}


def device(rate_hz: float = 80, **changes: Any) -> dict[str, Any]:
    """A class of one device with Poisson arrivals, an unbounded queue and no regard for deadlines."""
    defaults = {"queue": {"bound": None}, "after_deadline": "continue"}
    return {"arrivals": {"process": "poisson", "rate_hz": rate_hz}, **defaults, **changes}


def linked(rate_hz: float = 80, **changes: Any) -> dict[str, Any]:
    return device(rate_hz, **{"link": "l", "server": "edge", **changes})


def world(**changes: Any) -> Scenario:
    """A scenario of one device, link and server; ``folder`` is where its files are."""
    folder = changes.pop("folder", Path())
    data: dict[str, Any] = {
        "name": "little",
        "duration_s": 20,
        "drain_s": 1e4,
        "replications": 1,
        "data": {"source": "none"},
        "models": {"toy": toy()},
        "devices": {"cam": linked()},
        "links": {"l": link()},
        "servers": {"edge": {}},
        "policies": {"p": {"type": "fixed_cut", "cut": 0, "codec": "raw"}},
        **changes,
    }
    if all("link" not in spec for spec in data["devices"].values()):
        data["links"], data["servers"] = {}, {}
    return build_scenario(data, folder)


def at_times(folder: Path, times: list[float]) -> dict[str, Any]:
    """Arrivals at given times."""
    name = f"arrivals-{abs(hash(tuple(times)))}.csv"
    (folder / name).write_text("time_s\n" + "".join(f"{time!r}\n" for time in times))
    return {"process": "trace", "file": name}


class Tables(NamedTuple):
    """What a cell recorded.  ``requests`` are in the order of arrival; ``world`` is as the run left it."""

    requests: pd.DataFrame
    answers: pd.DataFrame
    links: pd.DataFrame
    nodes: pd.DataFrame
    world: World

    def node(self, name: str) -> Any:
        return self.nodes[self.nodes.node == name].iloc[0]


def assets_of(
    scenario: Scenario,
    costs: Mapping[str, SyntheticCosts] | None = None,
    payload_bytes: Callable[[int], Any] | None = None,
    decision_s: Mapping[str, list[float]] | None = None,
) -> Assets:
    """A scenario's assets with some of them replaced; payload_bytes: number of samples -> bytes of each, at any cut."""
    assets = load_assets(scenario, decisions=decision_s or {})
    if payload_bytes is not None:
        for outcomes in (*assets.test.values(), *assets.validation.values()):
            for path, sizes in outcomes.payloads.items():
                outcomes.payloads[path] = payload_bytes(len(sizes))  # type: ignore[index]
    if costs is None:
        return assets
    return Assets(assets.shapes, {**assets.costs, **costs}, assets.test, assets.validation, assets.decision_s)


def run(
    scenario: Scenario,
    assets: Assets | None = None,
    policy: str = "p",
    deadline_ms: float | None = None,
    replication: int = 0,
    prepare: Callable[[World], None] = lambda world: None,
    drive: Callable[[World], None] | None = None,
    clock: SimpyClock | None = None,
    kind: type[World] = World,
) -> Tables:
    """One cell, as ``engine.simulation.simulate`` runs it.

    prepare: may change the world before it starts.  drive: runs it in the clock's place, devices left without policy.
    clock: a new one in place of the plain one.
    """
    assets = assets or assets_of(scenario)
    cell = Cell(policy, scenario.policies[policy], deadline_ms, replication)
    clock = clock or SimpyClock()
    blocks = {name: shape.num_blocks for name, shape in assets.shapes.items()}
    with tempfile.TemporaryDirectory() as folder:
        recorder = RunRecorder(
            Path(folder), (scenario.warmup_s, scenario.duration_s), blocks, missed_errors(assets.test)
        )
        recorder.begin(cell.key)
        world = kind(scenario, assets, cell, clock, recorder, assets.test, external=drive is not None)
        prepare(world)
        if drive is None:
            clock.run_until(scenario.end_s)
        else:
            drive(world)
        world.engine.finish()
        for row in link_rows(world):
            recorder.link(row)
        for row in node_rows(world):
            recorder.node(row)
        recorder.close()
        requests, *others = (read(Path(folder) / f"{stem}.parquet") for stem in TABLES)
    return Tables(requests.sort_values(["arrival_s", "device"], ignore_index=True), *others, world)


def look_at_everything(world: World) -> None:
    """Every policy is asked each time, and every stage is an event."""
    for device in world.devices:
        device.plan = None
        device.sends_ahead = device.ends_ahead = False
    for server in world.servers.values():
        server.plan = None
        server.serves_ahead = False


def read(path: Path) -> pd.DataFrame:
    """A table with its names as plain strings."""
    frame = pq.read_table(path).to_pandas()
    return frame.astype({name: object for name in frame.select_dtypes("category")})


def lucks(scenario: Scenario, node: str, device: str, count: int, replication: int = 0) -> list[float]:
    """The quantiles of the costs at a node of a device's first requests, by their key alone."""
    root = replication_root(scenario.seed, replication)
    drawn = draws(lambda rng, size: rng.random(size), root, "costs", node, device)
    return list(islice(drawn, count))


class Loaded(SyntheticCosts):
    """Synthetic costs in which everything costs something, and depends on what it can depend on."""

    wakes = True

    def __init__(self, model: SyntheticModel) -> None:
        branch_s = [2e-4 * (index + 1) for index in range(len(model.exits))]
        super().__init__(list(map(block_time, model.blocks_ms)), model.exits, branch_s, model.state_bytes)
        self.overhead_s = 3e-4

    def piece(self, start: int, stop: int) -> Seconds:
        return lambda luck: self.piece_s(luck, start, stop)

    def branch(self, exit: int) -> Seconds:
        return lambda luck: self.branch_s(luck, exit)

    def preprocess(self) -> Seconds:
        return self.preprocess_s

    def encode(self, codec: str, cut: int) -> Seconds:
        return lambda luck: self.encode_s(codec, cut, luck)

    def decode(self, codec: str, cut: int) -> Seconds:
        return lambda luck: self.decode_s(codec, cut, luck)

    def piece_s(self, luck: float, start: int, stop: int, batch: int = 1) -> float:
        """Sub-linear in the batch."""
        return (self.overhead_s + super().piece_s(luck, start, stop)) * batch**0.5 if stop > start else 0.0

    def branch_s(self, luck: float, exit: int, batch: int = 1) -> float:
        return super().branch_s(luck, exit) * batch**0.5

    def encode_s(self, codec: str, cut: int, luck: float) -> float:
        return (1e-3 + 1e-4 * cut + 1e-5 * len(codec)) * (1 + luck)

    def decode_s(self, codec: str, cut: int, luck: float) -> float:
        return (5e-4 + 1e-4 * cut + 1e-5 * len(codec)) * (1 + luck)

    def preprocess_s(self, luck: float) -> float:
        return 7e-4 * (1 + luck)

    def gather_s(self, batch: int) -> float:
        return 1e-4 * batch

    def idle_factor(self, gap_s: float) -> float:
        return 1.0 + 0.4 * min(gap_s, 0.05) / 0.05
