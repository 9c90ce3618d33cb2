"""What the pictures of a study show is what its tables say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from small_studies import small_study, write_study

from edgesim.results.plots import style
from edgesim.results.plots.pareto import pareto_front
from edgesim.studies.best import best_policies
from edgesim.studies.conduct import conduct
from edgesim.studies.findings import Findings
from edgesim.studies.ledger import Ledger
from edgesim.studies.plots import along, best_map, captions_of, contrast_intervals, deadlines, draw_study, shares
from edgesim.studies.plots.measured import Measured
from edgesim.studies.read_study import read_study

POLICIES = ["local", "twin", "remote", "clairvoyant"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("pictures")
    changes = {
        "policies": POLICIES,
        "set": {"duration_s": 8, "devices.camera.processor": {"factor": 3}},
        "replications": 8,
        "axes": {
            "delay": {"key": "links.access.delay_ms", "values": [1, 5, 40], "label": "delay (ms)"},
            "server": {"key": "servers.edge.processor.factor", "values": [0.25, 9], "names": ["fast", "slow"]},
        },
        "contrasts": {"far": {"first": {"delay": 40}, "second": {"delay": 1}, "deadline_ms": 15}},
    }
    policies = {
        "local": {"type": "device_only"},
        "twin": {"type": "device_only"},
        "remote": {"type": "server_only", "codec": "raw"},
        "clairvoyant": {"type": "clairvoyant"},
    }
    study, base = read_study(write_study(at, changes, {"policies": policies}))
    return conduct(study, base, at / "out", jobs=2).folder


@pytest.fixture(scope="module")
def measured(folder: Path) -> Measured:
    return Measured(Findings(folder))


def lines(axes: Any) -> dict[str, tuple[list[float], list[float]]]:
    return {
        line.get_label(): (list(line.get_xdata()), list(line.get_ydata()))
        for line in axes.get_lines()
        if not line.get_label().startswith("_")
    }


def means(measured: Measured, quantity: str, **where: Any) -> list[float]:
    """Straight from the findings: at 15 ms where it was measured there, else at own deadlines."""
    rows = measured.findings.summaries([quantity])
    for name, value in where.items():
        rows = rows[rows[name] == value]
    asked = rows[rows.deadline_ms == 15]
    return (asked if len(asked) else rows[rows.deadline_ms.isna()])["mean"].tolist()


def test_curves_along_an_axis_are_the_means_with_the_others_at_their_base(measured: Measured):
    figure = along.draw(measured, "delay")
    accuracy, missed, latency = figure.axes
    for policy in POLICIES:
        label = "clairvoyant (oracle)" if policy == "clairvoyant" else policy
        x, y = lines(accuracy)[label]
        assert x == [1, 5, 40]
        assert y == pytest.approx(means(measured, "on_time_accuracy", policy=policy, server="fast"))
        assert lines(missed)[label][1] == pytest.approx(means(measured, "miss_ratio", policy=policy, server="fast"))
        in_ms = [1e3 * value for value in means(measured, "latency_p95_s", policy=policy, server="fast")]
        assert lines(latency)[label][1] == pytest.approx(in_ms)
    assert latency.get_xlabel() == "delay (ms)"
    assert "server fast" in figure.get_supxlabel()


def test_an_oracle_is_dashed_and_named_so(measured: Measured):
    looks = {line.get_label(): line.get_linestyle() for line in along.draw(measured, "delay").axes[0].get_lines()}
    assert looks["clairvoyant (oracle)"] == "--"
    assert {style for label, style in looks.items() if "oracle" not in label} == {"-"}


def test_names_stand_side_by_side_with_bars(measured: Measured):
    figure = along.draw(measured, "server")
    axes = figure.axes[0]
    assert [text.get_text() for text in figure.axes[-1].get_xticklabels()] == ["fast", "slow"]
    assert len(axes.containers) == len(POLICIES)
    values = [container.lines[0].get_ydata().tolist() for container in axes.containers]
    assert values[0] == pytest.approx(means(measured, "on_time_accuracy", policy="local", delay=1))


def test_panels_by_deadline_are_the_points_of_the_curve(measured: Measured):
    figure = deadlines.draw(measured, "delay")
    for axes, delay in zip(figure.axes, (1, 5, 40), strict=True):
        assert axes.get_title(loc="left") == f"delay {delay}"
        rows = measured.findings.summaries(["on_time_accuracy"])
        rows = rows[(rows.policy == "remote") & (rows.delay == delay) & (rows.server == "fast")].dropna(
            subset="deadline_ms"
        )
        assert lines(axes)["remote"] == (rows.deadline_ms.tolist(), pytest.approx(rows["mean"].tolist()))


def test_shares_are_stacked_to_one(measured: Measured):
    figure = shares.draw(measured, "delay")
    for axes in figure.axes:
        tops = np.zeros(3)
        for bars in axes.containers:
            tops += [bar.get_height() for bar in bars]
        assert tops == pytest.approx(np.ones(3)), axes.get_title(loc="left")


def test_fields_are_hatched_where_the_best_two_cannot_be_told_apart(measured: Measured):
    axes = best_map.draw(measured, "delay", "server").axes[0]
    found = {best.point: best for best in best_policies(measured.findings, measured.measure, 15)}
    assert len(axes.patches) == len(found) == 6
    told = set()
    for patch in axes.patches:
        point = ((1, 5, 40)[round(patch.get_x() + 0.5)], ("fast", "slow")[round(patch.get_y() + 0.5)])
        best = found[point]
        assert bool(patch.get_hatch()) == (not best.distinguishable), point
        red, green, blue, _ = patch.get_facecolor()
        assert (red, green, blue) == pytest.approx(to_rgb(measured.looks[best.policy].colour))
        assert best.policy != "clairvoyant", "an oracle is no choice"
        told.add(best.distinguishable)
    assert told == {True, False}, "the test would show nothing"


def test_contrasts_are_filled_where_they_are_distinguishable(measured: Measured):
    figure = contrast_intervals.draw(measured)
    contrasts = measured.findings.contrasts()
    points = [line for line in figure.axes[0].get_lines() if line.get_marker() not in ("None", "none", None, "")]
    assert [line.get_xdata()[0] for line in points] == pytest.approx((100 * contrasts["difference"]).tolist())
    filled = [line.get_markerfacecolor() != "white" for line in points]
    assert filled == contrasts["distinguishable"].tolist()
    assert set(filled) == {True, False}, "the test would show nothing"


numbers = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12)


@given(numbers)
def test_the_front_is_who_nobody_beats(points: list[tuple[int, int]]):
    costs, worths = (np.array([point[side] for point in points], float) for side in (0, 1))
    beaten = {
        place
        for place, (cost, worth) in enumerate(points)
        if any(c <= cost and w >= worth and (c, w) != (cost, worth) for c, w in points)
    }
    assert set(pareto_front(costs, worths).tolist()) == set(range(len(points))) - beaten


def test_a_front_leaves_out_what_was_not_measured():
    assert pareto_front(np.array([1.0, np.nan, 2.0]), np.array([0.5, 0.9, np.nan])).tolist() == [0]


def test_every_picture_is_written_with_its_caption(folder: Path):
    files = draw_study(Findings(folder))
    names = ["contrasts", "along-delay", "along-server", "deadline-delay", "shares-delay", "deadline-server",
             "shares-server", "best-delay-server", "fronts"]  # fmt: skip
    assert [file.name for file in files] == [f"{name}.{kind}" for name in names for kind in ("png", "svg", "pdf")]
    captions = captions_of(folder)
    assert list(captions)[0] == "contrasts" and set(captions) == set(names)
    assert captions["best-delay-server"] == "Which policy is best over delay-server"


OTHERS: dict[str, dict[str, Any]] = {
    "one replication": {"replications": 1},
    "one policy": {"policies": ["local"], "contrasts": None},
    "one at a time": {"design": "one_at_a_time"},
    "a hypercube": {
        "design": "latin_hypercube",
        "samples": 4,
        "contrasts": None,
        "axes": {
            "delay": {"key": "links.access.delay_ms", "range": {"low": 1, "high": 5, "count": 2}},
            "count": {"key": "devices.camera.count", "values": [1, 2]},
        },
    },
    "a policy axis": {
        "axes": {
            "policy": {"key": "policy", "values": ["local", "neuro"]},
            "delay": {"key": "links.access.delay_ms", "values": [1, 5]},
        },
        "policies": None,
        "contrasts": None,
    },
    "no deadlines": {"set": {"duration_s": 3, "deadlines_ms": []}, "contrasts": None},
}


@pytest.mark.parametrize("name", OTHERS)
def test_it_draws(tmp_path: Path, name: str):
    study, base = read_study(write_study(tmp_path, OTHERS[name]))
    findings = Findings(conduct(study, base, tmp_path / "out", jobs=1).folder)
    files = draw_study(findings)
    assert files and all(file.stat().st_size > 1000 for file in files)
    assert any(file.name == "fronts.svg" for file in files)


def test_an_unfinished_study_is_drawn_as_far_as_it_is(folder: Path, tmp_path: Path):
    with Ledger(folder / "ledger.sqlite") as ledger:
        about, cells = ledger.about(), list(ledger.cells())
    Ledger.create(tmp_path / "ledger.sqlite", about, cells).close()
    assert draw_study(Findings(tmp_path)) == []


def test_a_large_study_has_no_more_pictures_than_a_small_one(tmp_path: Path):
    axes = {"delay": {"key": "links.access.delay_ms", "range": {"low": 1, "high": 40, "count": 80}}}
    changes = {"axes": axes, "replications": 1, "policies": ["local"], "contrasts": None, "set": {"duration_s": 1.5}}
    study, base = small_study(tmp_path, changes)
    findings = Findings(conduct(study, base, tmp_path / "out", jobs=2).folder)
    with style.applied():
        assert len(deadlines.draw(Measured(findings), "delay").axes) == 6
    assert len(draw_study(findings)) == 3 * 4
