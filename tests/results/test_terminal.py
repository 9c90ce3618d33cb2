from __future__ import annotations

import re
from copy import deepcopy
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from synthetic_run import World

from edgesim.results.in_words import best_by_deadline, best_sentence, comparisons
from edgesim.results.summary import summarise
from edgesim.results.terminal import print_summary

LABELS = {"oracles": ["link_oracle"]}
POLICIES = ["device_only", "neurosurgeon", "anytime", "link_oracle"]


def printed(folder: Path, replications: int, width: int = 80) -> tuple[dict, str]:
    world = World(folder, POLICIES, replications=replications, devices=4, rate_hz=2.0, seed=3)
    summary = summarise(world.write(LABELS), LABELS)
    console = Console(width=width, record=True, file=StringIO())
    print_summary(summary, console)
    return summary, console.export_text()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, str]:
    return printed(tmp_path_factory.mktemp("run"), replications=5)


def test_the_tables_fit_80_columns_and_name_every_policy(shown: tuple[dict, str]) -> None:
    _, text = shown
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for name in ("device_only", "neurosurgeon", "anytime", "link_oracle (oracle)"):
        assert name in text


def test_the_numbers_are_those_of_the_summary(shown: tuple[dict, str]) -> None:
    summary, text = shown
    accuracy = summary["policies"]["neurosurgeon"]["points"]
    mean = next(point for point in accuracy if point["deadline_ms"] == 100.0)["on_time_accuracy"]
    assert f"{100 * mean['mean']:.1f}±{100 * (mean['high'] - mean['mean']):.1f}" in text


def test_differences_are_said_in_words_with_the_best_that_is_no_oracle(shown: tuple[dict, str]) -> None:
    summary, _ = shown
    sentences = list(comparisons(summary))[2:]
    assert len(sentences) == len(POLICIES) - 1
    for difference in summary["differences"]:
        if "device_only" in (difference["better"], difference["worse"]):
            words = "is better than" if difference["distinguishable"] else "is not distinguishable from"
            mine = [sentence for sentence in sentences if words in sentence]
            assert any(f"{100 * difference['difference']['mean']:.2f}" in sentence for sentence in mine)


def test_two_policies_are_one_pair(tmp_path: Path) -> None:
    world = World(tmp_path, POLICIES[:2], replications=5, devices=4, rate_hz=2.0, seed=3)
    summary = summarise(world.write(LABELS), LABELS)
    assert list(comparisons(summary))[1] == "p: of the only pair."
    told = "can" if summary["differences"][0]["distinguishable"] else "cannot"
    best = summary["differences"][0]["better"]
    (other,) = {*POLICIES[:2]} - {best}
    assert best_sentence(summary).endswith(f"it {told} be told from {other}.")


def test_one_replication_says_nothing_about_chance(tmp_path: Path) -> None:
    _, text = printed(tmp_path, replications=1)
    assert "±" not in text.split("Differences")[0]
    assert "one replication" in text


def test_tails_are_shown_where_there_are_any(shown: tuple[dict, str]) -> None:
    """12.5 J for each request; the table fits all the same."""
    summary, text = shown
    assert "tails" not in text
    with_tails = deepcopy(summary)
    for run in with_tails["policies"]["anytime"]["runs"]:
        node = next(iter(run["nodes"].values()))
        node["energy_tail_j"] = 12.5 * run["metrics"]["arrivals_hz"]["mean"] * summary["window_s"]
    console = Console(width=80, record=True, file=StringIO())
    print_summary(with_tails, console)
    text = console.export_text()
    assert "mJ of radio tails: anytime 12500.0" in " ".join(text.split())
    assert "…" not in text and max(map(len, text.splitlines())) <= 80


def test_a_run_too_short_for_its_p95_says_so(shown: tuple[dict, str]) -> None:
    summary, text = shown
    (answered,) = re.findall(r"p95 is rough: it needs 2,000 answered requests a replication, here (\d+)", text)
    assert 0.97 * summary["requests"] / 5 < float(answered) < summary["requests"] / 5
    longer = deepcopy(summary)
    for policy in longer["policies"].values():
        for run in policy["runs"]:
            run["metrics"]["arrivals_hz"]["mean"] *= 5
    console = Console(width=80, record=True, file=StringIO())
    print_summary(longer, console)
    assert "rough" not in console.export_text()


def test_intervals_by_batch_means_are_called_so(shown: tuple[dict, str]) -> None:
    one = {**shown[0], "replications": 1, "method": "batch_means"}
    console = Console(width=80, record=True, file=StringIO())
    print_summary(one, console)
    assert "±: 95% by batch means of the one replication" in console.export_text()


def test_one_policy_is_compared_with_nobody(shown: tuple[dict, str]) -> None:
    summary, _ = shown
    alone = {**summary, "policies": {"device_only": summary["policies"]["device_only"]}}
    assert list(comparisons(alone)) == []


def test_warnings_are_printed(shown: tuple[dict, str]) -> None:
    summary, _ = shown
    console = Console(width=80, record=True, file=StringIO())
    print_summary({**summary, "warnings": ["a: [edge] is full"]}, console)
    assert "Warning: a: [edge] is full" in console.export_text()


def test_a_wide_terminal_shows_more_deadlines(tmp_path: Path, shown: tuple[dict, str]) -> None:
    summary, narrow = shown
    _, wide = printed(tmp_path, replications=5, width=220)
    headings = [f" {deadline_ms:g} ms" for deadline_ms in summary["deadlines_ms"]]
    tables = [text.split("What it took")[0] for text in (narrow, wide)]
    assert [sum(heading in table for heading in headings) for table in tables] == [4, len(headings)]


def test_the_best_mean_at_each_deadline_is_named_once(shown: tuple[dict, str]) -> None:
    summary, text = shown
    sentence = best_by_deadline(summary)
    assert sentence in " ".join(text.split()) and "link_oracle" not in sentence
    for deadline_ms in summary["deadlines_ms"]:
        means = {
            name: point["on_time_accuracy"]["mean"]
            for name, policy in summary["policies"].items()
            for point in policy["points"]
            if not policy["oracle"] and point["deadline_ms"] == deadline_ms
        }
        [named] = re.findall(rf"(\w+) at (?:[\d., ]*, )?{deadline_ms:g}\b[^;]* ms", sentence)
        assert means[named] == max(means.values())
    assert best_by_deadline({**summary, "deadlines_ms": summary["deadlines_ms"][:1]}) is None
