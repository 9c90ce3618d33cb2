"""A small synthetic scenario for whole runs, and readers of what they leave."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from edgesim.results.columns import TABLES
from edgesim.scenario.load import build_scenario
from edgesim.scenario.scenario import Scenario

BASE: dict[str, Any] = {
    "name": "small",
    "seed": 3,
    "duration_s": 6,
    "warmup_s": 1,
    "replications": 3,
    "deadlines_ms": [5, 15, 30],
    "data": {"source": "none"},
    "models": {
        "toy": {
            "source": "synthetic",
            "blocks_ms": [2, {"distribution": "exponential", "mean_ms": 4}, 5],
            "branch_ms": 0.2,
            "exits": [1, 2, 3],
            "state_bytes": [4000, 3000, 1500],
            "accuracy": [0.6, 0.75, 0.9],
            "samples": 300,
        }
    },
    "devices": {
        "camera": {
            "count": 2,
            "arrivals": {"process": "poisson", "rate_hz": 4},
            "after_deadline": "continue",
            "deadline": {"distribution": "fixed", "ms": 20},
            "link": "access",
            "server": "edge",
        }
    },
    "links": {
        "access": {
            "up": {"process": "steps", "steps": [[0, 8], [0.8, 1], [1.3, 20]], "ends": "loop"},
            "down": {"process": "constant", "rate_mbps": 20},
            "delay_ms": 1,
            "prior_mbps": 8,
        }
    },
    "servers": {"edge": {"processor": {"factor": 0.25}}},
    "policies": {
        "local": {"type": "device_only"},
        "neuro": {"type": "neurosurgeon"},
        "anytime": {"type": "anytime"},
        "best": {"type": "static_best", "calibration_seed": 100},
        "clairvoyant": {"type": "clairvoyant"},
    },
}


def small(*overrides: str, folder: Path = Path(), **changes: Any) -> Scenario:
    """The scenario; ``changes`` replace top keys."""
    return build_scenario({**deepcopy(BASE), **changes}, folder, overrides)


def read(folder: Path, table: str) -> pd.DataFrame:
    return pq.read_table(folder / f"{table}.parquet").to_pandas()


def same_rows(one: Path, other: Path) -> bool:
    """Whether two runs have the same rows in the same order, and there are some."""
    for name in TABLES:
        left, right = pq.read_table(one / f"{name}.parquet"), pq.read_table(other / f"{name}.parquet")
        assert left.schema == right.schema
        if name != "answers":
            assert left.num_rows
        if not left.to_pandas().equals(right.to_pandas()):
            return False
    return True
