"""Comparing runs: what is paired, what is not, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.stats import ttest_ind, ttest_rel
from synthetic_run import World, requests_of, scenario, write_run

from edgesim.errors import InputError
from edgesim.results.compare import compare
from edgesim.results.compare_words import comparison_table, frame, sentences
from edgesim.results.in_words import comparisons
from edgesim.results.quantiles import Pooled
from edgesim.results.quantity import GROUPS, METRICS, OF_REGRESSION, quantity
from edgesim.results.recorded import RecordedRun
from edgesim.results.replicated import replicated
from edgesim.results.same_world import why_unpaired
from edgesim.results.scenario_differences import differences_in_words
from edgesim.results.summary import summarise, write_summary

POLICIES = ["device_only", "neurosurgeon", "anytime", "link_oracle"]
LABELS = {"oracles": ["link_oracle"]}


def world(folder: Path, policies: list[str] = POLICIES, replications: int = 10, seed: int = 3, **changes: Any) -> Path:
    made = World(folder, policies, replications=replications, devices=3, rate_hz=1.0, seed=seed)
    for name, value in changes.items():
        setattr(made, name, value)
    write_summary(made.write(LABELS), summarise(folder, LABELS))
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """same: another order of policies changes their latencies and answers, but no request."""
    place = tmp_path_factory.mktemp("runs")
    return {
        "one": world(place / "one"),
        "same": world(place / "same", [POLICIES[1], POLICIES[0], "other"]),
        "other": world(place / "other", POLICIES[:2], seed=4),
    }


def of(folder: Path, metric: str, policy: str, deadline_ms: float) -> np.ndarray:
    points = {point.deadline_ms: point for point in RecordedRun(folder).points(policy)}
    return getattr(points[deadline_ms], metric)


def test_one_run_is_compared_with_its_best_as_in_its_summary(runs: dict[str, Path]) -> None:
    found = compare([runs["one"]], "on_time_accuracy")
    summary = summarise(runs["one"], LABELS)
    assert found.deadline_ms == summary["compared_at_ms"] == 100.0 and found.family == 6
    assert {each.reference.policy for each in found.contrasts} == {"device_only"} and len(found.contrasts) == 3
    pairs = {frozenset((pair["better"], pair["worse"])): pair for pair in summary["differences"]}
    for each in found.contrasts:
        pair = pairs[frozenset((each.entry.policy, each.reference.policy))]
        sign = 1 if pair["better"] == each.entry.policy else -1
        assert each.interval.mean == pytest.approx(sign * pair["difference"]["mean"])
        assert (each.p, each.p_holm) == pytest.approx((pair["p"], pair["p_holm"]))
        assert each.interval.low < each.interval.mean < each.interval.high
    assert sorted(sentences(found)) == sorted(list(comparisons(summary))[2:])


def test_two_runs_of_the_same_requests_are_paired(runs: dict[str, Path]) -> None:
    found = compare([runs["one"], runs["same"]], "on_time_accuracy", 75.0)
    assert [(each.entry.run, each.entry.policy, each.paired) for each in found.contrasts] == [
        ("same", "neurosurgeon", True),
        ("same", "device_only", True),
    ]
    assert found.family == 2 and not any("paired" in note for note in found.notes)
    for each in found.contrasts:
        sides = [of(runs[run], "on_time_accuracy", each.entry.policy, 75.0) for run in ("same", "one")]
        assert each.p == pytest.approx(ttest_rel(*sides).pvalue)
        assert each.interval.mean == pytest.approx(np.mean(sides[0] - sides[1]))


def test_the_table_says_what_p_is_adjusted_for(runs: dict[str, Path]) -> None:
    said = {name: comparison_table(compare([runs[name]], "miss_ratio")).notes[0] for name in ("one", "other")}
    assert said["one"].endswith("p (Holm): adjusted for all 6 comparisons")  # pairs of four policies
    assert said["other"].endswith("p (Holm): as p, of one comparison")


def test_other_seeds_are_compared_by_welch_and_said_so(runs: dict[str, Path]) -> None:
    found = compare([runs["one"], runs["other"]], "miss_ratio")
    for each in found.contrasts:
        sides = [of(runs[run], "miss_ratio", each.entry.policy, 100.0) for run in ("other", "one")]
        assert each.p == pytest.approx(ttest_ind(*sides, equal_var=False).pvalue) and not each.paired
    assert any("not paired: they have other arrivals" in note and "Welch" in note for note in found.notes)
    assert "* not paired" in comparison_table(found).notes
    assert all("not paired" in sentence for sentence in sentences(found))


def test_what_keeps_runs_from_being_paired(tmp_path: Path) -> None:
    def run(name: str, rows: dict[str, Any] | None = None, **changes: Any) -> RecordedRun:
        base = {"replication": np.repeat([0, 1], 10), "number": np.tile(np.arange(10), 2), "sample": np.arange(20)}
        base |= {"arrival_s": np.arange(20.0), "axis_deadline_ms": np.full(20, np.nan)}
        requests = requests_of(20) | base | (rows or {})
        return RecordedRun(write_run(tmp_path / name, scenario(**changes), requests=requests))

    first = run("first")
    order = np.random.default_rng(1).permutation(20)
    assert why_unpaired(first, run("same")) is None
    shuffled = {name: first.tables.requests.column(name)[order] for name in ("replication", "number", "sample")}
    assert why_unpaired(first, run("shuffled", {**shuffled, "arrival_s": np.arange(20.0)[order]})) is None
    assert why_unpaired(first, run("seed", seed=2)) == "their seeds differ (1 and 2)"
    assert why_unpaired(first, run("data", data={"source": "none"})) == "their images are of other data"
    assert why_unpaired(first, run("number", {"replication": np.repeat([0, 1, 2, 3], 5)})) == (
        "they have 2 and 4 replications"
    )
    assert why_unpaired(first, run("devices", {"device": "lamp-0"})) == "they have other devices"
    assert why_unpaired(first, run("arrivals", {"arrival_s": np.arange(20) + 0.1})) == "they have other arrivals"
    assert why_unpaired(first, run("images", {"sample": np.arange(20)[::-1]})) == "they have other images"
    assert why_unpaired(first, run("warm-up", {"counted": np.arange(20) > 0})) == "they have another warm-up"


def test_quantiles_are_pooled_and_warned_of(runs: dict[str, Path]) -> None:
    found = compare([runs["one"], runs["same"]], "latency_p95_s")
    requests = pq.read_table(runs["one"] / "requests.parquet").to_pandas()
    mine = requests[requests.counted & (requests.policy == "device_only")].dropna(subset="latency_s")
    samples = [values.to_numpy() for _, values in mine.groupby("replication").latency_s]
    entry = next(each for each in found.entries if each.policy == "device_only")
    assert entry.interval.mean == pytest.approx(Pooled(samples).whole(0.95)) == np.quantile(mine.latency_s, 0.95)
    (note,) = [note for note in found.notes if note.startswith("one is too short")]
    assert "needs 2,000 answered requests in each replication" in note
    assert "bootstrap" in comparison_table(found).notes[-1]
    (same,) = [each for each in found.contrasts if each.entry.policy == "device_only"]
    other = next(each for each in found.entries if each.run == "same" and each.policy == "device_only")
    assert same.interval.mean == pytest.approx(other.interval.mean - entry.interval.mean)
    assert not any("short" in note for note in compare([runs["one"]], "latency_mean_s").notes)


def test_where_less_is_better_and_where_nothing_is(runs: dict[str, Path]) -> None:
    for metric, word in (("latency_mean_s", "better"), ("offload_ratio", "higher")):
        found = compare([runs["one"], runs["same"]], metric)
        for each, sentence in zip(found.contrasts, sentences(found), strict=True):
            if each.distinguishable:
                ahead = each.entry if (each.interval.mean < 0) == (metric == "latency_mean_s") else each.reference
                assert sentence.startswith(f"{ahead.policy} in {ahead.run} is {word} than")


def test_one_replication_says_nothing_about_chance(tmp_path: Path) -> None:
    found = compare(
        [world(tmp_path / "one", replications=1), world(tmp_path / "two", POLICIES[1::-1], 1)], "miss_ratio"
    )
    assert all("one replication" in sentence for sentence in sentences(found))
    assert "one has 1 replication; from 10 on intervals are to be trusted" in found.notes
    assert frame(found).p.isna().all() and not frame(found).distinguishable.fillna(False).any()


def test_the_frame_has_a_row_an_entry(runs: dict[str, Path]) -> None:
    found = compare([runs["one"], runs["same"]], "on_time_accuracy")
    table = frame(found)
    assert len(table) == len(found.entries) == 7
    compared = table.dropna(subset="difference")
    assert list(compared.policy) == ["neurosurgeon", "device_only"] and set(compared.reference_run) == {"one"}
    row, each = compared.iloc[0], found.contrasts[0]
    assert (row.difference, row.difference_low, row.difference_high) == each.interval
    means = table.set_index(["run", "policy"])["mean"]
    assert row.difference == pytest.approx(means["same", "neurosurgeon"] - means["one", "neurosurgeon"])
    assert isinstance(table, pd.DataFrame) and set(table.deadline_ms) == {100.0}


def test_what_cannot_be_compared_is_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--metric speed: one has nothing of it; allowed: .*on_time_accuracy"):
        compare([runs["one"]], "speed")
    with pytest.raises(InputError, match="device_only in one has no on_time_accuracy at 77 ms; allowed: own, 10"):
        compare([runs["one"]], "on_time_accuracy", 77.0)
    with pytest.raises(InputError, match="device_only in one has no goodput_hz at 75 ms; allowed: own"):
        compare([runs["one"]], "goodput_hz", 75.0)
    with pytest.raises(InputError, match="the same run twice"):
        compare([runs["one"], runs["one"]], "miss_ratio")
    with pytest.raises(InputError, match="no policy of one has its name in another run"):
        compare([runs["one"], world(tmp_path / "strangers", ["somebody"])], "miss_ratio")
    with pytest.raises(InputError, match=r"summary\.json|manifest\.json"):
        compare([tmp_path], "miss_ratio")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "ledger.sqlite").touch()
    with pytest.raises(InputError, match="found the results of a study"):
        compare([tmp_path / "study"], "miss_ratio")


@pytest.mark.parametrize(
    ("name", "value", "text", "unit"),
    [
        ("on_time_accuracy", 0.91234, "91.23", "%"),
        ("latency_p95_s", 0.123456, "123.5", "ms"),
        ("latency_p95_s", 5.7, "5700", "ms"),
        ("energy_j", 0.0000123, "0.0123", "mJ"),
        ("throughput_hz", 12.345, "12.35", "1/s"),
        ("bytes_up", 4812.0, "4812", "bytes"),
        ("exit:fashion/2", 0.5, "50.00", "%"),
        ("answers", 0.0, "0.00", ""),
    ],
)
def test_quantities_in_their_units(name: str, value: float, text: str, unit: str) -> None:
    assert (quantity(name).text(value), quantity(name).unit) == (text, unit)


def test_own_deadlines_can_be_asked_for(runs: dict[str, Path]) -> None:
    assert compare([runs["other"]], "on_time_accuracy", "own").deadline_ms is None
    with pytest.raises(InputError, match="anytime in one has no on_time_accuracy at own deadlines; allowed: 10, 20, "):
        compare([runs["one"]], "on_time_accuracy", "own")


def test_every_metric_that_is_measured_is_known(runs: dict[str, Path]) -> None:
    measured = {each.quantity for each in replicated(RecordedRun(runs["one"]))}
    assert {name for name in measured if ":" not in name} == {*METRICS} - {*OF_REGRESSION}
    assert all(name.startswith(GROUPS) for name in measured if ":" in name)


def test_what_scenarios_say_differently_is_told() -> None:
    first = {"name": "a", "seed": 1, "links": {"radio": {"delay_ms": 5, "up": {"mean_mbps": 3}}}, "devices": {"c": {}}}
    second = {"name": "b", "seed": 1, "links": {"radio": {"delay_ms": 20, "up": {"mean_mbps": 3}}}, "devices": {}}
    assert differences_in_words(first, second) == "links.radio.delay_ms (5, 20), devices.c (given, none)"
    assert differences_in_words(first, {**first, "name": "b"}) == ""
    many = {f"key{number}": number for number in range(9)}
    assert differences_in_words(many, {}).endswith("key5 (5, none) and 3 more")
