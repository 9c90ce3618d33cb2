"""Small synthetic worlds, simulated in memory: what the tests of policies are about, and nothing around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from edgesim.engine.assets import Assets
from edgesim.engine.request import Request
from edgesim.engine.simpy_clock import SimpyClock
from edgesim.engine.world import Cell, World
from edgesim.results.recorder import held_by
from edgesim.scenario.load import build_scenario
from edgesim.scenario.scenario import Scenario
from edgesim.studies.load import load_assets

TOLERANCE_S = 1e-9
TOY: dict[str, Any] = {
    "source": "synthetic",
    "blocks_ms": [2, 3, 4, 5],
    "branch_ms": [0.5, 0.4, 0.3],
    "exits": [1, 3, 4],
    "state_bytes": [4000, 6000, 2500, 1500],
    "accuracy": [0.6, 0.75, 0.9],
    "correlation": 0.5,
    "samples": 500,
}
TEN_MBPS = {"process": "constant", "rate_mbps": 10}
STEPS = {"process": "steps", "steps": [[0, 4], [0.7, 0.3], [1.1, 8], [1.9, 1], [2.3, 0.1]], "ends": "loop"}
BASE: dict[str, Any] = {
    "name": "small",
    "seed": 7,
    "duration_s": 60,
    "drain_s": 60,
    "replications": 1,
    "data": {"source": "none"},
    "models": {"toy": TOY},
    "devices": {
        "camera": {
            "arrivals": {"process": "periodic", "rate_hz": 1, "jitter_ms": 200},
            "after_deadline": "continue",
            "deadline": {"distribution": "fixed", "ms": 40},
            "link": "access",
            "server": "edge",
        }
    },
    "links": {
        "access": {"up": TEN_MBPS, "down": {"process": "constant", "rate_mbps": 20}, "delay_ms": 2, "prior_mbps": 10}
    },
    "servers": {"edge": {"processor": {"factor": 0.25}}},
}


def scenario_of(policies: Mapping[str, Any], *overrides: str, **changes: Any) -> Scenario:
    """The base world with these policies; ``changes`` replace top keys, ``overrides`` are ``key=value``."""
    return build_scenario({**deepcopy(BASE), "policies": dict(policies), **changes}, overrides=overrides)


class Kept:
    """A recorder that keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def request(self, request: Request, end_s: float) -> None:
        self.requests.append(request)


class Ran:
    """One cell that was simulated: its requests by (device, number), and its world."""

    def __init__(self, world: World, requests: list[Request]) -> None:
        self.world = world
        self.requests = sorted(requests, key=lambda each: (each.device.name, each.number))

    def __len__(self) -> int:
        return len(self.requests)

    def column(self, of: Callable[[Request], Any]) -> np.ndarray:
        return np.array([of(request) for request in self.requests])

    @property
    def latency_s(self) -> np.ndarray:
        """To the first answer."""
        return self.column(lambda each: min((answer[0] for answer in each.answers), default=inf) - each.arrival_s)

    @property
    def exits(self) -> np.ndarray:
        """Of the one answer of each request."""
        return self.column(lambda each: each.answers[-1][3])

    @property
    def predictions(self) -> np.ndarray:
        return self.column(lambda each: each.answers[-1][4].prediction)

    @property
    def cuts(self) -> np.ndarray:
        """Last cut sent, -1 where nothing was."""
        return self.column(lambda each: each.cut)

    def right(self, deadline_s: float | None = None) -> np.ndarray:
        """Whether the slot is right at the deadline (its own, or one for all)."""

        def is_right(request: Request) -> bool:
            at = request.deadline_s if deadline_s is None else request.arrival_s + deadline_s
            held, _ = held_by(request.answers, at + TOLERANCE_S)
            return held is not None and held[4].correct

        return self.column(is_right)


def simulated(
    scenario: Scenario,
    policy: str,
    deadline_ms: float | None = None,
    replication: int = 0,
    assets: Assets | None = None,
    spec: Any = None,
) -> Ran:
    """Run one cell of a scenario to its end; ``spec`` in place of what the scenario says of the policy."""
    assets = assets or load_assets(scenario)
    kept, clock = Kept(), SimpyClock()
    cell = Cell(policy, spec or scenario.policies[policy], deadline_ms, replication)
    world = World(scenario, assets, cell, clock, kept, assets.test)
    clock.run_until(scenario.end_s)
    world.engine.finish()
    return Ran(world, kept.requests)


def without_decision_times(assets: Assets) -> Assets:
    return replace(assets, decision_s={name: [0.0] for name in assets.decision_s})
