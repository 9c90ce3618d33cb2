"""What may stand in the sections about energy, and what each mistake in them says."""

from __future__ import annotations

import json

import pytest

from edgesim.compute.power_presets import POWER_PRESETS
from edgesim.errors import InputError
from edgesim.network.radio_power_presets import RADIO_PRESETS
from edgesim.scenario.load import build_scenario
from edgesim.scenario.schema import json_schema
from edgesim.studies.check_files import check_files

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


BATTERIES = [
    ("{}", "battery.capacity_j", "missing key|a number above 0, in J"),
    ("{capacity_j: 0}", "battery.capacity_j", "found 0|above 0, in J"),
    ("{capacity_j: 9, initial_share: 0.1, cut_off_share: 0.1}", "battery.cut_off_share", "less than initial_share"),
    ("{capacity_j: 9, cut_off_share: 0.2}", "battery", "found 0.1|more than cut_off_share (0.2)"),
    ("{capacity_j: 9, initial_share: 0}", "battery", "found 0|less than initial_share (0)"),
    ("{capacity_j: 9, restart_share: 0}", "battery.restart_share", "found 0|more than cut_off_share (0)"),
    ("{capacity_j: 9, harvest: {power_w: 1}}", "battery.harvest.process", "missing key|constant or trace"),
    ("{capacity_j: 9, harvest: {process: constant, power_w: -1}}", "battery.harvest.power_w", "at least 0, in W"),
    (
        "{capacity_j: 9, harvest: {process: constant, power_w: 1, efficiency: 0}}",
        "battery.harvest.efficiency",
        "found 0|above 0 and at most 1",
    ),
    ("{capacity_j: 9, harvest: {process: trace, file: none.csv}}", "battery.harvest.file", "no such file"),
]


@pytest.mark.parametrize(("written", "key", "words"), BATTERIES, ids=[f"{case[1]}: {case[0]}" for case in BATTERIES])
def test_the_error_in_a_battery_says_what_to_mend(bench, written, key, words):
    message = bench.refused(POWER, f"{POWER}\n    battery: {written}")
    assert "\n" not in message
    assert message.startswith(bench.where("battery:")) and f": devices.camera.{key}: " in message
    for word in words.split("|"):
        assert word in message


LOADS = [
    ("{speed: 0.5}", "load.process", "missing key|constant, on_off or trace"),
    ("{process: constant, speed: 0}", "load.speed", "found 0|above 0 and at most 1"),
    ("{process: on_off, speed: 0.5, on_mean_s: 1}", "load.off_mean_s", "missing key|above 0, in s"),
    ("{process: trace, file: none.csv}", "load.file", "no such file"),
]


@pytest.mark.parametrize(("written", "key", "words"), LOADS, ids=[f"{case[1]}: {case[0]}" for case in LOADS])
@pytest.mark.parametrize(
    ("node", "old", "begin"),
    [("devices.camera", "{factor: 2}", "{factor: 2, "), ("servers.edge", "workers: 2", "workers: 2\n    processor: {")],
)
def test_the_error_in_a_load_says_what_to_mend(bench, node, old, begin, written, key, words):
    message = bench.refused(old, f"{begin}load: {written}}}")
    assert "\n" not in message
    assert message.startswith(bench.where("load:")) and f": {node}.processor.{key}: " in message
    for word in words.split("|"):
        assert word in message


def test_a_battery_needs_power(bench):
    message = bench.refused(POWER, "battery: {capacity_j: 9}")
    assert "devices.camera.battery: found a battery without power" in message


def refused_before_a_run(bench, text: str) -> str:
    scenario = bench.load(text.replace("cv: 0.5", "cv: 0.8"))
    with pytest.raises(InputError) as caught:
        check_files(scenario)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"), [("time_s,watts\n0,1\n", "no column power_w"), ("time_s,power_w\n0,-1\n", "not be negative")]
)
def test_a_bad_harvest_is_refused_before_a_run(bench, text, words):
    (bench.folder / "sun.csv").write_text(text)
    battery = "battery: {capacity_j: 9, harvest: {process: trace, file: sun.csv}}"
    message = refused_before_a_run(bench, bench.text.replace(POWER, f"{POWER}\n    {battery}"))
    assert "devices.camera.battery.harvest: " in message and "sun.csv, line" in message and words in message


def test_a_bad_load_is_refused_before_a_run(bench):
    (bench.folder / "load.csv").write_text("time_s,speed\n0,2\n")
    message = refused_before_a_run(
        bench, bench.text.replace("{factor: 2}", "{factor: 2, load: {process: trace, file: load.csv}}")
    )
    assert "devices.camera.processor.load: " in message and "every speed must be above 0 and at most 1" in message


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
    assert not definitions["Power"].get("required") and not definitions["RadioPower"].get("required")
    assert set(POWER_PRESETS) == set(definitions["Power"]["properties"]["preset"]["anyOf"][0]["enum"])
    assert set(RADIO_PRESETS) == set(definitions["RadioPower"]["properties"]["preset"]["anyOf"][0]["enum"])
    json.dumps(definitions)
