"""``edgesim validate theory``: agreement with theory, and that a simulator which is 5 % off would be seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import edgesim.commands.validate as validate
from edgesim.studies.validation import ExactCase, MeanCase, all_cases

REQUESTS = 30_000


def test_theory_and_simulation_agree(command) -> None:
    said = command("validate", "theory", "--requests", 10_000, "--seed", 2)
    assert said.code == 0, said.out
    rows = [line for line in said.out.splitlines() if line.rstrip().endswith(" yes")]
    for name in (
        "M/M/1",
        "M/D/1",
        "M/M/4",
        "M/E4/1",
        "M/G/1-PS, equal",
        "M/G/1-PS, sizes of cv 2.25",
        "Steps",
        "equal flows",
    ):
        assert any(name in row for row in rows)
    assert len(rows) == 9


def test_one_row_that_disagrees_fails_the_command(command, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_wrong(requests: int, folder: Path) -> list[MeanCase | ExactCase]:
        *_, flows, lone = all_cases(requests, folder)
        assert isinstance(lone, ExactCase)
        theory = lone.theory
        return [flows, replace(lone, theory=lambda arrivals_s: [1.000_001 * each for each in theory(arrivals_s)])]

    monkeypatch.setattr(validate, "all_cases", one_wrong)
    said = command("validate", "theory", "--requests", 10_000)
    assert said.code == 1
    assert [line.split()[-1] for line in said.out.splitlines() if " / R " in line or "lone" in line] == ["yes", "NO"]


def slower(case: MeanCase) -> MeanCase:
    """The same with 5 % slower service, or a 5 % slower cell."""
    config = dict(case.config)
    if "PS" in case.name:
        link = dict(config["links"]["access"])
        link["up"] = link["up"] | {"rate_mbps": link["up"]["rate_mbps"] / 1.05}
        config["links"] = {"access": link}
    else:
        config["servers"] = {"edge": config["servers"]["edge"] | {"processor": {"factor": 1.05}}}
    return replace(case, config=config)


@pytest.mark.parametrize("name", ["M/D/1", "M/G/1-PS, equal sizes"])
def test_five_percent_would_be_seen(name: str, tmp_path: Path) -> None:
    case = next(case for case in all_cases(REQUESTS, tmp_path) if case.name == name)
    assert isinstance(case, MeanCase)
    assert case.compare(seed=1).ok
    assert not slower(case).compare(seed=1).ok
