"""Policies over models that answer with values: what requests are off, leaving on change, the best arm, oracles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_worlds import Ran, scenario_of, simulated

from edgesim.engine.assets import Assets
from edgesim.engine.simulation import recorder_for, simulate
from edgesim.engine.world import Cell
from edgesim.outcomes.table import Outcomes
from edgesim.policies.arms import Arm
from edgesim.results.columns import TABLES
from edgesim.scenario.policies import Thresholds
from edgesim.scenario.scenario import Scenario
from edgesim.studies.load import load_assets
from edgesim.studies.static_best import find_static_best

MEAN = 5.5


def counting(outcomes: Outcomes, seed: int) -> Outcomes:
    """The same model with counts for answers: deeper exits are off by less, lossy paths by more."""
    random = np.random.default_rng(seed)
    targets = random.integers(1, 11, outcomes.samples).astype(float)
    tables = {}
    for number, (path, table) in enumerate(sorted(outcomes.tables.items())):
        spread = 2.0 / (1 + np.array(table.exits))[:, None] + 0.1 * number
        value = targets + spread * random.normal(size=table.prediction.shape)
        error = np.abs(value - targets)
        unknown = np.full_like(error, np.nan)
        made = {"prediction": value, "confidence": unknown, "entropy": unknown, "margin": unknown}
        tables[path] = replace(table, **made, correct=error <= 0.5, error=error)
    return replace(outcomes, tables=tables, missed_error=np.abs(targets - MEAN))


def world(policies: Mapping[str, Any], *overrides: str, **changes: Any) -> tuple[Scenario, Assets]:
    scenario = scenario_of(policies, *overrides, **changes)
    assets = load_assets(scenario)
    test, validation = (
        {name: counting(found, seed) for name, found in each.items()}
        for seed, each in enumerate((assets.test, assets.validation))
    )
    return scenario, replace(assets, test=test, validation=validation, _places={})


def recorded(scenario: Scenario, assets: Assets, folder: Path, policy: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    recorder = recorder_for(scenario, assets, folder)
    simulate(scenario, assets, Cell(policy, scenario.policies[policy], None, 0), recorder, assets.test)
    recorder.close()
    requests, answers = (pd.read_parquet(folder / f"{stem}.parquet") for stem in list(TABLES)[:2])
    return requests, answers


@pytest.mark.parametrize(
    ("policy", "deadline_ms", "reached"),
    [("anytime", 1, None), ("anytime", 4, 0), ("anytime", 12, 1), ("anytime", 60, 2), ("device_only", 12, None)],
)
def test_requests_are_off_by_the_slots_error_or_by_the_means(
    policy: str, deadline_ms: int, reached: int | None, tmp_path: Path
) -> None:
    """On the device: 2.5, 9.9 and 15.2 ms to the three exits, without branches 14.3 ms to the last."""
    scenario, assets = world({"p": {"type": policy}}, f"devices.camera.deadline.ms={deadline_ms}")
    requests, answers = recorded(scenario, assets, tmp_path, "p")
    outcomes = assets.test["toy"]
    missed, table = outcomes.missed_error[requests["sample"]], outcomes.table(())
    expected = missed if reached is None else table.error[reached, requests["sample"]]
    np.testing.assert_array_equal(requests["error"], expected)
    np.testing.assert_array_equal(requests["missed_error"], missed)
    own = requests.set_index(["device", "number"])["sample"]
    samples = own.loc[list(zip(answers["device"], answers["number"], strict=True))]
    np.testing.assert_array_equal(answers["error"], table.error[answers["exit"], samples])


def test_classes_have_no_errors(tmp_path: Path) -> None:
    scenario = scenario_of({"p": {"type": "device_only"}})
    requests, answers = recorded(scenario, load_assets(scenario), tmp_path, "p")
    assert requests[["error", "missed_error"]].isna().all(axis=None) and answers["error"].isna().all()


def leaving(threshold: float, **cut: Any) -> tuple[Ran, Assets]:
    scenario, assets = world({"p": {"type": "fixed_cut", "cut": 1, "codec": "int8"}})
    spec = Thresholds(type="thresholds", score="change", threshold=threshold, **cut)
    return simulated(scenario, "p", assets=assets, spec=spec), assets


@pytest.mark.parametrize("threshold", [0.0, 0.4, 1.0, 100.0])
def test_a_request_leaves_where_its_value_has_hardly_changed(threshold: float) -> None:
    ran, assets = leaving(threshold)
    value = assets.test["toy"].table(()).prediction[:, ran.column(lambda each: each.sample)]
    still = np.abs(value[1] - value[0]) <= threshold
    np.testing.assert_array_equal(ran.exits, np.where(still, 1, 2))
    assert 0 < still.mean() < 1 or threshold not in (0.4, 1.0)


def test_change_counts_from_the_exits_of_the_same_node() -> None:
    """Cut 1: exit 0 on the device, exits 1 and 2 on the server, where exit 1 has none before it."""
    ran, _ = leaving(100.0, cut=1, codec="int8")
    assert (ran.exits == 2).all()


def test_the_static_best_is_the_arm_that_is_off_by_least_on_time() -> None:
    """The validation mean of (exits 0, 1, 2) falls; at 4 ms only exit 0 is in time, at 1 ms none is."""
    best = {"type": "static_best", "calibration_seed": 100, "codecs": ["int8"]}
    scenario, assets = world({"best": best}, deadlines_ms=[1, 4, 12, 60])
    found = find_static_best(scenario, assets, "best")
    assert found[4.0] == Arm("toy", (), 0) and found[12.0] == Arm("toy", (), 1) and found[60.0] == Arm("toy", (), 2)


def test_the_static_best_rather_answers_nothing_than_worse_than_the_mean() -> None:
    """At 4 ms only exit 0 is in time, and it is off by 10 more here."""
    scenario, assets = world({"best": {"type": "static_best", "calibration_seed": 100}}, deadlines_ms=[4])
    known = assets.validation["toy"]
    table = known.table(())
    bad = replace(table, error=table.error + [[10.0], [0.0], [0.0]])
    worse = replace(assets, validation={"toy": replace(known, tables={**known.tables, (): bad})}, _places={})
    assert find_static_best(scenario, assets, "best")[4.0] == Arm("toy", (), 0)
    assert find_static_best(scenario, worse, "best")[4.0] != Arm("toy", (), 0)


ORACLES = {
    "link": {"type": "link_oracle", "codecs": ["png", "int8"]},
    "all": {"type": "clairvoyant", "codecs": ["png", "int8"]},
    "anytime": {"type": "anytime", "cut": 1},
    "split": {"type": "fixed_cut", "cut": 1, "codec": "int8"},
    "local": {"type": "device_only"},
}


def off(ran: Ran) -> np.ndarray:
    """The error of what each request's slot holds in the end."""
    return ran.column(lambda each: max(each.answers, key=lambda answer: answer[1])[4].error)


def test_with_time_enough_the_clairvoyant_takes_the_least_error_of_all_arms() -> None:
    scenario, assets = world(ORACLES)
    ran = simulated(scenario, "all", deadline_ms=1000.0, assets=assets)
    outcomes = assets.test["toy"]
    samples = ran.column(lambda each: each.sample)
    least = np.min([outcomes.table(path).error[:, samples].min(axis=0) for path in [(), *outcomes.payloads]], axis=0)
    np.testing.assert_array_equal(off(ran), least)
    for other in ("link", "anytime", "split", "local"):
        assert (least <= off(simulated(scenario, other, deadline_ms=1000.0, assets=assets))).all()


def test_with_time_enough_the_link_oracle_takes_the_arm_with_the_least_validation_error() -> None:
    scenario, assets = world(ORACLES)
    known = assets.validation["toy"]
    for table in known.tables.values():
        table.correct[:] = table.error > 0.5  # what is right does not matter
    ran = simulated(scenario, "link", deadline_ms=1000.0, assets=assets)
    mean, path, row = min(
        (mean, path, row)
        for path in [(), *known.payloads]
        for row, mean in enumerate(known.table(path).error.mean(axis=1))
    )
    np.testing.assert_array_equal(
        off(ran), assets.test["toy"].table(path).error[row, ran.column(lambda each: each.sample)]
    )
