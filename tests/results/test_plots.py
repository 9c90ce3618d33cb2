from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from synthetic_run import World, requests_of, scenario, write_run

from edgesim.results.columns import STAGES
from edgesim.results.plots import decomposition, draw_all, headline, shares, style
from edgesim.results.plots.latency_cdf import distribution
from edgesim.results.summary import summarise, write_summary

LABELS = {
    "oracles": ["link_oracle"],
    "costs": {"fashion on camera": "scaled: pi5-fp32", "fashion on edge": "measured"},
    "assumptions": ["Connections are warm"],
}
POLICIES = ["device_only", "neurosurgeon", "anytime", "link_oracle"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    World(folder, POLICIES, replications=3, devices=3, rate_hz=1.0, seed=3).write(LABELS)
    write_summary(folder, summarise(folder, LABELS))
    return folder


@pytest.fixture(scope="module")
def files(folder: Path) -> list[Path]:
    return draw_all(folder, json.loads((folder / "manifest.json").read_text()))


def summary_of(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())


def test_every_plot_is_written_as_png_svg_and_pdf(folder: Path, files: list[Path]) -> None:
    names = {"on_time_accuracy", "decomposition", "shares", "latency_cdf", "link_rate"}
    assert {file.name for file in files} == {f"{name}.{kind}" for name in names for kind in ("png", "svg", "pdf")}
    assert {file for file in (folder / "plots").iterdir()} == set(files)
    for file in files:
        begins = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<?xml", ".pdf": b"%PDF"}[file.suffix]
        assert file.read_bytes().startswith(begins)


def test_captions_say_requests_replications_seed_and_labels(files: list[Path]) -> None:
    for file in (file for file in files if file.suffix == ".svg"):
        text = " ".join(re.sub("<[^>]*>", " ", file.read_text()).split())
        for words in ("in 3 replications", "seed 1", "scaled: pi5-fp32", "measured", "(oracle)"):
            assert words in text, (file.name, words)


def test_without_a_link_rate_its_plot_is_left_out(folder: Path, files: list[Path]) -> None:
    drawn = draw_all(folder, {})
    assert "link_rate.png" not in {file.name for file in drawn}


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
    for axes in shares.draw(summary_of(folder)).axes:
        rightmost = max(bar.get_x() + bar.get_width() for bar in axes.patches)
        assert rightmost == pytest.approx(1.0)


def test_labels_of_exits_and_cuts() -> None:
    assert shares.exit_label("fashion/2") == "fashion exit 2"
    assert shares.cut_label("png/0") == "image, png"
    assert shares.cut_label("int8_token+zlib/3") == "cut 3, int8_token+zlib"


def test_a_distribution_ends_at_the_share_that_was_answered() -> None:
    times_ms, answered = distribution(np.array([3.0, np.nan, 1.0, 2.0]))
    assert times_ms.tolist() == [1.0, 2.0, 3.0]
    assert answered.tolist() == [0.25, 0.5, 0.75]
    times_ms, answered = distribution(np.random.default_rng(0).exponential(size=100_000))
    assert len(times_ms) <= 600 and answered[-1] == 1.0


def test_ticks_that_are_too_near_are_left_out() -> None:
    assert style.spaced([10.0, 10.5, 20.0, 400.0]) == [10.0, 20.0, 400.0]
    assert style.readable_ticks([8.0, 120.0]) == [10.0, 20.0, 50.0, 100.0]
