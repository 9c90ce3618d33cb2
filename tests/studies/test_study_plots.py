"""The pictures of a study show what its tables say, whatever its design and its state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_studies import COSTS, hand_study
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from edgesim.results.measure import ACCURACY
from edgesim.results.plots.pareto import COSTS as PRICES
from edgesim.results.plots.pareto import pareto_front
from edgesim.studies.best import best_policies
from edgesim.studies.design import Cell
from edgesim.studies.findings import Findings
from edgesim.studies.plots import (
    _figures,
    along,
    best_map,
    captions_of,
    contrast_intervals,
    deadlines,
    draw_study,
    fronts,
    shares,
)
from edgesim.studies.plots.measured import Measured

LEVELS = {"low": 0.4, "high": 0.6, "seer": 0.9}
SPENT = {
    **COSTS, "latency_mean_s": 0.02,
    "exit:toy/0": 0.25, "exit:toy/2": 0.625, "exit:none": 0.125, "cut:int8/1": 0.5, "cut:png/0": 0.25, "cut:none": 0.25,
}  # fmt: skip
AXES: dict[str, Any] = {
    "cv": {"key": "links.a.cv", "values": [0.5, 1.0], "label": "variability"},
    "count": {"key": "devices.camera.count", "values": [1, 3, 9]},
}
NAMED: dict[str, Any] = {"codec": {"key": "policies.low.codec", "values": ["fp32", "int8"]}}


def accuracy(cell: Cell, replication: int, policy: str) -> float:
    """``high`` beats ``low`` by far but for nine devices, where luck decides."""
    luck = float(np.random.default_rng([cell.number, replication, len(policy)]).normal(0, 0.01))
    return LEVELS[policy] - 0.2 * (cell.point.get("count") == 9) * (policy == "high") + luck


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return hand_study(tmp_path_factory.mktemp("study") / "hand", accuracy, costs=SPENT, axes=AXES)


@pytest.fixture(scope="module")
def measured(findings: Findings) -> Measured:
    return Measured(findings)


def rows_of(findings: Findings, quantity: str, deadline_ms: float | None, **point: Any) -> pd.DataFrame:
    """The table's rows for a quantity at a deadline, at the given values of axes."""
    frame = findings.summaries([quantity])
    at = frame.deadline_ms.isna() if deadline_ms is None else frame.deadline_ms == deadline_ms
    for axis, value in point.items():
        at &= frame[axis] == value
    return frame[at]


def lines_of(axes: Axes) -> dict[str, Any]:
    return {str(line.get_label()): line for line in axes.get_lines()}


def edges_of(band: Any) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper edge of a band between curves."""
    x, y = band.get_paths()[0].vertices.T
    places = np.unique(x)
    return (np.array([edge(y[x == place]) for place in places]) for edge in (np.min, np.max))  # type: ignore[return-value]


def test_curves_and_bands_along_an_axis_are_the_tables(findings: Findings, measured: Measured) -> None:
    drawn = along.draw(measured, "count")
    quantities = {"on_time_accuracy": (50.0, 1.0), "miss_ratio": (50.0, 1.0), "latency_p95_s": (None, 1e3)}
    for axes, (quantity, (deadline_ms, factor)) in zip(drawn.axes, quantities.items(), strict=True):
        lines = lines_of(axes)
        for policy, band in zip(measured.policies, axes.collections, strict=True):
            rows = rows_of(findings, quantity, deadline_ms, cv=0.5, policy=policy)
            line = lines[measured.looks[policy].label]
            assert line.get_xdata().tolist() == [1.0, 3.0, 9.0]
            assert line.get_ydata() == pytest.approx(factor * rows["mean"].to_numpy())
            for edge, column in zip(edges_of(band), ("low", "high"), strict=True):
                assert edge == pytest.approx(factor * rows[column].to_numpy())


@pytest.mark.parametrize(
    ("worst", "best", "ends"),
    [
        (0.8, 0.9, (0.794, 0.906)),
        (0.9, 0.9, (0.875, 0.925)),
        (1.0, 1.0, (0.95, 1.001)),
        (0.0, 0.0, (-0.001, 0.05)),
        (0.0, 1.0, (-0.02, 1.02)),
    ],
)
def test_the_axis_of_accuracy_fits(tmp_path: Path, worst: float, best: float, ends: tuple[float, float]) -> None:
    """Never narrower than 0.05, within 0 and 1 but for half a marker, and the caption says where it does not begin."""
    flat = hand_study(tmp_path / "flat", lambda cell, _, policy: worst if policy == "low" else best)
    drawn = along.draw(Measured(flat), "count")
    assert drawn.axes[0].get_ylim() == pytest.approx(ends)
    assert ("does not begin at 0" in " ".join(drawn.get_supxlabel().split())) == (ends[0] > 0)
    assert drawn.axes[1].get_ylim() == pytest.approx((-0.02 * 0.1325, 0.1325))  # 0.125 are missed


def test_the_axis_of_accuracy_holds_the_intervals(findings: Findings, measured: Measured) -> None:
    low, high = along.draw(measured, "count").axes[0].get_ylim()
    rows = rows_of(findings, "on_time_accuracy", 50.0, cv=0.5)
    assert low < rows["low"].min() and rows["high"].max() < high


def test_panels_by_deadline_are_the_tables(findings: Findings, measured: Measured) -> None:
    drawn = deadlines.draw(measured, "cv")
    assert [axes.get_title(loc="left") for axes in drawn.axes] == ["cv 0.5", "cv 1.0"]
    for axes, cv in zip(drawn.axes, (0.5, 1.0), strict=True):
        for policy in measured.policies:
            line = lines_of(axes)[measured.looks[policy].label]
            means = [
                rows_of(findings, "on_time_accuracy", at_ms, cv=cv, count=1, policy=policy)["mean"].item()
                for at_ms in (20.0, 50.0)
            ]
            assert line.get_xdata().tolist() == [20.0, 50.0] and line.get_ydata() == pytest.approx(means)


def test_who_lies_under_another_shows_beside_it(tmp_path: Path) -> None:
    twins = hand_study(tmp_path / "twins", lambda cell, _, policy: 0.9 if policy == "seer" else 0.5)
    measured = Measured(twins)
    for axes in (along.draw(measured, "count").axes[0], deadlines.draw(measured, "cv").axes[0]):
        widths = {name: line.get_linewidth() for name, line in lines_of(axes).items()}
        assert widths["low"] > 2 * widths["high"] and widths["high"] == widths["seer (oracle)"]


def test_names_stand_apart_with_bars(tmp_path: Path) -> None:
    findings = hand_study(tmp_path / "named", accuracy, costs=SPENT, axes=NAMED, contrasts=None)
    measured = Measured(findings)
    drawn = along.draw(measured, "codec")
    assert [text.get_text() for text in drawn.axes[-1].get_xticklabels()] == ["fp32", "int8"]
    axes = drawn.axes[0]
    for policy, points in zip(measured.policies, axes.containers, strict=True):
        rows = rows_of(findings, "on_time_accuracy", None, policy=policy)
        marks, _, (bars,) = points.lines
        assert marks.get_ydata() == pytest.approx(rows["mean"].to_numpy()) and marks.get_linestyle() == "None"
        assert np.round(marks.get_xdata()).tolist() == [0.0, 1.0]
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        assert ends == pytest.approx(rows[["low", "high"]].to_numpy())
    places = [points.lines[0].get_xdata()[0] for points in axes.containers]
    assert len(set(places)) == len(places)


def test_fields_are_hatched_where_the_test_cannot_tell(findings: Findings, measured: Measured) -> None:
    axes = best_map.draw(measured, "cv", "count").axes[0]
    fields = {(round(each.get_x() + 0.5), round(each.get_y() + 0.5)): each for each in axes.patches}
    found = list(best_policies(findings, ACCURACY, 50.0))
    assert len(fields) == len(found) == 6
    assert {best.distinguishable for best in found} == {True, False}
    values = {text.get_position(): text.get_text() for text in axes.texts}
    for best in found:
        place = ([0.5, 1.0].index(best.point[0]), [1, 3, 9].index(best.point[1]))
        field: Rectangle = fields[place]
        assert bool(field.get_hatch()) == (not best.distinguishable), best.point
        assert field.get_facecolor()[:3] == pytest.approx(rgb(measured.looks[best.policy].colour))
        assert values[place] == f"{100 * best.value.mean:.1f}" and best.policy != "seer"


def rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))


def test_contrasts_are_filled_where_they_are_distinguishable(findings: Findings, measured: Measured) -> None:
    def shifted(cell: Cell, replication: int, policy: str) -> float:
        return accuracy(cell, replication, policy) - 0.1 * (cell.point["cv"] == 1.0) * (policy == "low")

    other = hand_study(findings.folder.parent / "shifted", shifted, costs=SPENT, axes=AXES)
    axes = contrast_intervals.draw(Measured(other)).axes[0]
    table = other.contrasts()
    assert set(table["distinguishable"]) == {True, False}
    marks = [line for line in axes.get_lines() if line.get_marker() not in ("None", None, "")]
    spans = [line for line in axes.get_lines() if len(line.get_xdata()) == 2 and line.get_solid_capstyle() == "butt"]
    for row, mark, span in zip(table.to_dict("records"), marks, spans, strict=True):
        assert mark.get_xdata() == pytest.approx([100 * row["difference"]])
        assert span.get_xdata() == pytest.approx([100 * row["low"], 100 * row["high"]])
        assert (mark.get_markerfacecolor() != "white") == row["distinguishable"]
    assert len(marks) == len(table) == 3


@pytest.mark.parametrize(
    ("first", "second", "heading"),
    [
        ({"policy": "high"}, {"policy": "low"}, "who at 50 ms: high - low, at cv 0.5, count 1"),
        ({"policy": "high", "cv": 1.0}, {"policy": "low", "cv": 1.0}, "who at 50 ms: high - low, at cv 1.0, count 1"),
        ({"policy": "high", "cv": 1.0}, {"policy": "low"}, "who at 50 ms: high - low, cv 1.0 against base, at count 1"),
        ({"cv": 1.0}, {"cv": 0.5}, "who at 50 ms: cv 1.0 against cv 0.5, at count 1"),
    ],
)
def test_contrasts_are_named(tmp_path: Path, first: dict[str, Any], second: dict[str, Any], heading: str) -> None:
    contrasts = {"who": {"first": first, "second": second, "deadline_ms": 50}}
    found = hand_study(tmp_path / "named", accuracy, costs=SPENT, axes=AXES, contrasts=contrasts)
    axes = contrast_intervals.draw(Measured(found)).axes[0]
    assert [text.get_text() for text in axes.texts] == [heading]
    rows = [text.get_text() for text in axes.get_yticklabels()]
    assert rows == ([""] if "policy" in first else ["low", "high", "seer (oracle)"])


def test_shares_are_the_tables_and_sum_to_one(measured: Measured) -> None:
    drawn = shares.draw(measured, "count")
    wanted = ({0.25, 0.625, 0.125}, {0.5, 0.25})
    for number, axes in enumerate(drawn.axes):
        bars = [each for each in axes.patches if isinstance(each, Rectangle)]
        for place in range(3):
            heights = [bar.get_height() for bar in bars if round(bar.get_x() + bar.get_width() / 2) == place]
            assert sum(heights) == pytest.approx(1.0) and set(heights) == wanted[number % 2]


def test_fronts_are_the_tables_where_only_choices_vary(tmp_path: Path) -> None:
    findings = hand_study(tmp_path / "fronts", accuracy, costs=SPENT, axes={**AXES, **NAMED})
    measured = Measured(findings)
    drawn = fronts.draw(measured)
    for axes, (cost, (label, factor)) in zip(drawn.axes, PRICES.items(), strict=True):
        assert axes.get_xlabel() == label
        points = dict(zip(axes.get_legend_handles_labels()[1], axes.get_legend_handles_labels()[0], strict=True))
        for policy in measured.policies:
            rows = rows_of(findings, "on_time_accuracy", 50.0, cv=0.5, count=1, policy=policy)
            found = np.asarray(points[measured.looks[policy].label].get_offsets())
            assert len(found) == 2  # the two codecs, at the base of the other axes
            assert found[:, 0] == pytest.approx(factor * SPENT[cost])
            assert sorted(found[:, 1]) == pytest.approx(sorted(rows["mean"]))
            bars = axes.collections[axes.collections.index(points[measured.looks[policy].label]) - 1]
            ends = np.array([segment[:, 1] for segment in bars.get_segments()])
            assert ends == pytest.approx(rows[["low", "high"]].to_numpy())


def test_no_marker_of_a_front_is_cut_off(measured: Measured) -> None:
    for axes, (cost, (_, factor)) in zip(fronts.draw(measured).axes, PRICES.items(), strict=True):
        low, high = axes.get_xlim()
        assert low < 0 and high > 1.04 * factor * SPENT[cost]  # all points cost the same
        assert not any(points.get_clip_on() for points in axes.get_legend_handles_labels()[0])


def test_oracles_are_dashed_or_open_and_named(measured: Measured) -> None:
    lines = lines_of(along.draw(measured, "cv").axes[0])
    assert {name: line.get_linestyle() for name, line in lines.items()} == {
        "low": "-", "high": "-", "seer (oracle)": "--",
    }  # fmt: skip
    axes = fronts.draw(measured).axes[0]
    handles, labels = axes.get_legend_handles_labels()
    assert {label: len(each.get_facecolors()) for label, each in zip(labels, handles, strict=True)} == {
        "low": 1, "high": 1, "seer (oracle)": 0,
    }  # fmt: skip
    (line,) = axes.get_lines()
    assert max(line.get_ydata()) < 0.7  # the front leaves the oracle out


POINTS = st.lists(
    st.tuples(st.one_of(st.integers(0, 5), st.just(float("nan"))), st.one_of(st.integers(0, 5), st.just(float("nan")))),
    max_size=12,
)


@given(POINTS)
def test_the_front_is_whom_nobody_beats(points: list[tuple[float, float]]) -> None:
    costs, worths = (np.array([point[side] for point in points], float) for side in (0, 1))
    known = [place for place in range(len(points)) if not np.isnan(costs[place] + worths[place])]

    def beats(one: int, other: int) -> bool:
        no_worse = costs[one] <= costs[other] and worths[one] >= worths[other]
        return bool(no_worse and (costs[one] < costs[other] or worths[one] > worths[other]))

    expected = {place for place in known if not any(beats(other, place) for other in known)}
    front = pareto_front(costs, worths)
    assert set(front.tolist()) == expected and len(front) == len(expected)
    assert np.all(np.diff(costs[front]) >= 0)


STUDIES: dict[str, dict[str, Any]] = {
    "unfinished": {"finished": lambda cell: 2 if cell.number < 2 else 0},
    "one_replication": {"replications": 1, "finished": lambda cell: 1},
    "one_policy": {"policies": ("low",)},
    "only_the_oracle": {"policies": ("seer",)},
    "hypercube": {
        "design": "latin_hypercube", "samples": 7, "contrasts": None,
        "axes": {"cv": {"key": "links.a.cv", "range": {"low": 0.1, "high": 2.0, "count": 5}},
                 "count": {"key": "devices.camera.count", "values": [1, 3, 9]}},
    },
    "named": {"axes": {**AXES, **NAMED}},
    "one_at_a_time": {"design": "one_at_a_time"},
    "counting": {"measure": "on_time_error", "contrasts": None},
    "own_deadlines": {"deadlines_ms": (None,), "contrasts": None},
    "policy_axis": {
        "contrasts": {"who": {"first": {"policy": "high"}, "second": {"policy": "low"}, "deadline_ms": 50}},
        "axes": {"policy": {"key": "policy", "values": ["low", "high", "seer"]}, "cv": AXES["cv"]},
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", STUDIES)
def test_every_picture_draws(tmp_path: Path, kind: str) -> None:
    changes = {"costs": SPENT, "axes": AXES, **STUDIES[kind]}
    if kind == "counting":
        changes["costs"] = {**SPENT, "on_time_accuracy": 0.5}
    found = dict(_figures(Measured(hand_study(tmp_path / kind, accuracy, **changes))))
    axes = [name for name in changes["axes"] if name != "policy"]
    wanted = {"fronts", *(f"along-{axis}" for axis in axes)}
    if kind != "hypercube":
        wanted |= {f"shares-{axis}" for axis in axes}
        wanted |= {f"deadline-{axis}" for axis in axes} if kind != "own_deadlines" else set()
    if kind not in ("hypercube", "one_at_a_time"):
        wanted |= {f"best-{one}-{two}" for place, one in enumerate(axes) for two in axes[place + 1 :]}
    if changes.get("contrasts", True):
        wanted.add("contrasts")
    assert found.keys() == wanted
    for name, figure in found.items():
        figure.draw_without_rendering()
        assert shown(figure) or (kind == "only_the_oracle" and name.startswith("best")), name
        assert "4 replications each" in (text := figure.get_supxlabel().replace("\n", " ")) or kind in (
            "unfinished",
            "one_replication",
        ), text


def shown(figure: Figure) -> bool:
    """Whether anything but axes is drawn."""
    return any(axes.get_lines() or axes.patches or axes.collections for axes in figure.axes)


def test_errors_are_shown_where_models_count(tmp_path: Path) -> None:
    findings = hand_study(tmp_path / "counting", accuracy, costs=SPENT, measure="on_time_error", contrasts=None)
    axes = along.draw(Measured(findings), "cv").axes[0]
    assert "mean absolute error" in axes.get_ylabel()
    rows = rows_of(findings, "on_time_error", None, count=1, policy="low")
    assert lines_of(axes)["low"].get_ydata() == pytest.approx(rows["mean"].to_numpy())


def test_a_study_without_results_has_no_pictures(tmp_path: Path) -> None:
    assert draw_study(hand_study(tmp_path / "empty", accuracy, finished=lambda cell: 0)) == []
    assert captions_of(tmp_path / "empty") == {}


def test_a_large_study_has_no_more_files_than_a_small_one(tmp_path: Path) -> None:
    large: dict[str, Any] = {
        "cv": {**AXES["cv"], "values": [0.5, *np.linspace(1.0, 3.0, 19).round(3).tolist()]},
        "count": {**AXES["count"], "values": [1, 3, 9, 10, 11, 12, 13, 14, 15, 16]},
    }
    names = []
    for name, axes in (("small", AXES), ("large", large)):
        findings = hand_study(tmp_path / name, accuracy, costs=SPENT, axes=axes, finished=lambda cell: 2)
        files = draw_study(findings)
        assert {file.suffix for file in files} == {".png", ".svg", ".pdf"}
        names.append(sorted(file.name for file in files))
        assert captions_of(findings.folder).keys() == {file.stem for file in files}
    assert findings.counts.cells == 200 and names[0] == names[1]
