"""What a replication of a study warns of, and where that is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_studies import small_study

from edgesim.commands.study import status_command
from edgesim.results.stability import usual
from edgesim.studies.conduct import conduct
from edgesim.studies.design import cells_of
from edgesim.studies.findings import Findings
from edgesim.studies.replication import Work, run_replication

NOTHING = "no request arrived in the measured window: there is nothing to measure"


@pytest.mark.parametrize(("rate_hz", "told"), [(1e-6, True), (4, False)])
def test_a_replication_without_requests_says_so(tmp_path: Path, rate_hz: float, told: bool) -> None:
    study, base = small_study(tmp_path, {"set": {"devices.camera.arrivals.rate_hz": rate_hz, "duration_s": 3}})
    notes = run_replication(Work(str(rate_hz), base), next(iter(cells_of(study))), 0, {}).notes
    assert (NOTHING in notes) is told
    assert any(note.startswith("rough: latency_p50_s") for note in notes) is not told


def test_a_study_tells_its_warnings_once_with_their_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, base = small_study(tmp_path, {"replications": 2})
    findings = Findings(conduct(study, base, tmp_path).folder)
    rough = [warning for warning in findings.warnings if warning.startswith("rough: latency_p50_s")]
    assert len(rough) == 1 and rough[0].endswith("answered requests (4 cells)")
    status_command(findings.folder)
    assert f"Warning: {rough[0]}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("length_ms", "told"), [(2, False), (400, True)])
def test_a_queue_that_grows_in_most_replications_is_told(tmp_path: Path, length_ms: float, told: bool) -> None:
    """Four arrivals a second at blocks of 0.4 s: every replication's queue grows, and nobody's at blocks of 2 ms."""
    changes = {"models.toy.blocks_ms": [2, length_ms, 5], "duration_s": 30}
    study, base = small_study(tmp_path, {"set": changes, "replications": 3, "policies": ["local"], "contrasts": None})
    warnings = Findings(conduct(study, base, tmp_path).folder).warnings
    grows = [
        each for each in warnings if each.startswith("local: waits for the devices' processors grow over the run: ")
    ]
    assert bool(grows) is told and all(each.endswith("(4 cells)") for each in grows)


@pytest.mark.parametrize(("told", "usually"), [(9, True), (8, False)])
def test_chance_in_a_few_replications_says_nothing_of_a_cell(told: int, usually: bool) -> None:
    assert usual("a: waits for the uplink grow over the run: b", told, 10) is usually
    assert usual("a: requests were unfinished", told, 10)
