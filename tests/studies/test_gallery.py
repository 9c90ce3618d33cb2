"""Every scenario of the gallery, in small, runs, and shows the feature that it is there for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from pages import ROOT
from small_runs import read

from edgesim.scenario.load import load_scenario
from edgesim.studies.run import run_scenario

FILES = {path.stem: path for path in sorted((ROOT / "scenarios" / "gallery").glob("*.yaml"))}
TOY = (
    "{source: synthetic, blocks_ms: [0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2], exits: [3, 5, 7, 8, 9], "
    "branch_ms: 0.05, state_bytes: [1768, 4692, 4692, 4692, 1548, 1548, 1548, 1548, 524], "
    "accuracy: [0.78, 0.8, 0.82, 0.84, 0.85]}"
)
SMALL = (f"models.scenes={TOY}", "data={source: none}", "warmup_s=0", "replications=1")


def without_presets(name: str) -> Iterator[str]:
    """Overrides of the processors, as a preset scales measured times only."""
    scenario = load_scenario(FILES[name])
    for part, nodes, factor in (("devices", scenario.devices, 20), ("servers", scenario.servers, 0.25)):
        yield from (f"{part}.{each}.processor={{factor: {factor}}}" for each in nodes)


def some_go_on_alone(requests: pd.DataFrame) -> bool:
    sent = requests[requests.policy == "server_only"]
    alone = sent.device_compute_s > 0
    return bool((sent.end != "dropped").all() and alone.any() and not alone.all())


def stations_wait(requests: pd.DataFrame) -> bool:
    return requests.device.str.startswith("far").any() and requests.uplink_wait_s.max() > 0


def all_replicas_serve(nodes: pd.DataFrame) -> bool:
    served = nodes[nodes.policy == "server_only"].groupby("node", observed=True).served.sum()
    return bool((served[["edge-0", "edge-1", "edge-2"]] > 0).all())


def cloud_serves(nodes: pd.DataFrame) -> bool:
    served = nodes.groupby(["policy", "node"], observed=True).served.sum()
    return bool(served["tiers", "cloud"] > 0 and served["tiers", "edge"] > 0 and served["edge_only", "cloud"] == 0)


def those_that_send_go_dark(nodes: pd.DataFrame) -> bool:
    away_s = nodes.groupby("policy", observed=True).away_s.sum()
    return bool(away_s["server_only"] > 0 and away_s["device_only"] == 0)


SHOWN: dict[str, tuple[str, str, Callable[[pd.DataFrame], bool]]] = {
    "commuter": ("duration_s=60", "requests", some_go_on_alone),
    "wifi_office": ("duration_s=2", "requests", stations_wait),
    "drone": ("duration_s=120", "nodes", all_replicas_serve),
    "server_outage": ("duration_s=30", "requests", some_go_on_alone),
    "battery_cameras": (
        "duration_s=10000 devices.camera.battery.initial_share=0.115",
        "nodes",
        those_that_send_go_dark,
    ),
    "three_tiers": ("duration_s=2", "nodes", cloud_serves),
}


@pytest.mark.parametrize("name", FILES)
def test_a_scenario_of_the_gallery_runs_in_small(name: str, tmp_path: Path, no_plots: None) -> None:
    smaller, table, shows = SHOWN[name]
    scenario = load_scenario(FILES[name], (*SMALL, *without_presets(name), *smaller.split(), "deadlines_ms=[50, 100]"))
    assert scenario.name == name
    run = run_scenario(scenario, tmp_path)
    assert set(run.summary["policies"]) == set(scenario.policies)
    assert all(policy["points"] for policy in run.summary["policies"].values())
    assert shows(read(run.folder, table))


@pytest.mark.parametrize("name", FILES)
def test_a_scenario_of_the_gallery_has_its_story(name: str) -> None:
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert f"`scenarios/gallery/{name}.yaml`" in page and f"(gallery/{name}.png)" in page
    assert f"[`scenarios/gallery/{name}.yaml`]" in (ROOT / "README.md").read_text(encoding="utf-8")
    load_scenario(FILES[name])  # as it stands, too
