"""The report of a run says what its summary says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from manifests import manifest
from page_reader import PageReader
from ruamel.yaml import YAML
from synthetic_run import World, scenario
from test_errors import three_policies

from edgesim.errors import InputError
from edgesim.results.in_words import comparisons
from edgesim.results.report import render
from edgesim.results.run_report import run_page
from edgesim.results.summary import point_at, reference_run, summarise, write_summary

POLICIES = ["device_only", "neurosurgeon", "anytime", "link_oracle"]


def finish(folder: Path, **changes: Any) -> tuple[dict[str, Any], PageReader]:
    """The summary and the page of a folder that holds tables and a scenario."""
    world = json.loads((folder / "manifest.json").read_text())["scenario"]
    told = manifest(world, **changes)
    (folder / "manifest.json").write_text(json.dumps(told))
    summary = summarise(folder, told["labels"])
    write_summary(folder, summary)
    return summary, PageReader(render(run_page(folder)))


def world(folder: Path, policies: list[str], replications: int) -> tuple[dict[str, Any], PageReader]:
    labels = {**manifest(scenario())["labels"], "oracles": ["link_oracle"]}
    World(folder, policies, replications, devices=3, rate_hz=1.0, seed=3).write(labels)
    return finish(folder, labels=labels, warnings=["A note on <rates>."])


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], PageReader]:
    return world(tmp_path_factory.mktemp("run"), POLICIES, replications=4)


def numbers(cell: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", cell)]


def deadline_ms(heading: str) -> float | None:
    return None if heading == "own" else float(heading.removesuffix(" ms"))


def test_accuracies_are_those_of_the_summary(shown: tuple[dict[str, Any], PageReader]) -> None:
    summary, page = shown
    headings, *rows = page.table("quickstart: on-time accuracy")
    assert headings[0] == "policy" and headings[2] == "images"
    deadlines = {place: deadline_ms(text) for place, text in enumerate(headings) if place not in (0, 2)}
    assert sorted(deadlines.values(), key=str) == sorted({100.0, *summary["deadlines_ms"]}, key=str)
    assert [row[0] for row in rows] == ["device_only", "neurosurgeon", "anytime", "link_oracle (oracle)"]
    for row, policy in zip(rows, summary["policies"].values(), strict=True):
        for place, at_ms in deadlines.items():
            value = point_at(policy, at_ms)["on_time_accuracy"]
            assert numbers(row[place]) == pytest.approx(
                [100 * value["mean"], 100 * (value["high"] - value["mean"])], abs=0.0501
            )


def test_costs_are_those_of_the_summary(shown: tuple[dict[str, Any], PageReader]) -> None:
    summary, page = shown
    headings, *rows = page.table("What it took")
    metrics = {"p50 ms": ("latency_p50_s", 1e3), "p95 ms": ("latency_p95_s", 1e3), "sent": ("offload_ratio", 100.0)}
    metrics |= {"kB up": ("bytes_up", 1e-3), "mJ device": ("energy_j", 1e3)}
    for row, policy in zip(rows, summary["policies"].values(), strict=True):
        found = dict(zip(headings, row, strict=True))
        for heading, (metric, factor) in metrics.items():
            mean = reference_run(policy, summary["compared_at_ms"])["metrics"][metric]["mean"]
            assert numbers(found[heading]) == pytest.approx([factor * mean], abs=0.0501)


def test_the_answer_comes_first_and_in_words(shown: tuple[dict[str, Any], PageReader]) -> None:
    summary, page = shown
    assert page.texts["h2"][0] == "Answer"
    best = next(name for name in summary["policies"] if name in page.texts["p"][2])
    at_ms = summary["compared_at_ms"]
    means = {
        name: point_at(policy, at_ms)["on_time_accuracy"]["mean"]
        for name, policy in summary["policies"].items()
        if not policy["oracle"]
    }
    assert best == max(means, key=lambda name: means[name])
    told = sum(
        each["distinguishable"] and each["better"] == best and each["worse"] in means for each in summary["differences"]
    )
    assert f"{100 * means[best]:.1f} ± " in page.texts["p"][2]
    assert f"it can be told from {told or 'none'} of the other 2 policies." in page.texts["p"][2]
    sentences = list(comparisons(summary))[2:]
    assert len(sentences) == 3 and [text for text in page.texts["li"] if text in sentences] == sentences


def test_it_says_where_its_numbers_come_from(shown: tuple[dict[str, Any], PageReader]) -> None:
    summary, page = shown
    facts = dict(zip(page.texts["dt"], page.texts["dd"], strict=True))
    assert facts["seed"] == str(summary["seed"]) and facts["run on"].startswith("2026-03-01")
    assert facts["profile of fashion"].startswith("0123456789abcdef, a CPU (cpu), 1 of 4 cores")
    assert facts["file rail.csv"] == "cccc" and facts["answers of fashion"] == "bbbb (validation)"
    assert "numpy 2.0.0" in facts["versions"] and facts["again"].startswith("edgesim run quickstart.yaml")
    assert YAML(typ="safe").load(page.texts["pre"][0])["deadlines_ms"] == summary["deadlines_ms"]


def test_it_says_how_far_to_trust_them(shown: tuple[dict[str, Any], PageReader]) -> None:
    _, page = shown
    said = "\n".join(page.texts["li"])
    for words in (
        "Times of fashion on camera: measured, scaled by 6 (assumed). Right at the anchor",
        "Times of fashion on edge: measured. On the machine of the profile",
        "Rate of access up: synthetic. Made up",
        "link_oracle: oracle. Knows the future or the label",
        "t-interval over 4 replications",
        "4 replications are few",
        "A note on <rates>.",
        "Connections are warm",
    ):
        assert words in said, words
    for word in ("measured", "scaled", "synthetic", "assumed", "executed", "oracle"):
        assert word in page.texts["li"]


def test_one_replication_says_nothing_about_chance(tmp_path: Path) -> None:
    _, page = world(tmp_path, POLICIES, replications=1)
    assert "One replication: nothing can be said about chance." in page.texts["li"]
    assert all("±" not in cell for row in page.table("quickstart: on-time accuracy") for cell in row)


def test_one_policy_is_compared_with_nobody(tmp_path: Path) -> None:
    _, page = world(tmp_path, ["device_only"], replications=2)
    assert re.match(r"At the requests' own deadlines, device_only has an .* of .* %\.$", page.texts["p"][2])
    assert "Differences" not in "".join(page.texts["p"])


def test_oracles_alone_have_no_best(tmp_path: Path) -> None:
    _, page = world(tmp_path, ["link_oracle"], replications=2)
    assert "no policy but oracles was measured" in page.texts["p"][2]


def test_errors_in_place_of_accuracies(tmp_path: Path) -> None:
    _, errors = three_policies(tmp_path)
    _, page = finish(tmp_path)
    assert re.match(
        rf"At 100 ms, fine has an on-time error of {errors[0].mean():.3f} ± .*, the lowest", page.texts["p"][2]
    )
    assert float(page.table("hand: on-time mean absolute error")[1][1].split("±")[0]) == round(errors[0].mean(), 3)
    assert "accuracy" not in "".join(page.texts["p"] + page.texts["h3"])


def test_a_broken_summary_is_one_error(tmp_path: Path) -> None:
    world(tmp_path, ["device_only"], replications=1)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(InputError, match="summary.json: cannot be read as JSON"):
        run_page(tmp_path)
