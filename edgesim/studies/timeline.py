"""One cell of a finished run, simulated again to see when everything happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from edgesim.engine.live import LiveExecution
from edgesim.engine.observed import ObservedWorld
from edgesim.engine.simpy_clock import SimpyClock
from edgesim.engine.simulation import recorder_for, run_to_end
from edgesim.engine.world import Cell
from edgesim.errors import InputError
from edgesim.policies.arms import Arm
from edgesim.policies.fixed_arm import ArmSpec
from edgesim.results.columns import ANSWERS, CELL, NAME, REQUESTS, Column
from edgesim.results.provenance import provenance
from edgesim.results.recorded import RecordedRun, read_json
from edgesim.results.summary import read_summary
from edgesim.results.tables import Table, Tables
from edgesim.results.timeline import Timeline
from edgesim.scenario.load import build_scenario, load_scenario
from edgesim.scenario.scenario import Scenario
from edgesim.studies.check_files import check_files
from edgesim.studies.load import Progress, live_executors, load_assets
from edgesim.studies.run import manifest_of, run_hash
from edgesim.studies.timeline_tracks import draw

Rows = dict[str, np.ndarray]


def timeline_of(
    folder: Path,
    chosen: range,
    policy: str | None = None,
    replication: int = 0,
    deadline_ms: float | None = None,
    scenario_folder: Path = Path(),
    progress: Progress = lambda *_: None,
) -> Timeline:
    """What happened to some requests in a cell of the run in ``folder``.

    chosen: their numbers in the order of arrival over all devices.  policy: the first one, if None.  deadline_ms: of
    the axis; if None, devices' own deadlines, or where the policy was run on the axis only, the compared one.
    scenario_folder: what paths in the scenario count from.

    The records hold sums by stage, so the cell is simulated again from the manifest, watched.  Raises InputError where
    there is no such cell, and where not the same rows come out, as models, profiles, files or code have changed.
    """
    manifest, recorded = read_json(folder / "manifest.json"), RecordedRun(folder)
    cell, where = _cell(recorded, policy, replication, deadline_ms)
    if chosen.start >= where.sum():
        raise InputError(f"--requests {_said(chosen)}: there are {where.sum()} requests, 0..{where.sum() - 1}")
    scenario = _scenario(manifest, scenario_folder)
    cell = _with_spec(cell, scenario, manifest)
    with TemporaryDirectory() as again:
        world = _simulated(scenario, cell, manifest, folder, Path(again), progress)
        _check_rows(recorded, cell, where, Tables(Path(again)), manifest)
        rows = _sorted(Tables(Path(again)).requests, REQUESTS, None)
    about = {
        "run": manifest["name"],
        "seed": manifest["seed"],
        "policy": cell.policy,
        "replication": cell.replication,
        "deadline_ms": cell.axis_deadline_ms,
        "requests": _said(chosen),
        "edgesim": manifest["versions"]["edgesim"],
    }
    return draw(world, rows, chosen, about)


def run_of(path: Path, out: Path = Path("runs")) -> Path:
    """The folder in ``out`` with the run of the scenario in the YAML file ``path``.

    Raises InputError where there is none, as where keys were changed when the scenario was run.
    """
    scenario = load_scenario(path)
    folder = out / f"{scenario.name}-{run_hash(scenario, load_assets(scenario))}"
    if not folder.exists():
        raise InputError(f"{path}: as it stands it has no results in {out}: edgesim run it, or name a results folder")
    return folder


def _said(chosen: range) -> str:
    return f"{chosen.start}..{chosen.stop - 1}"


def _cell(
    recorded: RecordedRun, policy: str | None, replication: int, deadline_ms: float | None
) -> tuple[Cell, np.ndarray]:
    """The cell that is meant, without its policy's spec, and which rows of requests.parquet are its own."""
    if policy is None:
        policy = recorded.policies[0]
    if policy not in recorded.policies:
        raise InputError(f"--policy {policy}: the run has {', '.join(recorded.policies)}")
    runs = recorded.cells.runs(policy)
    if deadline_ms is None and None not in runs:
        compared_ms = read_summary(recorded.folder)["compared_at_ms"]
        deadline_ms = compared_ms if compared_ms in runs else next(iter(runs))
    if deadline_ms not in runs:
        known = ", ".join(f"{each:g}" for each in runs if each is not None)
        told = f"at {known} ms" if known else "once, at devices' own deadlines: leave --deadline out"
        raise InputError(f"--deadline {deadline_ms:g}: {policy} was run {told}")
    numbers = {recorded.cells.cells[number].replication: number for number in runs[deadline_ms]}
    if replication not in numbers:
        raise InputError(f"--replication {replication}: the run has 0..{max(numbers)}")
    return Cell(policy, None, deadline_ms, replication), recorded.cells.of_requests == numbers[replication]


def _scenario(manifest: Mapping[str, Any], folder: Path) -> Scenario:
    try:
        scenario = build_scenario(manifest["scenario"], folder)
        check_files(scenario)
        return scenario
    except InputError as error:
        raise InputError(
            f"{error}\n(paths in the scenario count from {folder.resolve()}: --scenario-folder says from where else)"
        ) from error


def _with_spec(cell: Cell, scenario: Scenario, manifest: Mapping[str, Any]) -> Cell:
    """With its policy as the run had it: a static best is what was found then."""
    found = manifest["static_best"].get(cell.policy)
    if found is None:
        return replace(cell, spec=scenario.policies[cell.policy])
    arm = found[str(cell.axis_deadline_ms)]
    path = tuple((cut, codec) for cut, codec in arm["path"])
    return replace(cell, spec=ArmSpec(Arm(arm["model"], path, arm["exit"])))


def _simulated(
    scenario: Scenario, cell: Cell, manifest: Mapping[str, Any], folder: Path, again: Path, progress: Progress
) -> ObservedWorld:
    """The world as the cell has left it; its rows are in ``again``."""
    assets = load_assets(scenario, progress)
    known = set(provenance(manifest_of(scenario, assets)))
    changed = [name for name, digest in provenance(manifest) if name != "versions" and (name, digest) not in known]
    if changed:
        raise InputError(
            f"{folder}: cannot be simulated again, as something is not what it was: {', '.join(dict.fromkeys(changed))}"
        )
    live = LiveExecution(live_executors(scenario, "test")) if scenario.execution == "live" else None
    recorder, clock = recorder_for(scenario, assets, again), SimpyClock()
    recorder.begin(cell.key)
    progress("simulating", 0, 1)
    world = ObservedWorld(scenario, assets, cell, clock, recorder, assets.test, live)
    run_to_end(world, clock, recorder)
    recorder.close()
    progress("simulating", 1, 1)
    return world


def _check_rows(
    recorded: RecordedRun, cell: Cell, where: np.ndarray, again: Tables, manifest: Mapping[str, Any]
) -> None:
    """Refuse a cell of which other requests or answers come out than the run has."""
    tables = recorded.tables
    number = recorded.cells.of_requests[where][0]
    for then, now, columns, chosen in (
        (tables.requests, again.requests, REQUESTS, where),
        (tables.answers, again.answers, ANSWERS, recorded.cells.of(tables.answers) == number),
    ):
        rows, found = _sorted(then, columns, chosen), _sorted(now, columns, None)
        for name, values in rows.items():
            if values.shape == found[name].shape and _same(values, found[name]).all():
                continue
            version = manifest["versions"]["edgesim"]
            raise InputError(
                f"{recorded.folder}: {cell.policy}, replication {cell.replication}, comes out otherwise now "
                f"({name} in {then.path.name} differs): edgesim (then {version}) or what it stands on has changed; "
                "run the scenario again"
            )


def _same(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    equal: np.ndarray = one == other
    return equal | ((one != one) & (other != other))


def _sorted(table: Table, columns: tuple[Column, ...], where: np.ndarray | None) -> Rows:
    """Rows by device and number, answers of one request in the order in which they came."""
    found: Rows = {}
    for column in columns[len(CELL) :]:
        if column.kind == NAME:
            names = table.names(column.name)
            values = np.array(names.words, dtype=str)[names.codes]
        else:
            values = table.column(column.name)
        found[column.name] = values if where is None else values[where]
    keys = [found[name] for name in ("depth", "time_s", "number", "device") if name in found]
    order = np.lexsort(keys)
    return {name: values[order] for name, values in found.items()}
