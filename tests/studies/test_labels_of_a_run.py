"""What a run says of itself: measured, scaled, synthetic or assumed, and what to beware of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_runs import BASE, small

from edgesim.network.presets import LABEL
from edgesim.profiling.costs import ModelCosts
from edgesim.profiling.profile import shipped_profile
from edgesim.studies.labels import labels_of, warnings_of
from edgesim.studies.load import load_assets


def linked(up: dict[str, Any], down: dict[str, Any] | None = None, **changes: Any) -> Any:
    access = {**BASE["links"]["access"], "up": up}
    if down is not None:
        access["down"] = down
    return small(links={"access": access}, **changes)


def trace(folder: Path, step_s: float) -> dict[str, Any]:
    rows = "".join(f"{step_s * number:g},{1 + number % 3}\n" for number in range(20))
    (folder / "rail.csv").write_text("time_s,rate_mbps\n" + rows)
    return {"process": "trace", "file": "rail.csv"}


def warned(scenario: Any) -> list[str]:
    return warnings_of(scenario, load_assets(scenario))


def test_everything_synthetic_is_called_so() -> None:
    scenario = small()
    labels = labels_of(scenario, load_assets(scenario), ["clairvoyant"])
    assert labels["oracles"] == ["clairvoyant"] and labels["outcomes"] == {"toy": "synthetic"}
    assert labels["costs"]["toy on camera"] == "synthetic"
    assert labels["costs"]["toy on edge"] == "synthetic, scaled by 0.25 (assumed)"
    assert labels["links"] == {"access up": "synthetic", "access down": "synthetic"}
    (assumption,) = labels["assumptions"]
    assert "Connections are warm (no handshakes)" in assumption
    assert warned(scenario) == []


def test_traces_and_presets_are_named(tmp_path: Path) -> None:
    scenario = linked(
        {**trace(tmp_path, 0.001), "scale": 2.0}, {"process": "ar1", "preset": "3g-norway"}, folder=tmp_path
    )
    links = labels_of(scenario, load_assets(scenario), [])["links"]
    assert links["access up"] == "trace rail.csv, scaled by 2"
    assert links["access down"].startswith(f"{LABEL}: 3g-norway (3G in Norway")


def test_loads_are_named() -> None:
    servers = {"edge": {"processor": {"factor": 0.25, "load": {"process": "constant", "speed": 0.5}}}}
    scenario = small(servers=servers)
    assert any(
        each.startswith("Load on edge: ") for each in labels_of(scenario, load_assets(scenario), [])["assumptions"]
    )


def test_radio_links_say_what_they_leave_out() -> None:
    radio = {
        "process": "radio",
        "path_loss": {"type": "umi"},
        "sites": [{"position_m": [0, 0]}],
        "mobility": {"type": "static", "position_m": [50, 0]},
        "carrier_ghz": 3.5,
        "bandwidth_mhz": 20,
    }
    season = {"process": "seasonal", "of": radio, "amplitude": 0.5}
    scenario = linked(season, radio)
    labels = labels_of(scenario, load_assets(scenario), [])
    assert labels["links"]["access down"] == "synthetic: radio, UMi street canyon of 3GPP TR 38.901"
    assert labels["links"]["access up"] == f"{labels['links']['access down']}, times a sinusoid"
    assert sum("no interference" in sentence for sentence in labels["assumptions"]) == 1


def test_measured_costs_are_called_measured_or_scaled() -> None:
    scenario = small()
    assets = load_assets(scenario)
    measured = replace(assets, costs={"toy": ModelCosts(shipped_profile("fashion_vit"))}, _on={})
    labels = labels_of(scenario, measured, [])
    assert labels["costs"] == {"toy on camera": "measured", "toy on edge": "measured, scaled by 0.25 (assumed)"}
    assert any("Decision times are measured" in sentence for sentence in labels["assumptions"])


@pytest.mark.parametrize(("step_s", "warns"), [(1.0, True), (0.006, True), (0.005, False), (0.001, False)])
def test_a_trace_coarser_than_a_deadline_is_warned_of(tmp_path: Path, step_s: float, warns: bool) -> None:
    """The shortest deadline of the axis is 5 ms."""
    found = warned(linked(trace(tmp_path, step_s), folder=tmp_path))
    assert len(found) == warns
    if warns:
        assert f"links.access.up: the rate changes every {1e3 * step_s:g} ms" in found[0] and "5 ms" in found[0]


def test_own_deadlines_count_as_well(tmp_path: Path) -> None:
    scenario = linked(trace(tmp_path, 0.03), folder=tmp_path, deadlines_ms=[])
    assert len(warned(scenario)) == 1, "20 ms"
    assert warned(linked(trace(tmp_path, 0.02), folder=tmp_path, deadlines_ms=[])) == []


def test_a_download_that_feeds_an_uplink_is_warned_of() -> None:
    down, up = (
        {"process": "ar1", "preset": "4g-bus", "step_ms": 1},
        {"process": "ar1", "preset": "lte-upload", "step_ms": 1},
    )
    (found,) = warned(linked(down, down))
    assert found.startswith("links.access.up: preset 4g-bus describes downloads and feeds an uplink")
    assert warned(linked(up, down)) == []


@pytest.mark.parametrize(
    ("suffix", "said", "warns"),
    [("down", None, True), ("up", None, False), ("down", "up", False), ("up", "down", True)],
)
def test_a_trace_of_downloads_that_feeds_an_uplink_is_warned_of(
    tmp_path: Path, suffix: str, said: str | None, warns: bool
) -> None:
    """What the scenario says goes before what the file's name says."""
    (tmp_path / f"lte.{suffix}").write_text("1\n2\n4\n")
    spec = {"process": "trace", "file": f"lte.{suffix}"} | ({"direction": said} if said else {})
    scenario = linked(spec, spec, folder=tmp_path)
    found = warned(scenario)
    assert found == (
        [f"links.access.up: lte.{suffix} records downloads and feeds an uplink; uplinks are usually slower."] * warns
    )
    assert labels_of(scenario, load_assets(scenario), [])["links"]["access up"] == (
        f"trace lte.{suffix}, {said or suffix}loads"
    )


def test_a_slow_process_is_warned_of() -> None:
    slow = {"process": "ar1", "mean_mbps": 5, "cv": 0.5, "correlation_1s": 0.5, "step_ms": 100}
    (found,) = warned(linked(slow))
    assert "links.access.up: the rate changes every 100 ms" in found


def test_a_warp_is_named_and_explained() -> None:
    wandering = {"process": "random_walk", "high_mbps": 9, "change_mbps": 1, "step_ms": 1}
    scenario = linked({**wandering, "warp": {"cv_factor": 1.2, "correlation_factor": 3}})
    labels = labels_of(scenario, load_assets(scenario), [])
    assert labels["links"]["access up"] == "synthetic, warped: cv_factor 1.2, correlation_factor 3"
    assert any("still rises with their variability (Jensen)" in sentence for sentence in labels["assumptions"])
    assert warned(scenario) == []
    season = {"process": "seasonal", "of": scenario.links["access"].up.model_dump(), "amplitude": 0.1}
    assert any("Jensen" in each for each in labels_of(linked(season), load_assets(scenario), [])["assumptions"])


def test_a_warp_slows_what_a_rate_says_of_deadlines() -> None:
    wandering = {"process": "random_walk", "high_mbps": 9, "change_mbps": 1, "step_ms": 3}
    assert warned(linked(wandering)) == []
    (found,) = warned(linked({**wandering, "warp": {"correlation_factor": 2}}))
    assert "the rate changes every 6 ms" in found


def test_outages_that_do_not_allow_a_cv_are_warned_of() -> None:
    cut = {"process": "gilbert_elliott", "good_mbps": 9, "good_mean_s": 1, "bad_mean_s": 1}
    (found,) = warned(linked({**cut, "warp": {"cv": 0.1}}))
    assert found.startswith("links.access.up: a coefficient of variation of 0.10 cannot be had with the outages")


def test_a_link_by_preset_says_what_of_it_is_assumed() -> None:
    wifi = {"preset": "wifi", "prior_mbps": 10, "down": {"process": "constant", "rate_mbps": 50}}
    scenario = small(links={"access": wifi})
    links = labels_of(scenario, load_assets(scenario), [])["links"]
    assert links["access up"].startswith("wifi: up measured; down assumed alike") and "DADS" in links["access up"]
    assert links["access down"] == "synthetic"
