"""A run says which of its powers were measured."""

from __future__ import annotations

from small_runs import BASE, small

from edgesim.studies.labels import labels_of
from edgesim.studies.load import load_assets


def test_presets_of_power_and_radio_are_named_with_their_source() -> None:
    power = {"preset": "cm4", "idle_w": 2, "radio": {"preset": "lte", "tail_s": 5}}
    scenario = small(devices={"camera": {**BASE["devices"]["camera"], "power": power}})
    named = labels_of(scenario, load_assets(scenario), [])["assumptions"]
    (label,) = (each for each in named if each.startswith("Power of camera: "))
    assert label.startswith("Power of camera: cm4, compute_w measured, idle_w unknown (geerlingguy/top500-benchmark")
    assert label.endswith("; but idle_w 2")
    (label,) = (each for each in named if each.startswith("Radio of camera: "))
    assert label.startswith("Radio of camera: lte, transfers measured; tail and promotion assumed (Huang et al., ")
    assert label.endswith("; but tail_s 5")


def test_own_powers_are_nobodys_preset() -> None:
    power = {"idle_w": 2, "compute_w": 3, "radio": {"send_w": 1, "receive_w": 1}}
    scenario = small(devices={"camera": {**BASE["devices"]["camera"], "power": power}})
    assert not any(
        each.startswith(("Power", "Radio")) for each in labels_of(scenario, load_assets(scenario), [])["assumptions"]
    )
