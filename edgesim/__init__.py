"""edgesim: what accuracy do I get by my deadline, with which policy, on which network?

Importing the package imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgesim.results.results import Results
    from edgesim.scenario.scenario import Scenario
    from edgesim.studies.findings import Findings

__version__ = "0.1.0"


def read_scenario(path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """The scenario in a YAML file, with overrides such as ``seed=2`` or ``links.access.delay_ms=30``.

    Raises InputError naming file, line and key where it is wrong.
    """
    from edgesim.scenario.load import load_scenario

    return load_scenario(Path(path), overrides)


def run(
    scenario: Scenario | str | Path,
    overrides: Sequence[str] = (),
    policies: Sequence[str] = (),
    out: str | Path = "runs",
    jobs: int = 1,
    force: bool = False,
) -> Results:
    """Run a scenario, or the one in a YAML file, as ``edgesim run`` does; its results, which lie in ``out/NAME-HASH``.

    overrides: as in ``read_scenario``.  policies: only these; all where none is named.  jobs: worker processes.
    force: run again even if the results are there.  Raises InputError for bad input.
    """
    from edgesim.studies.from_python import run_from_python

    return run_from_python(scenario, overrides, policies, Path(out), jobs, force)


def study(
    study: str | Path | Mapping[str, Any],
    replications: int | None = None,
    out: str | Path = "studies",
    jobs: int = 1,
    scheduler: str | None = None,
) -> Findings:
    """Run what is missing of a study, as ``edgesim study`` does; what it found, which lies in ``out/NAME-HASH``.

    study: a YAML file, or what would stand in one, with paths from the current folder.  replications: in place of the
    study's number.  jobs: local worker processes.  scheduler: the address of a Dask scheduler in place of these.
    Raises InputError for bad input.
    """
    from edgesim.studies.from_python import study_from_python

    return study_from_python(study, replications, Path(out), jobs, scheduler)


def load(folder: str | Path) -> Results | Findings:
    """What lies in the results folder of a run (``Results``) or of a study (``Findings``), as pandas frames.

    Raises InputError where it is neither.
    """
    from edgesim.studies.from_python import load_from_python

    return load_from_python(Path(folder))
