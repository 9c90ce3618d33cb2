from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from synthetic_run import World, requests_of, scenario, write_run

from edgesim.results.columns import STAGES
from edgesim.results.plots import RELIABILITY, decomposition, draw_all, headline, latency_cdf, shares, style
from edgesim.results.plots.hidden import SAME, hidden, hidden_sentence
from edgesim.results.plots.latency_cdf import distribution
from edgesim.results.recorded import RecordedRun
from edgesim.results.summary import summarise, write_summary

LABELS = {
    "oracles": ["link_oracle"],
    "costs": {"fashion on camera": "scaled: pi5-fp32", "fashion on edge": "measured"},
    "links": {"radio up": "synthetic, moment-matched: lte-rail (a source)", "radio down": "trace down.csv"},
    "assumptions": ["Connections are warm"],
}
EXIT = {
    "model": "fashion",
    "exit": 2,
    "outcomes": "executed",
    "samples": 40,
    "ece": 0.125,
    "counts": [4, 36],
    "confidences": [0.45, 0.975],
    "accuracies": [0.25, 0.75],
}
POLICIES = ["device_only", "neurosurgeon", "anytime", "link_oracle"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    World(folder, POLICIES, replications=3, devices=3, rate_hz=1.0, seed=3).write(LABELS)
    write_summary(folder, summarise(folder, LABELS))
    (folder / RELIABILITY).write_text(json.dumps({"exits": [EXIT]}))
    return folder


@pytest.fixture(scope="module")
def files(folder: Path) -> list[Path]:
    return draw_all(folder, json.loads((folder / "manifest.json").read_text()))


def summary_of(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())


def test_every_plot_is_written_as_png_svg_and_pdf(folder: Path, files: list[Path]) -> None:
    names = {
        "on_time_accuracy",
        "decomposition",
        "shares",
        "latency_cdf",
        "fronts",
        "regret",
        "time_series",
        "reliability",
    }
    assert {file.name for file in files} == {f"{name}.{kind}" for name in names for kind in ("png", "svg", "pdf")}
    assert {file for file in (folder / "plots").iterdir()} == set(files)
    for file in files:
        begins = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<?xml", ".pdf": b"%PDF"}[file.suffix]
        assert file.read_bytes().startswith(begins)


def test_captions_say_requests_replications_seed_and_labels(files: list[Path]) -> None:
    for file in (file for file in files if file.suffix == ".svg"):
        text = " ".join(re.sub("<[^>]*>", " ", file.read_text()).split())
        said = ["in 3 replications", "seed 1", "scaled: pi5-fp32", "measured", "radio up: synthetic", "down: trace"]
        for words in [*said, "(oracle)"] if file.stem != "reliability" else said:
            assert words in text, (file.name, words)


def test_labels_are_said_in_short() -> None:
    up, down = "synthetic, moment-matched: lte-rail (a source)", "trace down.csv"
    assert style.label_sentences({"links": {"radio up": up, "radio down": down}}) == [
        "Rates: radio up: synthetic, moment-matched: lte-rail; radio down: trace down.csv"
    ]
    assert style.label_sentences({"links": {"radio up": "synthetic", "radio down": "synthetic"}}) == [
        "Rates: synthetic"
    ]
    assert style.label_sentences({"outcomes": {"toy": "synthetic", "real": "executed"}}) == ["Answers: toy: synthetic"]
    assert style.label_sentences({"links": {}, "assumptions": ["Connections are warm"]}) == ["Connections are warm"]


def test_where_models_count_there_is_no_reliability(tmp_path: Path) -> None:
    world = scenario(name="count", policies={"a": {}})
    requests = requests_of(9, error=1.0, missed_error=2.0, deadline_s=0.1, end="late", axis_deadline_ms=np.nan)
    run = write_run(tmp_path, world, requests=requests)
    write_summary(run, summarise(run, {}))
    names = {file.stem for file in draw_all(run, {})}
    assert "on_time_error" in names and "regret" in names and "reliability" not in names


def test_drawing_twice_gives_the_same_svg(folder: Path, files: list[Path]) -> None:
    svg = folder / "plots" / "on_time_accuracy.svg"
    before = svg.read_bytes()
    draw_all(folder, {})
    assert svg.read_bytes() == before


def test_a_policy_has_one_colour_everywhere_and_oracles_are_dashed(folder: Path) -> None:
    summary = summary_of(folder)
    looks = style.looks(summary)
    assert len({look.colour for look in looks.values()}) == len(POLICIES)
    assert looks["link_oracle"].line == "--" and looks["link_oracle"].label == "link_oracle (oracle)"
    lines = {line.get_label(): line for line in headline.draw(summary).axes[0].get_lines()}
    for look in looks.values():
        assert lines[look.label].get_color() == look.colour
        assert lines[look.label].get_linestyle() == look.line


def test_colours_are_far_enough_apart() -> None:
    assert len(set(style.PALETTE)) == len(style.PALETTE) == len(style.MARKERS)


def test_the_headline_draws_the_summarys_numbers(folder: Path) -> None:
    summary = summary_of(folder)
    axes = headline.draw(summary).axes[0]
    line = next(line for line in axes.get_lines() if line.get_label() == "neurosurgeon")
    points = [point for point in summary["policies"]["neurosurgeon"]["points"] if point["deadline_ms"] is not None]
    assert line.get_xdata() == pytest.approx([point["deadline_ms"] for point in points])
    assert line.get_ydata() == pytest.approx([point["on_time_accuracy"]["mean"] for point in points])
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "deadline (ms)"


def test_the_headline_has_bands_where_there_are_intervals(folder: Path) -> None:
    summary = summary_of(folder)
    points = summary["policies"]["neurosurgeon"]["points"]
    of_axis = [point["on_time_accuracy"] for point in points if point["deadline_ms"] is not None]
    of_axis[-1].update(low=None, high=None)
    assert len(headline.draw(summary).axes[0].collections) == len(POLICIES)
    for point in of_axis:
        point.update(low=None, high=None)
    assert len(headline.draw(summary).axes[0].collections) == len(POLICIES) - 1


def test_who_lies_under_another_shows_beside_it(folder: Path) -> None:
    summary = summary_of(folder)
    assert "Wide" not in headline.draw(summary).get_supxlabel()
    policies = summary["policies"]
    policies["device_only"]["points"] = policies["anytime"]["points"]
    drawn = headline.draw(summary)
    widths = {line.get_label(): line.get_linewidth() for line in drawn.axes[0].get_lines()}
    assert widths.pop("device_only") > 2 * widths["anytime"] and len(set(widths.values())) == 1
    assert "Wide: device_only lies under anytime" in " ".join(drawn.get_supxlabel().split())


def test_curves_are_one_where_nobody_sees_a_difference() -> None:
    curves = {name: np.array([0.1, 0.5, np.nan]) for name in "abc"}
    curves["b"] = curves["b"] + 0.003
    curves["c"] = curves["c"] + 0.006
    assert hidden(curves, SAME) == {"a": ["b"], "b": ["c"]}
    assert hidden(curves, 2 * SAME) == {"a": ["b", "c"], "b": ["c"]}
    assert hidden_sentence(hidden(curves, 2 * SAME)) == "Wide: a lies under c; b lies under c"


def test_the_axis_is_linear_within_a_decade(folder: Path) -> None:
    summary = summary_of(folder)
    narrow = {**summary, "deadlines_ms": [50.0, 100.0, 400.0]}
    assert headline.draw(narrow).axes[0].get_xscale() == "linear"


def test_without_an_axis_the_headline_shows_own_deadlines(tmp_path: Path) -> None:
    requests = requests_of(40, replication=np.repeat([0, 1], 20), axis_deadline_ms=np.nan, deadline_s=0.1, end="late")
    run = write_run(tmp_path, scenario(deadlines_ms=None), requests=requests)
    axes = headline.draw(summarise(run, {})).axes[0]
    assert "own deadlines" in axes.get_xlabel()


def test_the_bars_of_the_decomposition_end_at_the_mean_latency(folder: Path) -> None:
    assert tuple(decomposition.LOOKS) == STAGES
    summary = summary_of(folder)
    bars = decomposition.draw(summary).axes[0].patches
    ends: dict[float, float] = {}
    for bar in bars:
        ends[bar.get_y()] = max(ends.get(bar.get_y(), 0.0), bar.get_x() + bar.get_width())
    runs = [summary["policies"][name]["runs"] for name in POLICIES]
    means = [next(run for run in found if run["deadline_ms"] in (None, 100.0))["metrics"] for found in runs]
    assert sorted(ends.values()) == pytest.approx(sorted(mean["latency_mean_s"]["mean"] * 1e3 for mean in means))


def test_shares_fill_their_bars(folder: Path) -> None:
    for axes in shares.draw(RecordedRun(folder), summary_of(folder)).axes:
        rightmost = max(bar.get_x() + bar.get_width() for bar in axes.patches)
        assert rightmost == pytest.approx(1.0)


def test_exits_of_devices_and_of_servers_look_apart(folder: Path) -> None:
    """Hatched is what was answered without sending: all of device_only, and what the others did not send."""
    summary = summary_of(folder)
    above, below = shares.draw(RecordedRun(folder), summary).axes
    runs = [next(run for run in summary["policies"][name]["runs"] if run["deadline_ms"] in (None, 100.0))
            for name in POLICIES]  # fmt: skip
    for row, run in enumerate(runs):
        mine = [bar for bar in above.patches if round(bar.get_y() + bar.get_height() / 2) == row]
        hatched = sum(bar.get_width() for bar in mine if bar.get_hatch())
        answered = sum(share for kind, share in run["exits"].items() if kind != "none")
        unsent = run["cuts"].get("none", 0.0)
        assert hatched == pytest.approx(unsent * answered, abs=0.01), POLICIES[row]
    assert not any(bar.get_hatch() for bar in below.patches)


@pytest.mark.parametrize(
    ("deadline", "drawn"),
    [({"distribution": "fixed", "ms": 100.0}, [100.0]), ({"distribution": "uniform", "low_ms": 5, "high_ms": 9}, [])],
)
def test_the_caption_speaks_of_guides_that_are_there(tmp_path: Path, deadline: dict, drawn: list[float]) -> None:
    world = scenario(devices={"camera": {"deadline": deadline}})
    run = write_run(tmp_path, world, requests=requests_of(4, deadline_s=0.1, latency_s=0.01, end="on_time"))
    figure = latency_cdf.draw(RecordedRun(run), summarise(run, {}))
    guides = [line.get_xdata()[0] for line in figure.axes[0].get_lines()[1:]]
    assert guides == drawn
    assert ("Dotted" in figure.get_supxlabel()) == bool(drawn)


def test_a_distribution_ends_at_the_share_that_was_answered() -> None:
    times_ms, answered = distribution(np.array([3.0, np.nan, 1.0, 2.0]))
    assert times_ms.tolist() == [1.0, 2.0, 3.0]
    assert answered.tolist() == [0.25, 0.5, 0.75]
    times_ms, answered = distribution(np.random.default_rng(0).exponential(size=100_000))
    assert len(times_ms) <= 600 and answered[-1] == 1.0
