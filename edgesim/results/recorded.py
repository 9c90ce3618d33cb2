"""A finished run as it lies in its folder: manifest, tables, cells and the points of its curves."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from edgesim.errors import InputError
from edgesim.results.axis import DeadlineAxis
from edgesim.results.cells import Cells
from edgesim.results.counted import Counted
from edgesim.results.points import Point, Points
from edgesim.results.slots import SlotHistory, slot_history
from edgesim.results.tables import Tables


class RecordedRun:
    """The records of a run folder, read as they are asked for.

    ``scenario`` is the resolved scenario: that of manifest.json, where none is given.  Raises InputError where a file
    is missing or broken.
    """

    def __init__(self, folder: Path, scenario: dict[str, Any] | None = None):
        self.folder = folder
        if scenario is None and not (folder / "manifest.json").is_file():
            what = "the results of a study" if (folder / "ledger.sqlite").is_file() else "no manifest.json"
            raise InputError(f"{folder}: found {what} there, allowed: the results folder of a run")
        self.scenario: dict[str, Any] = scenario or read_json(folder / "manifest.json")["scenario"]
        self.tables = Tables(folder)
        self.axis = DeadlineAxis.of(self.scenario)

    @cached_property
    def cells(self) -> Cells:
        return Cells(self.tables.requests)

    @cached_property
    def counted(self) -> Counted:
        return Counted(self.tables, self.cells)

    @property
    def seed(self) -> int:
        return int(self.scenario["seed"])

    @property
    def window(self) -> tuple[float, float]:
        """Warm-up and T in seconds: arrivals between them count."""
        return float(self.scenario["warmup_s"]), float(self.scenario["duration_s"])

    @cached_property
    def policies(self) -> list[str]:
        """The policies that have records, in the scenario's order."""
        present = {cell.policy for cell in self.cells.cells}
        return [name for name in self.scenario["policies"] if name in present]

    @cached_property
    def images(self) -> int:
        """How many different images the counted requests drew."""
        return len(np.unique(self.counted.column("sample")))

    @cached_property
    def regression(self) -> bool:
        """Whether requests have errors, and are not only right or wrong."""
        return not np.isnan(self.tables.requests.column("missed_error")).all()

    @cached_property
    def history(self) -> SlotHistory:
        """What the slots held, and when, in cells that are thresholded."""
        return slot_history(self.tables.answers, self.tables.requests, self.cells, self.axis)

    def points(self, policy: str) -> list[Point]:
        """The policy at each deadline it can be judged at: own deadlines first, then the axis."""
        runs = self.cells.runs(policy)
        points = [self._points.as_run(deadline_ms, cells) for deadline_ms, cells in runs.items()]
        if set(runs) == {None}:  # run once: the axis follows from the slots' history
            points += [self._points.thresholded(deadline_ms, runs[None]) for deadline_ms in self.axis.deadlines_ms]
        return points

    @cached_property
    def _points(self) -> Points:
        return Points(self.counted, self.history)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; raises InputError where it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no JSON object")
    return content
