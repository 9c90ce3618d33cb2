"""One replication of one cell, as a worker runs it: all policies, all deadlines, down to what is measured.

What the replications of a cell share is made once in a process and kept for the next ones.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from os import getpid
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from edgesim.engine.assets import Assets
from edgesim.engine.simulation import recorder_for, simulate
from edgesim.engine.world import Cell as Simulation
from edgesim.errors import InputError
from edgesim.policies.arms import Arm
from edgesim.results.measures import Measures, measures_of
from edgesim.results.quantiles import rough_quantiles
from edgesim.results.recorded import RecordedRun
from edgesim.results.replicated import replicated
from edgesim.results.stability import NOTHING_COUNTS, usual_notes
from edgesim.scenario.scenario import Scenario
from edgesim.studies.cells import check_needs, plan_cells
from edgesim.studies.check_files import check_files
from edgesim.studies.design import Cell
from edgesim.studies.ledger import Measured, Quantity
from edgesim.studies.load import check_assets, load_assets
from edgesim.studies.read_study import Base
from edgesim.studies.run import labelled, run_hash
from edgesim.studies.static_best import find_static_best, resolve

Arms = Mapping[str, Mapping[float | None, Arm]]
"""What static policies do, by policy and deadline."""


@dataclass(frozen=True)
class Work:
    """What every task of a study is told.  key: the study's own; tasks of one key share what they load."""

    key: str
    base: Base


@dataclass(frozen=True)
class _Prepared:
    scenario: Scenario
    assets: Assets
    inputs: str
    labels: dict[str, Any]


KEPT = 4
"""Cells, and sets of models, that a process keeps at hand."""
_cells: dict[tuple[str, int], _Prepared] = {}
_assets: dict[tuple[str, str], Assets] = {}


def find_arms(work: Work, cell: Cell) -> Arms:
    """The best arm of each ``static_best`` in a cell, for every deadline."""
    prepared = _prepare(work, cell)
    scenario = prepared.scenario
    return {
        name: find_static_best(scenario, prepared.assets, name)
        for name, spec in scenario.policies.items()
        if spec.type == "static_best"
    }


def run_replication(work: Work, cell: Cell, replication: int, arms: Arms) -> Measured:
    """Simulate one replication of a cell.  Raises InputError where its scenario is refused."""
    began = perf_counter()
    prepared = _prepare(work, cell)
    scenario = prepared.scenario
    with TemporaryDirectory(prefix="edgesim-") as folder:
        recorder = recorder_for(scenario, prepared.assets, Path(folder))
        for simulation in plan_cells(scenario.model_copy(update={"replications": 1})):
            one = Simulation(simulation.policy, simulation.spec, simulation.axis_deadline_ms, replication)
            try:
                simulate(scenario, prepared.assets, resolve(one, arms), recorder, prepared.assets.test)
            except InputError as error:
                raise InputError(f"policies.{one.policy}: {error}") from error
        recorder.close()
        run = RecordedRun(Path(folder), scenario.resolved())
        measures = measures_of(run)
        values, notes = values_of(run, measures), _notes(run, measures)
    worker = f"{socket.gethostname()}/{getpid()}"
    return Measured(values, prepared.inputs, notes, perf_counter() - began, worker, prepared.labels)


def values_of(run: RecordedRun, measures: Measures) -> dict[Quantity, float]:
    """What one replication measured: every quantity of every run, and the points of the deadline axis."""
    found = {(each.policy, each.deadline_ms, each.quantity): each.values for each in replicated(run, measures)}
    return {quantity: float(value) for quantity, (value,) in found.items()}


def _notes(run: RecordedRun, measures: Measures) -> tuple[str, ...]:
    notes = [] if run.counted.requests.any() else [NOTHING_COUNTS]
    for policy in run.policies:
        for cells in run.cells.runs(policy).values():
            busy = {name: float(values["utilisation"][cells[0]]) for name, values in measures.nodes.items()}
            notes += usual_notes(policy, run.counted, cells, busy)
            if measures.ends["unfinished"][cells[0]] > 0:
                notes.append(f"{policy}: requests were unfinished at the end of the drain and count as misses")
    answered = measures.metrics["answered_ratio"] * run.counted.requests
    return (*notes, *rough_quantiles(float(np.nanmin(answered, initial=np.inf))))


def _prepare(work: Work, cell: Cell) -> _Prepared:
    """What the replications of a cell share, kept for the next one of the same cell."""
    key = (work.key, cell.number)
    if key not in _cells:
        while len(_cells) >= KEPT:
            del _cells[next(iter(_cells))]
        _cells[key] = _prepared(work, cell)
    return _cells[key]


def _prepared(work: Work, cell: Cell) -> _Prepared:
    scenario = work.base.changed(cell.changes, f"cell {cell.number} ({called(cell)})")
    if scenario.execution == "live":
        raise InputError("execution: found live, allowed in a study: tabled")
    check_needs(scenario)
    check_files(scenario)
    assets = _loaded(work, scenario)
    return _Prepared(scenario, assets, run_hash(scenario, assets), labelled(scenario, assets))


def _loaded(work: Work, scenario: Scenario) -> Assets:
    """Models, profiles and outcomes: those of an earlier cell, where nothing that they depend on has changed."""
    resolved = scenario.resolved()
    key = work.key, json.dumps([resolved[part] for part in ("models", "data", "policies", "seed")])
    if key in _assets:
        check_assets(scenario, _assets[key])
        return _assets[key]
    while len(_assets) >= KEPT:
        del _assets[next(iter(_assets))]
    _assets[key] = load_assets(scenario)
    return _assets[key]


def called(cell: Cell) -> str:
    """A cell's point in words."""
    return ", ".join(f"{axis} {value}" for axis, value in cell.point.items())
