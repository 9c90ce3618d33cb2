"""Folders of studies whose values are written by hand, so that what is found in them is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from manifests import manifest

from edgesim.studies.conduct import LEDGER
from edgesim.studies.design import Cell, cells_of
from edgesim.studies.findings import Findings
from edgesim.studies.ledger import Ledger, Measured, Quantity
from edgesim.studies.study import Study

STUDY: dict[str, Any] = {
    "study": "hand",
    "question": "What does it cost?",
    "scenario": "small.yaml",
    "replications": 4,
    "axes": {
        "cv": {"key": "links.a.cv", "values": [0.5, 1.0], "label": "variability"},
        "count": {"key": "devices.camera.count", "values": [1, 3, 9]},
    },
    "contrasts": {"doubles": {"first": {"cv": 1.0}, "second": {"cv": 0.5}, "deadline_ms": 50}},
}
COSTS = {
    "miss_ratio": 0.125,
    "latency_p50_s": 0.0125,
    "latency_p95_s": 0.05,
    "offload_ratio": 0.25,
    "bytes_up": 1500.0,
    "energy_j": 0.0625,
    "arrivals_hz": 2.0,
}
"""What every policy costs in every replication."""

Accuracy = Callable[[Cell, int, str], float]
"""(cell, replication, policy) -> on-time accuracy."""


def hand_study(
    folder: Path,
    accuracy: Accuracy,
    policies: Iterable[str] = ("low", "high", "seer"),
    finished: Callable[[Cell], int] = lambda cell: 4,
    failures: Iterable[tuple[int, int, str]] = (),
    notes: tuple[str, ...] = (),
    measure: str = "on_time_accuracy",
    deadlines_ms: Iterable[float | None] = (None, 20.0, 50.0),
    costs: Mapping[str, float] = COSTS,
    **changes: Any,
) -> Findings:
    """A study of ``STUDY``, ``changes`` made; its policy ``seer`` is an oracle."""
    study = Study.model_validate({key: value for key, value in {**STUDY, **changes}.items() if value is not None})
    scenario = {
        "name": "small",
        "seed": 3,
        "duration_s": 65.0,
        "warmup_s": 5.0,
        "devices": {"camera": {"deadline": {"distribution": "fixed", "ms": 50}}},
        "deadlines_ms": [each for each in deadlines_ms if each],
        "models": {"toy": {}},
        "policies": {name: {} for name in policies},
    }
    told = manifest(scenario)
    told["labels"]["oracles"] = [name for name in policies if name == "seer"]
    about = {
        "study": study.model_dump(mode="json", exclude_unset=True),
        "manifest": told,
        "begun": "2026-03-01T12:00:00+00:00",
    }
    folder.mkdir(parents=True, exist_ok=True)
    cells = list(cells_of(study))
    with Ledger.create(folder / LEDGER, about, cells) as ledger:
        for cell in cells:
            for number in range(finished(cell)):
                values: dict[Quantity, float] = {}
                for policy in [str(cell.point["policy"])] if "policy" in cell.point else policies:
                    values |= {(policy, None, name): value for name, value in costs.items()}
                    values |= {(policy, at_ms, "miss_ratio"): 0.125 for at_ms in deadlines_ms}
                    found = accuracy(cell, number, policy)
                    values |= {(policy, at_ms, measure): found * ((at_ms or 50) / 50) for at_ms in deadlines_ms}
                ledger.commit(cell.number, number, Measured(values, "digest", notes, 0.5))
        for failure in failures:
            ledger.fail(*failure)
    return Findings(folder)
