"""The same seed gives the same rows, and nobody moves anybody else's draws (rules 3, 21 and 22)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from little_worlds import EXPONENTIAL, Tables, assets_of, link, linked, run, toy, world

from edgesim.network.rate import pieces
from edgesim.outcomes.synthetic import synthetic_outcomes
from edgesim.results.columns import TABLES
from edgesim.scenario.scenario import Scenario
from edgesim.studies.run import run_scenario

AR1 = {"process": "ar1", "mean_mbps": 3, "cv": 0.6, "correlation_1s": 0.7}
MODEL = toy([3.0, EXPONENTIAL, 4.0], exits=[1, 2, 3], accuracy=[0.5, 0.7, 0.9], state_bytes=[2000, 1500, 500])
POLICIES: dict[str, Any] = {
    "local": {"type": "device_only"},
    "split": {"type": "fixed_cut", "cut": 1, "codec": "int8"},
    "image": {"type": "server_only", "codec": "png"},
    "anytime": {"type": "anytime"},
    "random": {"type": "random"},
    "early": {"type": "thresholds", "threshold": 0.8},
    "neuro": {"type": "neurosurgeon"},
    "hedge": {"type": "little_policies:Hedge"},
}
DEADLINE = {"distribution": "exponential", "mean_ms": 60, "known": "none"}


def small(**changes: Any) -> Scenario:
    defaults: dict[str, Any] = {
        "models": {"toy": MODEL},
        "devices": {"cam": linked(25, count=2, deadline=DEADLINE)},
        "links": {"l": link(AR1, AR1, delay_ms=3), "c": link(AR1, 10, delay_ms=2, sharing="cell")},
        "policies": POLICIES,
        "duration_s": 8,
    }
    return world(**{**defaults, **changes})


def digests(folder: Path) -> dict[str, str]:
    return {stem: hashlib.sha256((folder / f"{stem}.parquet").read_bytes()).hexdigest() for stem in TABLES}


def test_the_same_rows_byte_for_byte_on_any_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesim.results.plots.draw_all", lambda *_: None)
    policies = {name: POLICIES[name] for name in ("split", "random", "neuro")}
    devices = {"cam": linked(25, deadline=DEADLINE, after_deadline="abort"), "b": linked(20, link="c")}
    scenario = small(policies=policies, devices=devices, replications=2, duration_s=4, deadlines_ms=[30, 80])
    found = [
        digests(run_scenario(scenario, tmp_path / str(number), jobs=jobs).folder)
        for number, jobs in enumerate([1, 2, 1])
    ]
    assert found[0] == found[1] == found[2]
    other = run_scenario(small(policies=policies, devices=devices, replications=2, duration_s=4, seed=2), tmp_path)
    assert digests(other.folder)["requests"] != found[0]["requests"]


def test_replications_and_seeds_differ() -> None:
    first = run(small(), policy="split").requests
    again = run(small(), policy="split").requests
    assert first.equals(again)
    assert not set(first.arrival_s) & set(run(small(), policy="split", replication=1).requests.arrival_s)
    assert not set(first.arrival_s) & set(run(small(seed=9), policy="split").requests.arrival_s)


def draws_of(tables: Tables) -> pd.DataFrame:
    """What no policy can move, by request."""
    return tables.requests.set_index(["device", "number"])[["arrival_s", "sample", "deadline_s"]].sort_index()


def rates_of(tables: Tables) -> list[tuple[list[float], list[float]]]:
    return [pieces(link.rate, 0.0, 8.0) for each in tables.world.devices for link in (each.uplink, each.downlink)]


@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "local"])
def test_another_policy_meets_the_same_world(policy: str) -> None:
    here, other = run(small(), policy="local"), run(small(), policy=policy)
    assert draws_of(here).equals(draws_of(other))
    assert rates_of(here) == rates_of(other)


def test_hard_images_come_one_after_the_other_where_asked_whatever_the_policy_and_the_order_of_models() -> None:
    """Two models: the order is that of the scenario's first, not of the one that a policy runs."""
    other = toy([2.0, 2.0], accuracy=[0.5, 0.95], exits=[1, 2], state_bytes=[2000, 1500])
    cam = linked(25, count=2, deadline=DEADLINE, samples={"correlation": 0.9})
    policies = {"local": {"type": "device_only"}, "other": {"type": "device_only", "models": {"device": "other"}}}
    scenario = small(devices={"cam": cam}, models={"toy": MODEL, "other": other}, policies=policies, duration_s=60)
    here, there = run(scenario, policy="local"), run(scenario, policy="other")
    assert draws_of(here).equals(draws_of(there))
    confidence = assets_of(scenario).test["toy"].table(()).confidence[-1]
    ranks = confidence.argsort().argsort()
    for _, rows in here.requests.sort_values("number").groupby("device", observed=True):
        seen = ranks[rows["sample"].to_numpy()].astype(float)
        assert np.corrcoef(seen[1:], seen[:-1])[0, 1] == pytest.approx(0.9, abs=0.04)
    independent = run(small(devices={"cam": {**cam, "samples": {}}}), policy="local").requests
    assert not draws_of(here)["sample"].equals(independent["sample"])


def test_another_policy_draws_the_same_costs() -> None:
    """The first two blocks of one policy, by request, are within the three of the other; the same at the server."""
    by = ["device", "number"]
    local, image = (run(small(), policy=name).requests.set_index(by).sort_index() for name in ("local", "image"))
    anytime = run(small(), policy="anytime").requests.set_index(by).sort_index()
    assert (local.device_compute_s - anytime.device_compute_s).abs().max() < 1e-12
    split = run(small(policies={"p": {"type": "fixed_cut", "cut": 2, "codec": "int8"}})).requests
    split = split.set_index(by).sort_index()
    assert (local.device_compute_s - split.device_compute_s - 0.004).abs().max() < 1e-12
    cut_1 = run(small(), policy="split").requests.set_index(by).sort_index()
    assert (image.server_s - cut_1.server_s - 0.003).abs().max() < 1e-9
    assert image.server_s.corr(local.device_compute_s) < 0.5


def beside_others(policy: dict[str, Any], sharing: str) -> tuple[Tables, Tables]:
    """Two devices alone, and the same two beside a third of their class and another class."""
    name = "l" if sharing == "fifo" else "c"
    cam = linked(25, link=name, deadline=DEADLINE, count=2)
    alone = run(small(devices={"cam": cam}, policies={"p": policy}))
    others = {"extra": linked(40, link=name), "cam": {**cam, "count": 3}}
    more = run(small(devices=others, policies={"p": policy}))
    kept = more.requests[more.requests.device.isin(["cam-0", "cam-1"])].reset_index(drop=True)
    return alone, more._replace(requests=kept)


@pytest.mark.parametrize("sharing", ["fifo", "cell"])
def test_devices_that_do_not_meet_are_not_moved(sharing: str) -> None:
    """Their whole rows stay as they are."""
    alone, beside = beside_others({"type": "device_only"}, sharing)
    assert len(alone.requests) > 300
    pd.testing.assert_frame_equal(alone.requests, beside.requests, check_exact=True)


@pytest.mark.parametrize("sharing", ["fifo", "cell"])
def test_another_device_moves_nobodys_draws(sharing: str) -> None:
    """They meet at the server and in the cell, and still draw the same costs there, and the links the same rates."""
    alone, beside = beside_others(POLICIES["split"], sharing)
    assert draws_of(alone).equals(draws_of(beside))
    assert alone.requests.server_s.values == pytest.approx(beside.requests.server_s.values, rel=1e-6, abs=1e-12)
    assert alone.requests.device_compute_s.values == pytest.approx(beside.requests.device_compute_s.values, rel=1e-12)
    assert (alone.requests.server_wait_s - beside.requests.server_wait_s).abs().max() > 0.001
    by_name = {each.name: each for each in beside.world.devices}
    for each in alone.world.devices:
        assert pieces(each.uplink.rate, 0.0, 8.0) == pieces(by_name[each.name].uplink.rate, 0.0, 8.0)


def test_another_model_moves_no_samples() -> None:
    """Policies with different models draw from one pool, though one of the models knows fewer samples."""
    models = {"toy": MODEL, "other": toy([9.0])}
    policies = {"a": {"type": "device_only"}, "b": {"type": "device_only", "models": {"device": "other"}}}
    scenario = small(models=models, policies=policies)
    assets = assets_of(scenario)
    fewer = synthetic_outcomes("other", [1], [0.8], 0.8, 60, [1000], [], 1, "test")
    assets = replace(assets, test={**assets.test, "other": fewer})
    one, other = (run(scenario, assets, policy=name) for name in policies)
    assert one.requests["sample"].max() == 59
    assert draws_of(one).equals(draws_of(other))


def test_the_axis_scales_deadlines_and_moves_nothing_else() -> None:
    scenario = small(policies={"p": {"type": "device_only"}})
    own, wide = run(scenario), run(scenario, deadline_ms=240)
    assert draws_of(own)[["arrival_s", "sample"]].equals(draws_of(wide)[["arrival_s", "sample"]])
    assert (draws_of(wide).deadline_s / draws_of(own).deadline_s).values == pytest.approx(4.0, rel=1e-9)
