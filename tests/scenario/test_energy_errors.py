"""What may stand in the sections about energy, and what each mistake in them says."""

from __future__ import annotations

import json

import pytest

from edgesim.compute.power_presets import POWER_PRESETS
from edgesim.network.radio_power_presets import RADIO_PRESETS
from edgesim.scenario.load import build_scenario
from edgesim.scenario.schema import json_schema

POWER = "power: {idle_w: 2.7, compute_w: 6, send_w: 1.0}"
RADIO = "power: {idle_w: 2.7, compute_w: 6, radio: "

CASES = [
    # what is written for the power of the camera, the key, words of the message
    ("power: {preset: pi6}", "power.preset", "found 'pi6'|pi5"),
    ("power: {preset: 5}", "power.preset", "found 5|pi5"),
    ("power: {preset: cm4}", "power.idle_w", "missing key|in W"),
    ("power: {preset: pi5, idle_w: 20}", "power", "found 12.7|at least idle_w (20), as compute_w"),
    ("power: {compute_w: 3}", "power.idle_w", "missing key|in W"),
    (RADIO + "{preset: lte}, send_w: 1}", "power.radio", "beside send_w"),
    (RADIO + "{preset: 6g}}", "power.radio.preset", "found '6g'|5g-mmwave"),
    (RADIO + "{send_w: 1}}", "power.radio.receive_w", "missing key|in W"),
    (RADIO + "{preset: lte, tail_s: -1}}", "power.radio.tail_s", "found -1|at least 0, in s"),
    (RADIO + "{preset: lte, tail: 1}}", "power.radio.tail", "unknown key|tail_w"),
    (RADIO + "{preset: 5g-mmwave, send_w: 2}}", "power.radio", "found a power of 2 W|at least idle_w (2.7)"),
]


@pytest.mark.parametrize(("written", "key", "words"), CASES, ids=[f"{case[1]}: {case[0][:60]}" for case in CASES])
def test_the_error_says_what_to_mend(bench, written, key, words):
    message = bench.refused(POWER, written)
    assert "\n" not in message
    assert message.startswith(bench.where(written[:20])) and f": devices.camera.{key}: " in message
    for word in words.split("|"):
        assert word in message


def test_presets_bring_the_keys_that_are_not_written(bench):
    scenario = bench.changed(POWER, "power: {preset: pi5, compute_w: 8, radio: {preset: lte, tail_s: 5}}")
    power = scenario.devices["camera"].power
    assert (power.idle_w, power.compute_w, power.radio.tail_w, power.radio.tail_s) == (3.0, 8.0, 1.06, 5.0)
    again = build_scenario(scenario.resolved(), bench.folder)
    assert again.devices["camera"].power == power


@pytest.mark.parametrize("preset", POWER_PRESETS)
def test_every_power_preset_can_be_used(bench, preset):
    known = POWER_PRESETS[preset]
    idle = "" if known.idle_w is not None else ", idle_w: 0.5"
    power = bench.changed(POWER, f"power: {{preset: {preset}{idle}}}").devices["camera"].power
    assert power.compute_w == known.compute_w > power.idle_w > 0
    assert known.source and any(word in known.label for word in ("measured", "budget", "assumed"))


def test_editors_accept_presets_and_know_their_names():
    definitions = json_schema()["$defs"]
    assert not definitions["Power"].get("required") and not definitions["Radio"].get("required")
    assert set(POWER_PRESETS) == set(definitions["Power"]["properties"]["preset"]["anyOf"][0]["enum"])
    assert set(RADIO_PRESETS) == set(definitions["Radio"]["properties"]["preset"]["anyOf"][0]["enum"])
    json.dumps(definitions)
