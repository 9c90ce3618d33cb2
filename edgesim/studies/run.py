"""Running a scenario: all its cells, into a results folder that appears whole or not at all."""

from __future__ import annotations

import functools
import json
import os
import platform
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from inspect import getfile
from pathlib import Path
from typing import Any

import edgesim
from edgesim.engine.assets import Assets
from edgesim.engine.live import Agreement, LiveExecution
from edgesim.engine.simulation import recorder_for, simulate
from edgesim.engine.world import Cell, replication_root
from edgesim.errors import InputError
from edgesim.network.build import build_rate
from edgesim.network.rate import pieces
from edgesim.outcomes.reliability import exit_reliability
from edgesim.policies.registry import user_class
from edgesim.profiling.costs import ModelCosts
from edgesim.profiling.report import machine_in_words
from edgesim.results.summary import summarise, write_summary
from edgesim.results.tables import Tables
from edgesim.scenario.batteries import TraceHarvest
from edgesim.scenario.loads import TraceLoad
from edgesim.scenario.policies import UserPolicy
from edgesim.scenario.rates import files_of
from edgesim.scenario.scenario import Scenario
from edgesim.studies.cells import check_needs, needs_of, plan_cells
from edgesim.studies.check_files import check_files
from edgesim.studies.labels import labels_of, warnings_of
from edgesim.studies.load import live_executors, load_assets
from edgesim.studies.merge import merge_tables
from edgesim.studies.processes import map_in_processes
from edgesim.studies.static_best import find_static_best, resolve

Progress = Callable[[str, int, int], None]
"""(stage, done, in all)."""


@dataclass(frozen=True)
class Run:
    """A finished run.  reused: it was there already."""

    folder: Path
    manifest: dict[str, Any]
    summary: dict[str, Any]
    reused: bool


def run_scenario(
    scenario: Scenario,
    out: Path = Path("runs"),
    jobs: int = 1,
    force: bool = False,
    progress: Progress = lambda *_: None,
) -> Run:
    """Run every cell of ``scenario`` and write ``out/NAME-HASH``; an existing folder is reused unless ``force``.

    jobs: worker processes.  The hash is of the resolved scenario, its profiles, its outcomes and edgesim's version,
    and the rows are the same on any number of workers.  Raises InputError for bad input, before anything is written.
    """
    check_needs(scenario)
    check_files(scenario)
    assets = load_assets(scenario, progress)
    folder = out / f"{scenario.name}-{run_hash(scenario, assets)}"
    if folder.exists() and not force:
        os.utime(folder)  # the newest folder is that of the last run asked for
        return Run(folder, _read_json(folder / "manifest.json"), _read_json(folder / "summary.json"), True)
    found = {
        name: find_static_best(scenario, assets, name, functools.partial(progress, f"calibrating {name}"))
        for name, spec in scenario.policies.items()
        if spec.type == "static_best"
    }
    cells = [resolve(cell, found) for cell in plan_cells(scenario)]
    with appearing(folder) as partial:
        agreement = _run_cells(scenario, assets, cells, partial, jobs, progress)
        _check_met(partial, scenario)
        manifest = {
            **manifest_of(scenario, assets),
            "static_best": {
                name: {str(deadline_ms): asdict(arm) for deadline_ms, arm in arms.items()}
                for name, arms in found.items()
            },
            "live_agreement": None if agreement is None else asdict(agreement),
            "link_rate": _link_rate(scenario),
        }
        _write_json(partial / "manifest.json", manifest)
        if not scenario.regression:
            _write_json(partial / "reliability.json", {"exits": exit_reliability(assets.test)})
        progress("summarising", 0, 1)
        summary = summarise(partial, manifest["labels"])
        write_summary(partial, summary)
        progress("summarising", 1, 1)
        progress("drawing", 0, 1)
        from edgesim.results.plots import draw_all

        draw_all(partial, manifest)
        progress("drawing", 1, 1)
    return Run(folder, manifest, summary, False)


def _check_met(folder: Path, scenario: Scenario) -> None:
    if not len(Tables(folder).requests):
        raise InputError(
            f"devices: no request arrives within duration_s ({scenario.duration_s:g}) in any replication; "
            "allowed: arrivals that begin before it"
        )


def run_hash(scenario: Scenario, assets: Assets) -> str:
    """A digest of everything that the rows depend on."""
    parts = {
        "scenario": scenario.resolved(),
        "edgesim": edgesim.__version__,
        "costs": {name: _cost_hash(costs) for name, costs in assets.costs.items()},
        "decisions": dict(assets.decision_s),
        "test": {name: outcomes.hash for name, outcomes in assets.test.items()},
        "validation": {name: outcomes.hash for name, outcomes in assets.validation.items()},
        "files": _file_hashes(scenario),
    }
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]


def _cost_hash(costs: Any) -> str:
    profile = getattr(costs, "profile", None)
    return "synthetic" if profile is None else profile.hash


def _file_hashes(scenario: Scenario) -> dict[str, str]:
    """Digests of the traces and of the users' policies that the scenario names: what is in them is part of it."""
    found = [spec.arrivals.file for spec in scenario.devices.values() if spec.arrivals.process == "trace"]
    harvests = [spec.battery.harvest for spec in scenario.devices.values() if spec.battery is not None]
    loads = [spec.processor.load for spec in scenario.devices.values()]
    loads += [spec.processor.load for spec in scenario.servers.values()]
    found += [each.file for each in (*harvests, *loads) if isinstance(each, TraceHarvest | TraceLoad)]
    found += [file for link in scenario.links.values() for rate in (link.up, link.down) for file in files_of(rate)]
    found += [Path(getfile(user_class(spec))) for spec in scenario.policies.values() if isinstance(spec, UserPolicy)]
    return {os.path.relpath(path, scenario.folder): sha256(path.read_bytes()).hexdigest()[:16] for path in found}


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """A folder to write into, which takes the place of ``folder`` when all is done, and is removed on any error."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    made = [parent for parent in folder.parents if not parent.exists()]
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"cannot write results to {folder.parent}: {error.strerror}") from error
    try:
        yield partial
        if folder.exists():
            old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
            folder.rename(old)
            partial.rename(folder)
            shutil.rmtree(old)
        else:
            partial.rename(folder)
    except OSError as error:
        raise InputError(f"cannot write results to {folder.parent}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        for parent in made:
            with suppress(OSError):  # it holds the results
                parent.rmdir()


def _run_cells(
    scenario: Scenario, assets: Assets, cells: Sequence[Cell], folder: Path, jobs: int, progress: Progress
) -> Agreement | None:
    """Simulate all cells into parts, then merge these in order; how live answers agreed with tabled ones."""
    groups = grouped(cells, jobs)
    parts = [folder / "parts" / str(number) for number in range(len(groups))]
    for part in parts:
        part.mkdir(parents=True)
    total = Agreement()
    done = 0
    with closing(_simulated(scenario, assets, groups, parts, min(jobs, len(groups)))) as simulated:
        for group, agreement in zip(groups, simulated, strict=True):
            done += len(group)
            progress("simulating", done, len(cells))
            total.add(agreement)
    merge_tables(parts, folder)
    shutil.rmtree(folder / "parts")
    return total if scenario.execution == "live" else None


def grouped(cells: Sequence[Cell], jobs: int) -> list[list[Cell]]:
    """The cells in the order of their rows, cut into groups for the workers.

    Cells of one replication follow each other, as they meet the same links, whose rates are then still at hand.
    """
    ordered = sorted(cells, key=lambda cell: cell.replication)
    size = max(1, len(ordered) // (8 * jobs))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def _simulated(
    scenario: Scenario, assets: Assets, groups: Sequence[Sequence[Cell]], parts: Sequence[Path], jobs: int
) -> Generator[Agreement]:
    if jobs <= 1:
        worker = _Worker(scenario, assets)
        yield from map(worker.run, groups, parts)
        return
    yield from map_in_processes(jobs, _run_in_worker, (groups, parts), _start_worker, (scenario,))


class _Worker:
    """Runs cells of one scenario, one after the other."""

    def __init__(self, scenario: Scenario, assets: Assets) -> None:
        self._scenario, self._assets = scenario, assets
        self._executors = live_executors(scenario, "test") if scenario.execution == "live" else None

    def run(self, cells: Sequence[Cell], part: Path) -> Agreement:
        """Simulate some cells into the tables of one part."""
        total = Agreement()
        recorder = recorder_for(self._scenario, self._assets, part)
        for cell in cells:
            live = None if self._executors is None else LiveExecution(self._executors)
            try:
                agreement = simulate(self._scenario, self._assets, cell, recorder, self._assets.test, live)
            except InputError as error:
                raise self._scenario.error(f"policies.{cell.policy}", str(error)) from error
            if agreement is not None:
                total.add(agreement)
        recorder.close()
        return total


_worker: _Worker | None = None


def _start_worker(scenario: Scenario) -> None:
    global _worker
    _worker = _Worker(scenario, load_assets(scenario))


def _run_in_worker(cells: Sequence[Cell], part: Path) -> Agreement:
    assert _worker is not None
    return _worker.run(cells, part)


def manifest_of(scenario: Scenario, assets: Assets) -> dict[str, Any]:
    """Where the numbers of a scenario come from: seed, versions, digests, labels, what to beware of."""
    return {
        "name": scenario.name,
        "seed": scenario.seed,
        "scenario": scenario.resolved(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: version(name) for name in ("edgesim", "numpy", "simpy", "pyarrow", "torch", "timm")},
        "python": platform.python_version(),
        "profiles": {name: _cost_hash(costs) for name, costs in assets.costs.items()},
        "machines": {
            name: machine_in_words(costs.profile.machine)
            for name, costs in assets.costs.items()
            if isinstance(costs, ModelCosts)
        },
        "outcomes": {
            split: {name: outcomes.hash for name, outcomes in by_model.items()}
            for split, by_model in (("test", assets.test), ("validation", assets.validation))
        },
        "files": _file_hashes(scenario),
        **labelled(scenario, assets),
    }


def labelled(scenario: Scenario, assets: Assets) -> dict[str, Any]:
    """What marks the numbers of a scenario, and what to beware of: ``labels`` and ``warnings``."""
    oracles = [name for name, spec in scenario.policies.items() if needs_of(spec).truth]
    return {"labels": labels_of(scenario, assets, oracles), "warnings": warnings_of(scenario, assets)}


def _link_rate(scenario: Scenario) -> dict[str, Any] | None:
    """The uplink's rate of the first device with a link of its own, in replication 0, for the plot."""
    root = replication_root(scenario.seed, 0)
    for name, spec in scenario.devices.items():
        if spec.link is not None:
            link = scenario.links[spec.link]
            owner = f"{name}-0" if link.sharing == "fifo" else ""
            rate = build_rate(link.up, root, "rate", spec.link, owner, "up", horizon_s=scenario.duration_s)
            edges_s, rates_bps = pieces(rate, 0.0, scenario.duration_s)
            return {"device": f"{name}-0", "edges_s": list(edges_s), "rates_bps": list(rates_bps)}
    return None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the results found are damaged ({error}); --force runs again") from error


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
