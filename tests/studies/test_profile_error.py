"""A wrong profile moves what policies decide, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from small_runs import read, small

from edgesim.studies.run import run_scenario

WORLD: dict[str, Any] = {
    "replications": 1,
    "deadlines_ms": [],
    "policies": {"local": {"type": "device_only"}, "neuro": {"type": "neurosurgeon"}},
}


def requests(folder: Path, **changes: Any) -> pd.DataFrame:
    rows = read(run_scenario(small(**WORLD, **changes), folder).folder, "requests")
    return rows.sort_values(["policy", "device", "number"])


def of(rows: pd.DataFrame, policy: str) -> pd.DataFrame:
    return rows[rows.policy == policy]


def test_decisions_move_and_nothing_else(tmp_path: Path, no_plots: None):
    right = requests(tmp_path)
    cuts = []
    for seed in range(6):
        wrong = requests(tmp_path, profile_error={"spread": 0.9, "seed": seed})
        same = ["arrival_s", "sample", "deadline_s"]
        np.testing.assert_array_equal(wrong[same].to_numpy(), right[same].to_numpy())
        local = ["latency_s", "cut", "device_compute_s"]
        np.testing.assert_array_equal(of(wrong, "local")[local], of(right, "local")[local])
        cuts.append(tuple(of(wrong, "neuro")["cut"]))
    assert len({*cuts, tuple(of(right, "neuro")["cut"])}) > 2
