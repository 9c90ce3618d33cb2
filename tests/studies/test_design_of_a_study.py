"""Which cells a study has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgesim.studies.design import cells_of
from edgesim.studies.study import Study


def study(axes: dict[str, Any], **more: Any) -> Study:
    return Study.model_validate({"study": "s", "scenario": "s.yaml", "axes": axes, **more})


TWO: dict[str, Any] = {"a": {"key": "x.a", "values": [1, 2, 3]}, "b": {"key": "x.b", "values": ["p", "q"], "base": "q"}}


def test_a_grid_has_every_combination_once_and_the_last_axis_changes_fastest():
    cells = list(cells_of(study(TWO)))
    assert [tuple(cell.point.values()) for cell in cells] == [(a, b) for a in (1, 2, 3) for b in "pq"]
    assert [cell.number for cell in cells] == list(range(6))
    assert cells[3].changes == {"x.a": 2, "x.b": "q"}


def test_one_at_a_time_moves_one_axis_and_meets_the_base_once():
    points = [tuple(cell.point.values()) for cell in cells_of(study(TWO, design="one_at_a_time"))]
    assert points == [(1, "q"), (2, "q"), (3, "q"), (1, "p")]


def test_paired_keys_change_together_and_names_stand_for_them():
    axes = {"net": {"keys": ["l.rate", "l.delay"], "values": [[1, 50], [10, 5]], "names": ["bad", "good"]}}
    cells = list(cells_of(study(axes)))
    assert [dict(cell.point) for cell in cells] == [{"net": "bad"}, {"net": "good"}]
    assert cells[1].changes == {"l.rate": 10, "l.delay": 5}


def test_ranges_hold_both_ends_evenly_or_by_even_ratios():
    axes = {
        "even": {"key": "a", "range": {"low": 1, "high": 3, "count": 5}},
        "ratio": {"key": "b", "log_range": {"low": 1, "high": 100, "count": 3, "whole": True}},
    }
    cells = list(cells_of(study(axes)))
    assert sorted({cell.point["even"] for cell in cells}) == [1, 1.5, 2, 2.5, 3]
    assert sorted({cell.point["ratio"] for cell in cells}) == [1, 10, 100]
    assert all(isinstance(cell.point["ratio"], int) for cell in cells)


def test_a_latin_hypercube_has_one_point_in_each_strip_of_each_axis():
    axes = {
        "even": {"key": "a", "range": {"low": 0, "high": 10, "count": 2}},
        "ratio": {"key": "b", "log_range": {"low": 1, "high": 1000, "count": 2}},
        "kind": {"key": "c", "values": ["u", "v"]},
    }
    made = study(axes, design="latin_hypercube", samples=10)
    cells = list(cells_of(made))
    even = np.array([float(cell.point["even"]) for cell in cells])
    ratio = np.log10([float(cell.point["ratio"]) for cell in cells])
    assert sorted(np.floor(even).tolist()) == list(range(10))
    assert sorted(np.floor(ratio / 3 * 10).tolist()) == list(range(10))
    assert [cell.point["kind"] for cell in cells].count("u") == 5
    assert [cell.point for cell in cells_of(made)] == [cell.point for cell in cells]
    other = study(axes, design="latin_hypercube", samples=10, design_seed=2)
    assert [cell.point for cell in cells_of(other)] != [cell.point for cell in cells]


@pytest.mark.parametrize("design", ["grid", "one_at_a_time"])
def test_every_cell_differs_from_every_other(design: str):
    points = [tuple(cell.point.items()) for cell in cells_of(study(TWO, design=design))]
    assert len(set(points)) == len(points)
