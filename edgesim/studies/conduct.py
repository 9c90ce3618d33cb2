"""Conducting a study: every replication of every cell that its ledger does not hold yet, on dask workers."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgesim.errors import InputError
from edgesim.scenario.scenario import Scenario
from edgesim.studies.agenda import Agenda
from edgesim.studies.cells import check_needs
from edgesim.studies.check_files import check_files
from edgesim.studies.cluster import workers
from edgesim.studies.design import Cell, cells_of
from edgesim.studies.ledger import Counts, Ledger, Quantity
from edgesim.studies.load import load_assets
from edgesim.studies.read_study import Base
from edgesim.studies.replication import Work, find_arms, run_replication
from edgesim.studies.run import manifest_of, run_hash
from edgesim.studies.study import Study

if TYPE_CHECKING:
    from distributed import Client, Future

Progress = Callable[[str, int, int], None]
"""(stage, done, in all)."""
LEDGER = "ledger.sqlite"
AHEAD = 3
"""Tasks that are handed out for each thread of the workers."""


@dataclass(frozen=True)
class Conducted:
    """A study as far as it has come.  reused: there was nothing left to run."""

    folder: Path
    counts: Counts
    failures: list[tuple[int, int, str]]
    reused: bool


def conduct(
    study: Study,
    base: Base,
    out: Path = Path("studies"),
    jobs: int = 1,
    scheduler: str | None = None,
    progress: Progress = lambda *_: None,
) -> Conducted:
    """Run what is not yet in the ledger of ``out/NAME-HASH``, which is made where it is missing.

    Where it is there, it takes up the question, the contrasts and the labels of axes that are asked now.

    jobs: local worker processes.  scheduler: the address of a Dask scheduler in place of these.  The values are the
    same on any workers, and whatever was interrupted and taken up again.  Raises InputError for bad input before
    anything is run, and where the ledger cannot be written; what was finished is kept.
    """
    key, manifest = _inputs(study, base, progress)
    folder = out / f"{study.study}-{key}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write results to {out}: {error.strerror}") from error
    with _alone(folder):
        if not (folder / LEDGER).exists():
            about = {
                "study": study.model_dump(mode="json", exclude_unset=True),
                "base": {"data": dict(base.data), "folder": str(base.folder)},
                "manifest": manifest,
                "begun": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            _create(folder / LEDGER, about, study)
        with Ledger(folder / LEDGER) as ledger:
            ledger.ask(study.model_dump(mode="json", exclude_unset=True))
        return _continue(study, Work(key, base), folder, jobs, scheduler, progress)


def resume(
    folder: Path, jobs: int = 1, scheduler: str | None = None, progress: Progress = lambda *_: None
) -> Conducted:
    """Go on with the study of a results folder, as ``conduct``.

    Raises InputError where there is none, or where its models, profiles or files are no longer what they were.
    """
    with open_ledger(folder) as ledger:
        about = ledger.about()
    study = Study.model_validate(about["study"])
    base = Base(about["base"]["data"], Path(about["base"]["folder"]))
    key, _ = _inputs(study, base, progress)
    if not folder.resolve().name.endswith(f"-{key}"):
        raise InputError(f"{folder}: edgesim, a model, a profile or a file has changed since; run the study anew")
    with _alone(folder):
        return _continue(study, Work(key, base), folder, jobs, scheduler, progress)


def open_ledger(folder: Path) -> Ledger:
    """The ledger of a study's folder.  Raises InputError where there is none."""
    if not (folder / LEDGER).is_file():
        raise InputError(f"{folder}: found no {LEDGER} there; allowed: the results folder of a study")
    return Ledger(folder / LEDGER)


def _inputs(study: Study, base: Base, progress: Progress) -> tuple[str, dict[str, Any]]:
    """A study's key, and the manifest of its scenario; refuses what is wrong with it."""
    scenario = base.changed({}, "the study's scenario")
    check_needs(scenario)
    check_files(scenario)
    assets = load_assets(scenario, progress)
    return study_hash(study, scenario, run_hash(scenario, assets)), manifest_of(scenario, assets)


def _continue(
    study: Study, work: Work, folder: Path, jobs: int, scheduler: str | None, progress: Progress
) -> Conducted:
    with Ledger(folder / LEDGER) as ledger:
        try:
            ran = _run(study, work, ledger, jobs, scheduler, progress)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"stopped; what is finished is kept: edgesim study resume {folder}") from None
        return Conducted(folder, ledger.counts(), ledger.failures(), not ran)


def study_hash(study: Study, scenario: Scenario, inputs: str) -> str:
    """A digest of what is run for a study, and of all that its rows depend on; what is asked of them is no part."""
    told = study.model_dump(mode="json", exclude={"question", "contrasts"})
    for axis in told["axes"].values():
        del axis["label"]
    parts = {"study": told, "scenario": scenario.resolved(), "inputs": inputs}
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]


def _create(path: Path, about: dict[str, Any], study: Study) -> None:
    """A new ledger, which appears with all its cells or not at all."""
    partial_path = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        Ledger.create(partial_path, about, cells_of(study)).close()
        partial_path.replace(path)
    finally:
        for leftover in path.parent.glob(f"{partial_path.name}*"):
            leftover.unlink()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process conducts a study at a time; the lock goes with its holder, however that ends."""
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"{folder}: another process conducts this study; wait, or end it") from None
        yield


def _run(study: Study, work: Work, ledger: Ledger, jobs: int, scheduler: str | None, progress: Progress) -> bool:
    """Run what is open; False where nothing was."""
    cells = {cell.number: cell for cell in ledger.cells()}
    agenda = Agenda(study, len(cells), ledger.finished(), partial(_values, ledger))
    if agenda.done == agenda.total:
        return False
    with workers(jobs, scheduler) as client:
        tasks = _Tasks(client, work, cells)
        progress("replications", agenda.done, agenda.total)
        while True:
            tasks.fill(agenda)
            finished = tasks.wait()
            if finished is None:
                return True
            cell, number, future = finished
            _settle(ledger, agenda, cells[cell], number, future)
            progress("replications", agenda.done, agenda.total)


def _values(ledger: Ledger, cell: int, replications: int) -> tuple[list[Quantity], np.ndarray]:
    """What the first replications of a cell measured."""
    _, numbers, quantities, values = next(ledger.measured(cell))
    return quantities, values[np.array(numbers) < replications]


def _settle(ledger: Ledger, agenda: Agenda, cell: Cell, number: int, future: Future) -> None:
    """Commit what a task has found, or why it has found nothing."""
    error = future.exception()
    if error is None:
        measured = future.result()
        before = ledger.inputs(cell.number)
        if before in (None, measured.inputs):
            ledger.commit(cell.number, number, measured)
            agenda.finish(cell.number)
            return
        error = InputError("its models, profiles or files have changed since the first replication was run")
    why = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    ledger.fail(cell.number, number, why)
    agenda.give_up(cell.number)


class _Tasks:
    """What the workers have in hand."""

    def __init__(self, client: Client, work: Work, cells: dict[int, Cell]) -> None:
        from distributed import as_completed

        self._client, self._work, self._cells = client, work, cells
        self._completed = as_completed(loop=client.loop)
        self._of: dict[Any, tuple[int, int]] = {}
        self._arms: dict[int, Future] = {}
        self._static = any(spec.get("type") == "static_best" for spec in work.base.data["policies"].values())

    def fill(self, agenda: Agenda) -> None:
        """Hand out tasks until every thread has some waiting."""
        most = AHEAD * max(1, sum(self._client.nthreads().values()))
        while len(self._of) < most and (task := agenda.next()):
            cell, number = task
            future = self._client.submit(
                run_replication, self._work, self._cells[cell], number, self._arms_of(cell), pure=False
            )
            self._of[future.key] = task
            self._completed.add(future)

    def wait(self) -> tuple[int, int, Future] | None:
        """The next task that ends; None where no task is in hand."""
        if not self._of:
            return None
        future = next(self._completed)
        return *self._of.pop(future.key), future

    def _arms_of(self, cell: int) -> Any:
        """What a cell's static policies do, found once for all its replications."""
        if not self._static:
            return {}
        if cell not in self._arms:
            self._arms = {cell: self._client.submit(find_arms, self._work, self._cells[cell], pure=False)}
        return self._arms[cell]
