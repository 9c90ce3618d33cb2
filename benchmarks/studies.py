"""What conducting a study costs: workers, cells, and a ledger of 10,000 cells.

    python benchmarks/studies.py [--quick] [--markdown FILE]

Throughput: the same study on one worker and on two, from the first replication to the last (starting and
ending the workers is not counted, and said apart).  Overhead: cells that simulate next to nothing.  Ledger: 10,000
cells of 10 replications, filled with drawn numbers in the layout of a real study, then listed, resumed and summarised
in a process of its own.  Let nothing else run.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

SCENARIO = Path(__file__).parents[1] / "scenarios" / "quickstart.yaml"
CELLS, REPLICATIONS = 10_000, 10


def written_study(folder: Path, name: str, cells: int, replications: int, seconds: float, policies: list[str]) -> Path:
    document: dict[str, Any] = {
        "study": name,
        "scenario": "quickstart.yaml",
        "set": {"duration_s": seconds, "warmup_s": 0},
        "policies": policies,
        "replications": replications,
        "axes": {"delay": {"key": "links.radio.delay_ms", "range": {"low": 1, "high": 50, "count": cells}}},
    }
    (folder / "quickstart.yaml").write_text(SCENARIO.read_text())
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(document))
    return path


def conducted(path: Path, jobs: int) -> tuple[float, float]:
    """Seconds of the whole call, and from the first replication handed out to the last committed."""
    from edgesim.studies.conduct import conduct
    from edgesim.studies.read_study import read_study

    times: list[float] = []

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "replications":
            times.append(perf_counter())

    study, base = read_study(path)
    with tempfile.TemporaryDirectory() as out:
        began = perf_counter()
        conduct(study, base, Path(out), jobs, progress=progress)
        return perf_counter() - began, times[-1] - times[0]


def throughput(folder: Path, quick: bool) -> str:
    cells = 4 if quick else 48
    path = written_study(folder, "throughput", cells, 10, 120, ["server_only", "neurosurgeon", "anytime"])
    one_s, two_s = (conducted(path, jobs)[1] for jobs in (1, 2))
    return (
        f"Two workers reach {one_s / two_s:.2f} times the throughput of one (aim 1.70): {cells * 10} replications in "
        f"{one_s:.0f} s and {two_s:.0f} s."
    )


def overhead(folder: Path, quick: bool) -> str:
    cells = 50 if quick else 300
    path = written_study(folder, "overhead", cells, 1, 0.01, ["device_only"])
    whole_s, working_s = conducted(path, 1)
    return (
        f"A cell that simulates next to nothing takes {1e3 * working_s / cells:.1f} ms (aim 50); "
        f"starting and ending the workers takes {whole_s - working_s:.1f} s."
    )


def filled_ledger(folder: Path) -> Path:
    """The results folder of a study with all its cells, as if each replication had measured something."""
    from edgesim.studies.conduct import LEDGER, conduct
    from edgesim.studies.design import cells_of
    from edgesim.studies.ledger import Ledger, Measured
    from edgesim.studies.read_study import read_study
    from edgesim.studies.study import Study

    path = written_study(folder, "ledger", 2, 1, 1, ["server_only", "neurosurgeon", "anytime"])
    study, base = read_study(path)
    small = conduct(study, base, folder / "small", 1).folder
    with Ledger(small / LEDGER) as ledger:
        about = ledger.about()
        quantities = next(ledger.measured())[2]
    large = folder / "large"
    large.mkdir()
    about["study"]["axes"]["delay"]["range"]["count"] = CELLS
    about["study"]["replications"] = REPLICATIONS
    draw = np.random.default_rng(1)
    with Ledger.create(large / LEDGER, about, cells_of(Study.model_validate(about["study"]))) as ledger:
        ledger._base.execute("PRAGMA synchronous=OFF")
        for cell in range(CELLS):
            for number in range(REPLICATIONS):
                values = dict(zip(quantities, draw.random(len(quantities)).tolist(), strict=True))
                ledger.commit(cell, number, Measured(values, "", (), 1.0, "host/1"))
    return large


def read_ledger(folder: Path) -> dict[str, float]:
    """List, ask what is left to run, and summarise; time and peak memory."""
    from edgesim.studies.agenda import Agenda
    from edgesim.studies.conduct import open_ledger
    from edgesim.studies.findings import Findings
    from edgesim.studies.study_tables import write_tables

    began = perf_counter()
    findings = Findings(folder)
    listed_s = perf_counter() - began
    began = perf_counter()
    with open_ledger(folder) as ledger:
        cells = {cell.number: cell for cell in ledger.cells()}
        agenda = Agenda(findings.study, len(cells), ledger.finished(), lambda cell, count: ([], np.empty((0, 0))))
    assert agenda.next() is None
    resumed_s = perf_counter() - began
    began = perf_counter()
    write_tables(findings)
    summarised_s = perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"listed_s": listed_s, "resumed_s": resumed_s, "summarised_s": summarised_s, "peak": peak}


def ledger(folder: Path) -> str:
    path = filled_ledger(folder)
    command = [sys.executable, __file__, "--read", str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    size = sum(file.stat().st_size for file in path.glob("ledger.sqlite*"))
    return (
        f"{CELLS:,} cells of {REPLICATIONS} replications ({size / 1e6:.0f} MB) are listed in "
        f"{found['listed_s']:.1f} s, resumed in {found['resumed_s']:.1f} s, summarised in "
        f"{found['summarised_s']:.1f} s, with a peak of {found['peak'] / 1e6:.0f} MB (aim: under a minute and "
        "1,000 MB together)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few cells")
    parser.add_argument("--markdown", type=Path, help="write the sentences to this file as well")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        print(json.dumps(read_ledger(given.read)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [throughput(folder, given.quick), overhead(folder, given.quick), ledger(folder)]
    print("\n".join(lines))
    if given.markdown:
        given.markdown.write_text("\n\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
