"""docs/metrics.md defines every column of a run and every key of its summary."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from synthetic_run import World

from edgesim.outcomes.reliability import exit_reliability
from edgesim.outcomes.synthetic import synthetic_outcomes
from edgesim.results.columns import CELL, STAGES, TABLES, arrow_schema
from edgesim.results.summary import summarise

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
NAMED = {"policies", "nodes", "links", "exits", "cuts", "reasons", "ends", "labels", "stages"}
"""Keys whose members are named by the scenario, by columns or by ``ends``."""


def defined(text: str) -> set[str]:
    return set(re.findall(r"^\| `([a-z_0-9]+)` \|", text, flags=re.MULTILINE))


def keys(content: Any, parent: str = "") -> set[str]:
    if isinstance(content, list):
        return set().union(*(keys(each, parent) for each in content)) if content else set()
    if not isinstance(content, dict):
        return set()
    own = set() if parent in NAMED else set(content)
    return own.union(*(keys(value, "" if parent in NAMED else key) for key, value in content.items()))


@pytest.mark.parametrize("stem", TABLES)
def test_every_column_is_defined_in_its_table(stem: str) -> None:
    section = PAGE.split(f"### {stem}.parquet")[1].split("\n### ")[0]
    names = {column.name for column in TABLES[stem]} - {column.name for column in CELL}
    assert defined(section) == names
    assert {column.name for column in CELL} <= defined(PAGE.split("## Columns")[1].split("###")[0])


def test_every_key_of_the_summary_is_defined(tmp_path: Path) -> None:
    world = World(tmp_path, ["device_only", "anytime"], replications=2, devices=2, rate_hz=1.0, seed=1)
    found = keys(summarise(world.write({}), {"oracles": [], "costs": {}}))
    section = PAGE.split("## summary.json")[1].split("\n## ")[0]
    assert found == defined(section) - {"on_time_error", "missed_error"}  # of regression: test_errors.py


def test_every_key_of_the_reliability_is_defined() -> None:
    outcomes = synthetic_outcomes("toy", [1], [0.9], 0.5, 50, [100], [], 1, "test")
    (found,) = exit_reliability({"toy": outcomes})
    section = PAGE.split("## reliability.json")[1].split("\n## ")[0]
    assert {"exits", *found} == defined(section)


def test_columns_have_unique_names_and_a_meaning() -> None:
    for columns in TABLES.values():
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)
        assert all(column.meaning for column in columns)
        assert arrow_schema(columns).names == names
        assert columns[:3] == CELL
        for column in columns:
            unit = re.search("_(s|ms|j)$", column.name)
            if unit:
                assert column.unit == {"s": "s", "ms": "ms", "j": "J"}[unit[1]], column.name
    assert set(STAGES) <= {column.name for column in TABLES["requests"]}
