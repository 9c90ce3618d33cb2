"""A small study over the small synthetic scenario, and what undisturbed runs of it find."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pandas as pd
from small_runs import BASE

from edgesim.studies.findings import Findings
from edgesim.studies.read_study import Base, read_study
from edgesim.studies.study import Study

STUDY: dict[str, Any] = {
    "study": "small",
    "question": "What does delay cost?",
    "scenario": "small.yaml",
    "set": {"duration_s": 3},
    "policies": ["local", "neuro", "anytime"],
    "replications": 3,
    "axes": {
        "delay": {"key": "links.access.delay_ms", "values": [1, 5], "label": "delay (ms)"},
        "count": {"key": "devices.camera.count", "values": [1, 3]},
    },
    "contrasts": {"delay": {"first": {"delay": 5}, "second": {"delay": 1}, "deadline_ms": 15}},
}


def write_study(folder: Path, changes: dict[str, Any] | None = None, scenario: dict[str, Any] | None = None) -> Path:
    """The study's file (as JSON, which is YAML) beside its scenario; ``changes`` replace keys, None removes them."""
    import json

    document = {**deepcopy(STUDY), **(changes or {})}
    (folder / "small.yaml").write_text(json.dumps({**BASE, **(scenario or {})}))
    path = folder / "study.yaml"
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}, indent=1))
    return path


def small_study(folder: Path, changes: dict[str, Any] | None = None) -> tuple[Study, Base]:
    return read_study(write_study(folder, changes))


def values(folder: Path) -> pd.DataFrame:
    """All that a study has measured, in one order."""
    frame = Findings(folder).replications()
    for name in ("policy", "quantity"):
        frame[name] = frame[name].astype(str)
    return frame.sort_values(["cell", "replication", "policy", "deadline_ms", "quantity"], ignore_index=True)
