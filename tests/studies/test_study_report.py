"""The report of a study says what its tables say, whatever state the study is in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hand_studies import COSTS, hand_study
from page_reader import PageReader
from ruamel.yaml import YAML
from small_studies import small_study

from edgesim.results import report
from edgesim.results.report import render
from edgesim.studies.answers import difference_in_words
from edgesim.studies.conduct import conduct
from edgesim.studies.design import Cell
from edgesim.studies.findings import Findings
from edgesim.studies.study import Study
from edgesim.studies.study_report import study_page

LEVELS = {"low": 0.4, "high": 0.6, "seer": 0.9}


def accuracy(cell: Cell, replication: int, policy: str) -> float:
    """``high`` is above ``low`` except for many devices; doubling cv costs ``low`` 0.05 and ``high`` nothing."""
    luck = float(np.random.default_rng([cell.number % 3, replication, len(policy)]).normal(0, 0.01))
    lost = 0.05 * (cell.point["cv"] == 1.0) * (policy == "low") + 0.3 * (cell.point["count"] == 9) * (policy == "high")
    return LEVELS[policy] - lost + luck * (1 + (cell.point["cv"] == 1.0) * (policy == "low"))


def page_of(findings: Findings) -> PageReader:
    return PageReader(render(study_page(findings)))


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return hand_study(tmp_path_factory.mktemp("study") / "hand-abc", accuracy, notes=("low: the edge was busy",))


@pytest.fixture(scope="module")
def page(findings: Findings) -> PageReader:
    return page_of(findings)


def numbers(cell: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", cell)]


def test_question_and_answer_come_first(page: PageReader) -> None:
    assert page.texts["h1"] == ["hand"] and page.texts["p"][1] == "What does it cost?"
    assert page.texts["h2"][0] == "Answer"
    assert page.texts["h3"][0] == "doubles: on-time accuracy at 50 ms, cv 1.0 against cv 0.5, at count 1"


def test_contrasts_are_said_in_words(findings: Findings, page: PageReader) -> None:
    row = findings.contrasts().set_index("policy").loc["low"]
    assert row["difference"] == pytest.approx(-0.05, abs=0.01) and row["distinguishable"]
    half = 100 * (row["high"] - row["difference"])
    said = f"With low it loses {-100 * row['difference']:.2f} ± {half:.2f} points (distinguishable, p"
    assert any(text.startswith(said) for text in page.texts["li"])
    assert "With high, seer (oracle) it is the same in every replication." in page.texts["li"]


def test_points_have_two_decimals_however_small_they_are() -> None:
    assert difference_in_words("on_time_accuracy", 0.000217, 0.000491) == "0.02 ± 0.05 points"
    assert difference_in_words("on_time_accuracy", -0.1791, float("nan")) == "-17.91 points"
    assert difference_in_words("on_time_error", 0.00217, 0.0491) == "0.0022 ± 0.0491"
    assert difference_in_words("latency_p95_s", 0.25, 1.5) == "250 ± 1500 ms"


def test_contrasts_are_those_of_the_table(findings: Findings, page: PageReader) -> None:
    headings, *rows = page.table("Contrasts")
    expected = findings.contrasts().to_dict("records")
    assert len(rows) == len(expected) == 3
    for row, wanted in zip(rows, expected, strict=True):
        found = dict(zip(headings, row, strict=True))
        assert (found["contrast"], found["policy"], found["n"]) == ("doubles", wanted["policy"], "4")
        assert numbers(found["difference"]) == pytest.approx(
            [100 * wanted["difference"], 100 * (wanted["high"] - wanted["difference"])], abs=0.00501
        )
        assert found["distinguishable"] == ("yes" if wanted["distinguishable"] else "no")


def test_means_are_those_of_the_study(findings: Findings, page: PageReader) -> None:
    frame = findings.summaries(["on_time_accuracy"])
    headings, *rows = page.table("On-time accuracy (%) at 50 ms")
    assert headings == ["cv", "count", "low", "high", "seer (oracle)", "n"] and len(rows) == 6
    points = findings.cells.itertuples(index=False, name=None)
    for cell, (point, row) in enumerate(zip(points, rows, strict=True)):
        assert row[:2] == [f"{value:g}" for value in point] and row[-1] == "4"
        for policy, text in zip(LEVELS, row[2:], strict=False):
            mean = frame[(frame.cell == cell) & (frame.policy == policy) & (frame.deadline_ms == 50)].iloc[0]
            assert text == f"{100 * mean['mean']:.1f}±{100 * (mean['high'] - mean['mean']):.1f}"


def test_every_deadline_and_cost_is_there(page: PageReader) -> None:
    headings, *rows = page.table("On-time accuracy (%) by deadline")
    assert headings == ["cv", "count", "policy", "own", "20 ms", "50 ms"] and len(rows) == 18
    assert all(numbers(row[4])[0] == pytest.approx(0.4 * numbers(row[5])[0], abs=0.2) for row in rows)
    headings, *rows = page.table("What it took")
    found = dict(zip(headings, rows[0], strict=True))
    assert (found["missed"], found["p50 ms"], found["kB up"]) == ("12.5 %", "12.5", "1.50")
    assert found["mJ device"] == f"{1e3 * COSTS['energy_j']:.1f}"


def test_the_best_policy_is_said_and_listed(page: PageReader) -> None:
    said = [text for text in page.texts["li"] if "best" in text.lower()]
    assert said == [
        "Best on-time accuracy at 50 ms, oracles aside, of 6 points: high at 4 (distinguishable from the second at "
        "each); low at 2 (distinguishable from the second at each).",
        "low is best at cv 0.5, count 9; cv 1, count 9.",
        "high is best elsewhere.",
    ]
    headings, *rows = page.table("Best policy")
    assert [row[2] for row in rows] == ["high", "high", "low"] * 2
    ahead = dict(zip(headings, rows[3], strict=True))
    assert numbers(ahead["ahead by"])[0] == pytest.approx(25.0, abs=0.7) and ahead["distinguishable"] == "yes"


def test_whether_the_ranking_survives_is_said(tmp_path: Path) -> None:
    """``high`` is above ``low`` at the base, and falls behind with nine devices; doubling cv changes no place."""
    page = page_of(hand_study(tmp_path, accuracy, design="one_at_a_time"))
    said = page.texts["li"]
    assert "The order of means at the base is high, low; it is another at 1 of 3 other points." in said
    assert "low overtakes high, distinguishably, at count 9." in said


@pytest.mark.parametrize(("spread", "places"), [(0.0, "at no other of 3"), (0.2, "at 1 of 3 other points")])
def test_a_ranking_that_chance_may_have_changed_is_no_overtaking(tmp_path: Path, spread: float, places: str) -> None:
    def noisy(cell: Cell, replication: int, policy: str) -> float:
        chance = spread * (cell.number == 2) * (-1) ** replication * (policy == "high") - 0.3 * spread * (
            cell.number == 2
        ) * (policy == "high")
        return {"low": 0.4, "high": 0.42}[policy] + chance + 0.001 * replication * (policy == "low")

    page = page_of(hand_study(tmp_path, noisy, policies=["low", "high"], design="one_at_a_time"))
    assert f"The order of means at the base is high, low; it is another {places}." in page.texts["li"]
    assert "No two policies change places distinguishably." in page.texts["li"]


@pytest.mark.parametrize(
    ("metric", "verb"), [("on_time_accuracy", "gains"), ("miss_ratio", "rises by"), ("on_time_error", "rises by")]
)
def test_only_what_is_better_higher_is_gained(tmp_path: Path, metric: str, verb: str) -> None:
    def rising(cell: Cell, replication: int, policy: str) -> float:
        return 0.2 + 0.1 * (cell.point["cv"] == 1.0) + 0.001 * replication * cell.number

    contrasts = {"c": {"first": {"cv": 1.0}, "second": {"cv": 0.5}, "metric": metric, "deadline_ms": 50}}
    page = page_of(hand_study(tmp_path, rising, policies=["low"], measure=metric, contrasts=contrasts))
    assert any(text.startswith(f"With low it {verb} ") for text in page.texts["li"])


def test_policies_that_do_exactly_as_well_share_a_place(tmp_path: Path) -> None:
    def twins(cell: Cell, replication: int, policy: str) -> float:
        return 0.6 if cell.number == 0 else accuracy(cell, replication, policy)

    said = page_of(hand_study(tmp_path, twins, policies=["low", "high"])).texts["li"]
    assert any("low and high alike at 1 (distinguishable from the second at none)" in text for text in said)
    assert "low and high alike is best at cv 0.5, count 1." not in said
    assert "low and high alike are best at cv 0.5, count 1." in said


def test_a_grid_has_no_base_to_rank_from(page: PageReader) -> None:
    assert "Whether the ranking survives" not in page.texts["h3"]


def test_what_was_asked_can_be_asked_again(findings: Findings, page: PageReader) -> None:
    document = YAML(typ="safe").load(page.texts["pre"][0])
    assert Study.model_validate(document) == findings.study
    facts = dict(zip(page.texts["dt"], page.texts["dd"], strict=True))
    assert facts["cv"] == "variability, links.a.cv: 0.5, 1"
    assert facts["results"] == "hand-abc" and facts["seed"] == "3"


def test_notes_are_counted(page: PageReader) -> None:
    assert "low: the edge was busy (6 cells)" in page.texts["li"]


def test_a_finished_study_alerts_nobody(page: PageReader) -> None:
    assert not [text for text in page.texts["p"] if "Not finished" in text or "failed" in text]
    assert "Failed cells" not in page.texts["h2"]


# Studies in other states


def test_an_unfinished_study_says_so(tmp_path: Path) -> None:
    page = page_of(hand_study(tmp_path, accuracy, finished=lambda cell: max(0, 4 - cell.number)))
    assert page.texts["p"][2].startswith("Not finished: 5 of 6 cells have fewer than 4 replications.")
    rows = page.table("On-time accuracy (%) at 50 ms")[1:]
    assert [row[-1] for row in rows] == ["4", "3", "2", "1", "0", "0"]
    assert rows[4][2:5] == ["", "", ""] and "±" not in rows[3][2]
    assert "One replication: nothing can be said about chance." in page.texts["li"]


def test_a_study_of_which_nothing_is_finished(tmp_path: Path) -> None:
    page = page_of(hand_study(tmp_path, accuracy, finished=lambda cell: 0))
    assert page.texts["p"][2].startswith("Not finished: 6 of 6 cells") and not page.tables
    assert "Answer" not in page.texts["h2"] and "What was varied" in page.texts["h2"]


def test_failed_cells_are_named(tmp_path: Path) -> None:
    found = hand_study(
        tmp_path,
        accuracy,
        finished=lambda cell: 0 if cell.number == 1 else 4,
        failures=[(1, 0, "links.a: <found> 3, allowed: 2")],
    )
    page = page_of(found)
    assert any(text.startswith("1 of 6 cells failed") for text in page.texts["p"])
    assert "Cell 1 (cv 0.5, count 3), replication 0: links.a: <found> 3, allowed: 2" in page.texts["li"]


def test_one_replication_says_nothing_about_chance(tmp_path: Path) -> None:
    page = page_of(hand_study(tmp_path, accuracy, finished=lambda cell: 1))
    assert any(re.match(r"With low it loses \d\.\d\d points \(one replication", text) for text in page.texts["li"])
    assert all("±" not in cell for row in page.table("Contrasts") for cell in row)


def test_one_policy_has_no_second(tmp_path: Path) -> None:
    page = page_of(hand_study(tmp_path, accuracy, policies=["low"], contrasts=None))
    assert any("low at 6 (distinguishable from the second at none)" in text for text in page.texts["li"])
    assert page.table("Best policy")[1][3:] == ["", page.table("On-time accuracy (%) at")[1][2], "", ""]


def test_a_contrast_of_policies(tmp_path: Path) -> None:
    contrast = {"first": {"policy": "high", "count": 3}, "second": {"policy": "low", "count": 3}, "deadline_ms": 50}
    page = page_of(hand_study(tmp_path, accuracy, contrasts={"c": contrast}))
    assert page.texts["h3"][0] == "c: on-time accuracy at 50 ms, at count 3, cv 0.5"
    assert any(
        re.match(r"With high it is \d+\.\d+ ± .* points higher than with low \(", text) for text in page.texts["li"]
    )


def test_a_contrast_of_another_metric(tmp_path: Path) -> None:
    contrast = {"first": {"cv": 1.0}, "second": {"cv": 0.5}, "metric": "latency_p95_s"}
    page = page_of(
        hand_study(tmp_path, accuracy, contrasts={"c": contrast, "nothing": {**contrast, "metric": "goodput_hz"}})
    )
    assert page.texts["h3"][0] == "c: latency p95 at the requests' own deadlines, cv 1.0 against cv 0.5, at count 1"
    assert "With low, high, seer (oracle) it is the same in every replication." in page.texts["li"]
    assert "With low: nothing was measured on both sides." in page.texts["li"]


def test_policies_as_an_axis_are_compared_at_one_point(tmp_path: Path) -> None:
    """Every cell measures one policy, which stands in its own axis alone."""
    axes: dict[str, Any] = {
        "policy": {"key": "policy", "values": ["low", "high"]},
        "cv": {"key": "links.a.cv", "values": [0.5, 1.0]},
    }

    def of_cell(cell: Cell, replication: int, policy: str) -> float:
        return LEVELS[policy] + 0.001 * replication

    found = hand_study(tmp_path, of_cell, axes=axes, contrasts=None)
    page = page_of(found)
    headings, *rows = page.table("On-time accuracy (%) at")
    assert headings == ["cv", "low", "high", "n"] and len(rows) == 2
    assert numbers(rows[0][1])[0] == pytest.approx(40.2, abs=0.2) and numbers(rows[0][2])[0] == pytest.approx(
        60.2, abs=0.2
    )
    assert [row[1] for row in page.table("Best policy")[1:]] == ["high", "high"]


def test_errors_in_place_of_accuracies(tmp_path: Path) -> None:
    page = page_of(hand_study(tmp_path, accuracy, measure="on_time_error", contrasts=None))
    assert any("Best on-time error" in text and "low at 4" in text for text in page.texts["li"])
    assert page.table("On-time mean absolute error at")[1][2].startswith("0.4")


def test_policies_that_ran_on_the_axis_only(tmp_path: Path) -> None:
    page = page_of(hand_study(tmp_path, accuracy, deadlines_ms=(20.0, 60.0), contrasts=None))
    assert page.table("On-time accuracy (%) at 60 ms")


def test_a_half_width_that_is_not_reached(tmp_path: Path) -> None:
    until = {"metric": "on_time_accuracy", "half_width": 1e-6, "deadline_ms": 50}
    found = hand_study(tmp_path, accuracy, finished=lambda cell: 10, until=until, replications=None)
    assert "At 6 cells the interval of on-time accuracy is still wider" in page_of(found).texts["p"][2]


def test_hostile_words_of_the_user_are_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    axes = {"cv": {"key": "links.a.cv", "values": [1, 2], "names": [hostile, "b"], "label": hostile}}
    contrasts = {"c": {"first": {"cv": hostile}, "second": {"cv": "b"}, "deadline_ms": 50}}

    def flat(cell: Cell, replication: int, policy: str) -> float:
        return 0.5

    found = hand_study(tmp_path, flat, question=hostile, axes=axes, contrasts=contrasts, notes=(hostile,))
    page = page_of(found)
    assert "script" not in page.tags and page.texts["p"][1] == hostile
    assert page.table("On-time accuracy (%) at")[1][0] == hostile


def test_a_large_study_stays_a_small_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MOST_ROWS", 4)
    page = page_of(hand_study(tmp_path, accuracy))
    assert len(page.table("On-time accuracy (%) at")) == len(page.table("What it took")) == 5
    assert "The first 4 of 6 rows; all are in summaries.parquet." in page.texts["p"]


def test_a_study_that_runs_until_it_knows_enough_is_read_again(tmp_path: Path) -> None:
    changes = {
        "replications": None,
        "until": {"metric": "on_time_accuracy", "half_width": 0.9, "deadline_ms": 15},
        "axes": {"delay": {"key": "links.access.delay_ms", "values": [1]}},
        "contrasts": None,
        "policies": ["local"],
    }
    page = page_of(Findings(conduct(*small_study(tmp_path, changes), tmp_path / "out").folder))
    assert page.table("On-time accuracy (%) at")[1][-1] == "10"
    assert not any(text.startswith(("Not finished", "At 1 cells")) for text in page.texts["p"])
