"""Radio links in a scenario: what loads, and one located error for each mistake."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path

import pytest

from edgesim.errors import InputError
from edgesim.scenario.load import build_scenario
from edgesim.studies.check_files import check_files

RADIO = """\
    up: &radio
      process: radio
      path_loss: {type: umi, line_of_sight: drawn, device_height_m: 10}
      sites: [{position_m: [0, 0], server: edge}, {position_m: [300, 0]}]
      mobility: {type: random_waypoint, area_m: [300, 200], low_mps: 5, high_mps: 20, pause_s: 3}
      carrier_ghz: 3.5
      bandwidth_mhz: 20
      fading: {type: rician, k_db: 9, coherence_ms: 10}
      handover: {hysteresis_db: 3, time_to_trigger_ms: 160, interruption_ms: 50}
    down: *radio
"""
OFFICE = "{type: log_distance, exponent: 3, sigma_db: 6}"
CASES = [
    ("umi, line", "umy, line", "up.path_loss.type", "found 'umy'|allowed: umi, uma, inh or log_distance|mean 'umi'?"),
    (
        "device_height_m: 10",
        "device_height_m: 30",
        "up.path_loss.device_height_m",
        "at least 1.5 and at most 22.5, in m",
    ),
    (
        "umi, line_of_sight: drawn, device_height_m: 10",
        "uma, device_height_m: 14",
        "up.path_loss.device_height_m",
        "at most 13",
    ),
    ("sight: drawn", "sight: perhaps", "up.path_loss.line_of_sight", "drawn, always or never"),
    ("      carrier_ghz: 3.5\n", "", "up.carrier_ghz", "missing key|a number at least 0.1 and at most 100, in GHz"),
    ("bandwidth_mhz: 20", "bandwidth_mhz: 0", "up.bandwidth_mhz", "found 0|in MHz"),
    ("area_m: [300, 200]", "area_m: [300]", "up.mobility.area_m", "found a list of 1|a list of 2"),
    ("low_mps: 5", "low_mps: 50", "up.mobility.high_mps", "found 20|at least low_mps (50)"),
    ("low_mps: 5", "low_mps: 0", "up.mobility.low_mps", "found 0|in m/s"),
    ("type: random_waypoint", "type: waypoint", "up.mobility.type", "static, random_waypoint or track"),
    ("type: rician", "type: nakagami", "up.fading.type", "none, rayleigh or rician"),
    ("k_db: 9, ", "", "up.fading.k_db", "missing key|in dB"),
    ("interruption_ms: 50", "interruption_ms: -1", "up.handover.interruption_ms", "found -1|in ms"),
    ("hysteresis_db: 3", "hysteresis: 3", "up.handover.hysteresis", "unknown key|mean 'hysteresis_db'?"),
    (
        "0], server: edge",
        "0], server: egde",
        "up.sites.0.server",
        "found 'egde'|NAME-NUMBER (edge)|mean 'edge'?",
    ),
    ("[{position_m: [0, 0], server: edge}, {position_m: [300, 0]}]", "[]", "up.sites", "found an empty list"),
]


@pytest.fixture
def text(bench) -> str:
    """The scenario of all tests with a radio link in place of its rates."""
    found, count = re.subn(r"    up: .*\n    down: .*\n", RADIO, bench.text)
    assert count == 1
    return found.replace("sharing: cell\n", "sharing: fifo\n")


@pytest.mark.parametrize(("old", "new", "key", "words"), CASES)
def test_the_error_says_what_to_mend(bench, text, old, new, key, words) -> None:
    assert text.count(old) == 1
    changed = text.replace(old, new)
    with pytest.raises(InputError) as caught:
        bench.load(changed)
    line = next((each for each in str(caught.value).splitlines() if f": links.access.{key}: " in each), None)
    assert line is not None, str(caught.value)
    assert line.startswith(f"{bench.path}:"), line
    for word in words.split("|"):
        assert word in line


def test_a_static_device_must_say_how_long_its_fading_lasts(bench, text) -> None:
    still = re.sub(r"mobility: .*", "mobility: {type: static, position_m: [10, 0]}", text)
    bench.load(still)
    with pytest.raises(InputError, match=r"links\.access\.up: missing coherence_ms in fading rician"):
        bench.load(still.replace(", coherence_ms: 10", ""))


def test_both_directions_mean_one_device(bench, text) -> None:
    apart = text.replace("    down: *radio\n", RADIO.split("\n", 1)[1].join(["    down:\n", ""])).replace(
        "    down: *radio\n", ""
    )
    bench.load(apart)
    first, _, second = apart.partition("    down:\n")
    with pytest.raises(InputError, match=r"links\.access\.down\.handover: found another handover than in up"):
        bench.load(first + "    down:\n" + second.replace("hysteresis_db: 3", "hysteresis_db: 4"))
    bench.load(first + "    down:\n" + second.replace("bandwidth_mhz: 20", "bandwidth_mhz: 40"))


@pytest.mark.parametrize(
    ("discipline", "fits"),
    [("{type: equal}", False), ("{type: airtime}", True), ("{type: csma}", False), ("{type: csma, rates: own}", True)],
)
def test_a_cell_of_one_rate_is_no_radio(bench, text, discipline, fits) -> None:
    cell = text.replace("sharing: fifo\n", f"sharing: cell\n    discipline: {discipline}\n")
    if fits:
        bench.load(cell)
        return
    with pytest.raises(InputError, match=r"links\.access\.sharing: found cell, .* allowed: fifo, or a discipline"):
        bench.load(cell)


def test_a_radio_under_a_season_is_looked_at_as_well(bench, text) -> None:
    under = text.replace("    down: *radio\n", "    down: {process: seasonal, of: *radio, amplitude: 0.5}\n")
    bench.load(under)
    with pytest.raises(InputError, match=r"links\.access\.down\.of\.sites\.0\.server: found 'egde'"):
        bench.load(under.replace("0], server: edge", "0], server: egde"))


@pytest.mark.parametrize("loss", ["{type: uma}", "{type: inh}", OFFICE])
def test_other_surroundings(bench, text, loss) -> None:
    check_files(bench.load(re.sub(r"path_loss: .*", f"path_loss: {loss}", text)))


def test_a_bad_track_names_the_link(bench, text) -> None:
    (bench.folder / "way.csv").write_text("time_s,x_m\n0,1\n")
    scenario = bench.load(re.sub(r"mobility: .*", "mobility: {type: track, file: way.csv}", text))
    with pytest.raises(InputError, match=r"links\.access\.up: .*way\.csv, line 1: no column y_m"):
        check_files(scenario)


def test_nothing_at_any_key_ends_in_a_traceback(bench, text) -> None:
    """Each odd value at each key of the radio loads and works, or is refused with one InputError."""
    data = bench.load(text).resolved()
    refused = 0
    for key in _keys(data["links"]["access"]["up"]):
        for value in [None, True, -1, 0, 1e308, 10**400, "", "x", [], ["x"], {}, {"type": 3}]:
            spoiled = deepcopy(data)
            for direction in ("up", "down"):
                holder = spoiled["links"]["access"][direction]
                for name in key[:-1]:
                    holder = holder[name]
                holder[key[-1]] = value
            try:
                check_files(build_scenario(spoiled, bench.folder))
            except InputError as error:
                refused += 1
                assert str(error).startswith("scenario: ")
    assert refused > 200


def _keys(data, key=()):
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in inner:
        yield (*key, name)
        yield from _keys(value, (*key, name))


def test_a_path_typed_is_found(bench, text, tmp_path: Path) -> None:
    (bench.folder / "way.csv").write_text("time_s,x_m,y_m\n0,1,2\n9,3,4\n")
    scenario = bench.load(re.sub(r"mobility: .*", "mobility: {type: track, file: way.csv, ends: loop}", text))
    assert scenario.links["access"].up.mobility.file.name == "way.csv"
    with pytest.raises(InputError, match="mobility.file: found 'gone.csv', but there is no such file"):
        bench.load(re.sub(r"mobility: .*", "mobility: {type: track, file: gone.csv}", text))
