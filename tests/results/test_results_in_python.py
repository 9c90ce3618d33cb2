"""The frames of a run say what its files say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_run import World

import edgesim
from edgesim.errors import InputError
from edgesim.results.results import Results
from edgesim.results.statistics import t_interval
from edgesim.results.summary import summarise, write_summary

POLICIES = ["device_only", "anytime", "server_only"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Results:
    world = World(tmp_path_factory.mktemp("run"), POLICIES, replications=3, devices=2, rate_hz=1.0, seed=1)
    write_summary(world.write({}), summarise(world.folder, {}))
    found = edgesim.load(str(world.folder))
    assert isinstance(found, Results)
    return found


@pytest.mark.parametrize("stem", ["requests", "answers", "links", "nodes"])
def test_tables(run: Results, stem: str) -> None:
    assert getattr(run, stem).equals(pd.read_parquet(run.folder / f"{stem}.parquet"))


def test_points_are_those_of_the_summary(run: Results) -> None:
    summary = json.loads((run.folder / "summary.json").read_text())
    assert run.summary == summary and run.policies == POLICIES
    expected = {
        (name, quantity, point["deadline_ms"]): point[quantity]["pool_high" if pool else "high"]
        for name, policy in summary["policies"].items()
        for point in policy["points"]
        for quantity, pool in (("on_time_accuracy", True), ("miss_ratio", False))
    }
    assert len(run.points) == len(expected)
    for row in run.points.itertuples():
        deadline_ms = None if np.isnan(row.deadline_ms) else row.deadline_ms
        high = row.pool_high if row.quantity == "on_time_accuracy" else row.high
        assert high == expected[row.policy, row.quantity, deadline_ms]


def test_metrics_and_replications_agree_and_name_all_quantities(run: Results) -> None:
    """But for shares that never occur, which a summary leaves out."""
    of_runs = run.replications()
    assert not of_runs.duplicated(["policy", "deadline_ms", "quantity", "replication"]).any()
    keys = ["policy", "deadline_ms", "quantity"]
    means = of_runs.groupby(keys, dropna=False).value.mean().rename("expected").reset_index()
    assert set(run.metrics.quantity) <= set(of_runs.quantity)
    both = run.metrics.merge(means, on=keys)
    assert len(both) == len(run.metrics) > 100
    assert both["mean"].to_numpy() == pytest.approx(both.expected.to_numpy(), nan_ok=True)
    missing = set(of_runs.quantity) - set(run.metrics.quantity)
    assert all(name.startswith(("exit:", "cut:", "reason:")) for name in missing)


def test_replications_of_points(run: Results) -> None:
    values = run.replications({"on_time_accuracy"})
    assert set(values.quantity) == {"on_time_accuracy"} and set(values.replication) == {0, 1, 2}
    at = values[(values.policy == "server_only") & (values.deadline_ms == 75.0)].value.to_numpy()
    points = run.points.set_index(["policy", "quantity", "deadline_ms"])
    row = points.loc[("server_only", "on_time_accuracy", 75.0)]
    assert tuple(t_interval(at)) == pytest.approx((row["mean"], row.low, row.high))


def test_differences(run: Results) -> None:
    assert len(run.differences) == 3
    first = run.summary["differences"][0]
    assert run.differences.iloc[0].to_dict() == {
        **{key: first[key] for key in ("better", "worse", "p", "p_holm", "distinguishable")},
        **{"difference": first["difference"]["mean"], "low": first["difference"]["low"]},
        **{"high": first["difference"]["high"]},
    }


def test_what_is_no_results_folder_is_refused(run: Results, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither manifest\.json nor ledger\.sqlite"):
        edgesim.load(tmp_path)
    with pytest.raises(InputError, match="nothing was measured of latency"):
        run.replications(["latency"])
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match=r"summary\.json"):
        edgesim.load(tmp_path)
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(InputError, match=r"requests\.parquet: cannot be read"):
        _ = edgesim.load(tmp_path).requests
