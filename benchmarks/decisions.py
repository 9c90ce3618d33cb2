"""Measures how long decisions take and writes ``edgesim/profiling/decisions.json``.

    python benchmarks/decisions.py

Every policy decides in a run of a small world, those that always say the same included, and each call of
``next_steps`` on a device is timed.  A simulation charges these samples to the device's processor; it never takes wall
time inside a run.  A user's own policy is charged as Neurosurgeon is.  Let nothing else run.
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np

import edgesim.profiling
from edgesim.engine.assets import Assets
from edgesim.engine.simpy_clock import SimpyClock
from edgesim.engine.world import Cell, World
from edgesim.profiling.machine import describe
from edgesim.scenario.load import build_scenario
from edgesim.studies.load import load_assets

SAMPLES = 200
BLOCKS = 7

WORLD: dict[str, Any] = {
    "name": "decisions",
    "duration_s": 1500,
    "replications": 1,
    "data": {"source": "none"},
    "models": {
        "model": {
            "source": "synthetic",
            "blocks_ms": [1.0] * BLOCKS,
            "branch_ms": 0.05,
            "exits": [2, 3, 4, 5, 6, 7],
            "state_bytes": [550, *[4812] * (BLOCKS - 1)],
            "accuracy": [0.8, 0.83, 0.86, 0.88, 0.9, 0.91],
        }
    },
    "devices": {
        "camera": {
            "arrivals": {"process": "poisson", "rate_hz": 2.0},
            "deadline": {"distribution": "fixed", "ms": 50.0, "known": "exact"},
            "link": "radio",
            "server": "edge",
        }
    },
    "links": {
        "radio": {
            "up": {"process": "ar1", "preset": "lte-rail"},
            "down": {"process": "constant", "rate_mbps": 20.0},
            "delay_ms": 10.0,
            "prior_mbps": 4.0,
        }
    },
    "servers": {"edge": {}},
    "policies": {
        "device_only": {"type": "device_only"},
        "server_only": {"type": "server_only"},
        "fixed_cut": {"type": "fixed_cut", "cut": 2, "codec": "int8"},
        "random": {"type": "random"},
        "exits_then_image": {"type": "exits_then_image", "exits": [0, 1]},
        "thresholds": {"type": "thresholds", "threshold": 0.9},
        "anytime": {"type": "anytime"},
        "neurosurgeon": {"type": "neurosurgeon"},
    },
}


class Ignore:
    def request(self, request: object, end_s: float) -> None: ...


def measured_s(scenario: Any, assets: Assets, name: str) -> list[float]:
    """Quantiles of the seconds of one decision on a device."""
    clock = SimpyClock()
    world = World(scenario, assets, Cell(name, scenario.policies[name], None, 0), clock, Ignore(), assets.test)
    taken: list[int] = []
    for device in world.devices:
        decide = device.policy.next_steps  # type: ignore[union-attr]

        def timed(request: Any, view: Any, decide: Any = decide) -> Any:
            began = perf_counter_ns()
            steps = decide(request, view)
            taken.append(perf_counter_ns() - began)
            return steps

        device.plan = None
        device.policy.next_steps = timed  # type: ignore[union-attr, method-assign]
    clock.run_until(scenario.duration_s)
    quantiles = np.quantile(np.array(taken[100:]) / 1e9, (np.arange(SAMPLES) + 0.5) / SAMPLES)
    return [float(f"{value:.4g}") for value in quantiles]


def main() -> None:
    scenario = build_scenario(WORLD)
    assets = load_assets(scenario, decisions={})
    decision_s = {name: measured_s(scenario, assets, name) for name in scenario.policies}
    decision_s["user"] = decision_s["neurosurgeon"]
    for name, samples in decision_s.items():
        print(f"{name:18} median {1e6 * np.median(samples):6.2f} us, p95 {1e6 * samples[int(0.95 * SAMPLES)]:6.2f} us")
    decision_s |= {"link_oracle": [0.0], "clairvoyant": [0.0]}
    document = {
        "label": "measured; oracles are charged nothing; user: as neurosurgeon (assumed)",
        "machine": describe(1, "cpu"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "decision_s": decision_s,
    }
    target = Path(edgesim.profiling.__file__).with_name("decisions.json")
    with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False) as file:
        json.dump(document, file)
    Path(file.name).replace(target)
    print(f"written to {target.name}")


if __name__ == "__main__":
    main()
