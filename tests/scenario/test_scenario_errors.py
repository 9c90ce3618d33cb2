"""Every mistake of one key: one error with file, line and key, what was found and what is allowed."""

from __future__ import annotations

from copy import deepcopy

import pytest

from edgesim.errors import InputError
from edgesim.scenario.load import build_scenario

POISSON, ARRIVALS = "poisson, rate_hz: 2}", "devices.camera.arrivals."
BURSTS = "mmpp, burst_mean_s: 1, quiet_mean_s: 1, "
UP = "steps, steps: [[0, 5], [10, 0]], ends: loop}"
CASES = [
    # what stands there, what is written instead, a mark of the line, the key, words of the message
    ("count: 2", "cuont: 2", "cuont", "devices.camera.cuont", "unknown key; allowed: count, processor|mean 'count'?"),
    ("drain_s:", "drain:", "drain:", "drain", "unknown key|did you mean 'drain_s'?"),
    ("rate_hz: 2}", "rate_khz: 2}", "rate_khz", "devices.camera.arrivals.rate_khz", "unknown key|mean 'rate_hz'?"),
    (
        "rate_hz: 2}",
        "rate_hz: fast}",
        "fast",
        "devices.camera.arrivals.rate_hz",
        "found 'fast' (text)|a number above 0, in Hz",
    ),
    ("ms: 150", "ms: 150 ms", "150 ms", "devices.camera.deadline.ms", "found '150 ms'|in ms|the unit is in the key"),
    ("ms: 150", "ms: 60%", "60%", "devices.camera.deadline.ms", "write a share as a number, such as 0.6 for 60 %"),
    ("seed: 3", "seed: 3.5", "seed", "seed", "found 3.5 (a number)|a whole number at least 0"),
    ("seed: 3", "seed: true", "seed", "seed", "found true (true or false)|a whole number"),
    ("duration_s: 60", "duration_s: true", "duration", "duration_s", "found true|a number above 0, in s"),
    ("duration_s: 60", "duration_s: '60'", "duration", "duration_s", "found '60' (text)|without quotes"),
    ("duration_s: 60", "duration_s:", "duration", "duration_s", "found nothing (null)|a number above 0"),
    ("duration_s: 60\n", "", "name:", "duration_s", "missing key|a number above 0, in s"),
    ("duration_s: 60", "duration_s: -60", "duration", "duration_s", "found -60|above 0"),
    ("duration_s: 60", "duration_s: .nan", "duration", "duration_s", "found '.nan'|a finite number"),
    ("duration_s: 60", "duration_s: .inf", "duration", "duration_s", "found '.inf'|a finite number"),
    ("duration_s: 60", "duration_s: 1e999", "duration", "duration_s", "found '1e999'|a finite number"),
    ("duration_s: 60", "duration_s: 60\nduration_s: 61", "duration_s: 61", "duration_s", "duplicate key|line 3"),
    ("warmup_s: 5", "warmup_s: 60", "warmup", "warmup_s", "found 60|less than duration_s (60)"),
    ("name: good", "name: ../good", "name", "name", "found '../good'|letters, digits"),
    ("drain_s: 1e1", "execution: table", "execution", "execution", "found 'table'|tabled or live"),
    ("[10, 20.5, 5e1]", "[10, 10]", "deadlines", "deadlines_ms", "found 10.0 after 10.0|rise strictly"),
    ("[10, 20.5, 5e1]", "[0, 10]", "deadlines", "deadlines_ms.0", "found 0|a number above 0, in ms"),
    ("[10, 20.5, 5e1]", "10", "deadlines", "deadlines_ms", "found 10|a list, of: a number above 0, in ms"),
    (
        "source: synthetic",
        "source: syntetic",
        "source",
        "models.toy.source",
        "zoo, timm, outcomes or synthetic|mean 'synthetic'?",
    ),
    ("    source: synthetic\n", "", "toy:", "models.toy.source", "missing key; allowed: zoo, timm"),
    ("mean_ms: 10}, 3", "mean_ms: 0}, 3", "blocks", "models.toy.blocks_ms.1.mean_ms", "found 0|above 0, in ms"),
    (
        "mean_ms: 10}, 3",
        "mean_ms: 10}, x",
        "blocks",
        "models.toy.blocks_ms.2",
        "found 'x'|a number at least 0, in ms or a mapping",
    ),
    (
        "exponential",
        "exponental",
        "blocks",
        "models.toy.blocks_ms.1.distribution",
        "erlang|did you mean 'exponential'?",
    ),
    ("exits: [1, 3]", "exits: [1, 2]", "exits: [1", "models.toy.exits", "found [1, 2]|after all 3 blocks"),
    ("exits: [1, 3]", "exits: [3, 3]", "exits: [3", "models.toy.exits", "found 3 after 3|rise strictly"),
    ("exits: [1, 3]", "exits: [3]", "exits: [3", "models.toy.exits", "found 1 exits and 2 values of branch_ms"),
    ("[1000, 500, 500]", "[1000, 500]", "state_bytes", "models.toy.state_bytes", "found 2 sizes|3, for cuts 0 to 2"),
    (
        "[1000, 500, 500]",
        "[1000, 500, 0.5]",
        "state_bytes",
        "models.toy.state_bytes.2",
        "found 0.5|a whole number at least 1, in bytes",
    ),
    (
        "accuracy: [0.7, 0.9]",
        "accuracy: [0.7]",
        "accuracy",
        "models.toy.accuracy",
        "found 1 values|each of the 2 exits",
    ),
    (
        "accuracy: [0.7, 0.9]",
        "accuracy: [0.7, 90]",
        "accuracy",
        "models.toy.accuracy.1",
        "found 90|at least 0 and at most 1",
    ),
    ("correlation: 0.5", "correlation: 1.5", "correlation", "models.toy.correlation", "found 1.5|at most 1"),
    ("  camera:", "  cam era:", "cam era", "devices.cam era", "found the name 'cam era'|letters, digits"),
    ("count: 2", "count: 2.0", "count", "devices.camera.count", "found 2.0|a whole number at least 1"),
    ("bound: 9", "bound: 0", "bound", "devices.camera.queue.bound", "found 0|a whole number at least 1"),
    ("{factor: 2}", "{factor: 2, preset: pi5-fp32}", "factor", "devices.camera.processor.factor", "one of them"),
    ("compute_w: 6,", "compute_w: 2,", "compute_w", "devices.camera.power.compute_w", "found 2|at least idle_w (2.7)"),
    ("high_ms: 20", "high_ms: 10", "high_ms", "devices.sensor.deadline.high_ms", "found 10|more than low_ms (10)"),
    ("known: none", "known: maybe", "known", "devices.camera.deadline.known", "exact, distribution or none"),
    ("jitter_ms: 3", "jitter_ms: 501", "jitter", "devices.sensor.arrivals.jitter_ms", "found 501|one period (500 ms)"),
    ("[[0, 5], [10, 0]]", "[[0, 5], [10, -1]]", "steps", "links.access.up.steps.1.1", "found -1|at least 0"),
    ("[[0, 5], [10, 0]]", "[[0, 5], [10]]", "steps", "links.access.up.steps.1", "found a list of 1|a list of 2"),
    ("[[0, 5], [10, 0]]", "[[0, 5], [0, 1]]", "steps", "links.access.up.steps", "found 0.0 after 0.0|times that rise"),
    ("[[0, 5], [10, 0]]", "[[1, 5]]", "steps", "links.access.up.steps", "found 1 as the first time|0"),
    ("[[0, 5], [10, 0]]", "[[0, 0]]", "steps", "links.access.up.steps", "no rate above 0"),
    ("[[0, 5], [10, 0]]", "[[0, 5]]", "steps", "links.access.up.ends", "a single step|hold"),
    ("ends: loop", "ends: lop", "ends", "links.access.up.ends", "found 'lop'|loop or hold"),
    (POISSON, "mmpp, burst_hz: 9, burst_mean_s: 1}", "mmpp", ARRIVALS + "quiet_mean_s", "missing key|in s"),
    (POISSON, BURSTS + "burst_hz: 9, quiet_hz: 9}", "mmpp", ARRIVALS + "quiet_hz", "found 9|less than burst_hz (9)"),
    (POISSON, BURSTS + "burst_hz: 0}", "mmpp", ARRIVALS + "burst_hz", "found 0|above 0, in Hz"),
    (POISSON, "diurnal, rate_hz: 9}", "diurnal", ARRIVALS[:-1], "found neither of amplitude and factors"),
    (
        POISSON,
        "diurnal, rate_hz: 9, amplitude: 1, factors: [1, 2]}",
        "diurnal",
        ARRIVALS[:-1],
        "found both of amplitude",
    ),
    (POISSON, "diurnal, rate_hz: 9, amplitude: 1.5}", "diurnal", ARRIVALS + "amplitude", "found 1.5|at most 1"),
    (POISSON, "diurnal, rate_hz: 9, factors: [0, 0]}", "diurnal", ARRIVALS + "factors", "no factor above 0"),
    (POISSON, "diurnal, rate_hz: 9, factors: [1, -1]}", "diurnal", ARRIVALS + "factors.1", "found -1|at least 0"),
    (
        POISSON,
        "diurnal, rate_hz: 9, factors: [1, 2], peak_s: 3}",
        "diurnal",
        ARRIVALS[:-1],
        "found peak_s beside factors",
    ),
    ("count: 2", "samples: {correlation: 1}", "{correlation", "devices.camera.samples.correlation", "found 1|below 1"),
    ("count: 2", "samples: {autocorrelation: 0}", "{auto", "devices.camera.samples.autocorrelation", "unknown key"),
    (UP, "trace, file: t, unit: kb}", "unit: kb", "links.access.up.unit", "found 'kb'|bps, kbps, mbps or gbps"),
    (UP, "trace, file: t, format: pcap}", "pcap", "links.access.up.format", "found 'pcap'|csv, mahimahi, pensieve"),
    (UP, "trace, file: t, where: {a: [1]}}", "where", "links.access.up.where.a", "found a list of 1|text or a whole"),
    (UP, "trace, file: t, where: {}}", "where", "links.access.up.where", "found an empty mapping|not empty"),
    (UP, "trace, file: t, direction: sideways}", "sideways", "links.access.up.direction", "up, down or unknown"),
    ("mean_mbps: 20", "mean_mbps: -20", "mean_mbps", "links.access.down.mean_mbps", "found -20|above 0, in Mb/s"),
    ("mean_mbps: 20, ", "", "down:", "links.access.down", "missing mean_mbps|a preset"),
    ("mean_mbps: 20", "preset: lte, mean_mbps: 20", "down:", "links.access.down", "found preset beside mean_mbps"),
    (", outage_mean_s: 2", "", "down:", "links.access.down", "missing outage_mean_s"),
    ("outage_share: 0.1", "outage_share: 1", "outage_share", "links.access.down.outage_share", "found 1|below 1"),
    (
        UP,
        "random_walk, low_mbps: 5, high_mbps: 5, change_mbps: 1}",
        "up:",
        "links.access.up.high_mbps",
        "found 5|more than low_mbps (5)",
    ),
    (
        UP,
        "seasonal, of: {process: constant, rate_mbps: 0}, amplitude: 0.5}",
        "up:",
        "links.access.up.of.rate_mbps",
        "found 0|above 0, in Mb/s",
    ),
    (UP, "seasonal, of: {process: fast}, amplitude: 0.5}", "up:", "links.access.up.of.process", "found 'fast'|ar1"),
    (
        UP,
        "seasonal, of: {process: constant, rate_mbps: 5}, amplitude: 2}",
        "up:",
        "links.access.up.amplitude",
        "found 2|at most 1",
    ),
    (UP, "constant, rate_mbps: 5, warp: {}}", "up:", "links.access.up.warp", "found nothing to change|cv_factor"),
    (
        UP,
        "constant, rate_mbps: 5, warp: {cv: 1, cv_factor: 2}}",
        "up:",
        "links.access.up.warp",
        "found cv and cv_factor|one of them",
    ),
    (
        UP,
        "constant, rate_mbps: 5, warp: {outage_share: 0.1}}",
        "up:",
        "links.access.up.warp",
        "one of outage_share (above 0) and outage_mean_s",
    ),
    (UP, "constant, rate_mbps: 5, warp: {cv: -1}}", "up:", "links.access.up.warp.cv", "found -1|at least 0"),
    (
        UP,
        "constant, rate_mbps: 5, warp: {vc: 1}}",
        "up:",
        "links.access.up.warp.vc",
        "unknown key; allowed: cv, cv_factor",
    ),
    (
        "    delay_ms: 15",
        "    delay_ms: 15\n    preset: wfii",
        "wfii",
        "links.access.preset",
        "found 'wfii', allowed: 3g, lte, 5g, wifi",
    ),
    (
        "    delay_ms: 15",
        "    delay_ms: 15\n    lora: {spreading_factor: 6}",
        "lora",
        "links.access.lora.spreading_factor",
        "found 6|at least 7 and at most 12",
    ),
    (
        "    delay_ms: 15",
        "    delay_ms: 15\n    lora: {spreading_factor: 7}",
        "lora",
        "links.access.lora",
        "found lora beside sharing|allowed: a fifo, no loss, headers none",
    ),
    (UP, "markov}", "up:", "links.access.up", "found none of matrix, generator_hz and file"),
    (UP, "markov, matrix: [[0, 1], [1, 0]]}", "up:", "links.access.up", "missing states_mbps, step_ms"),
    (
        UP,
        "markov, states_mbps: [1, 2], generator_hz: [[-1, 1], [1, -1]], step_ms: 5}",
        "up:",
        "links.access.up",
        "found step_ms beside generator_hz|allowed: states_mbps",
    ),
    (UP, "markov, matrix: [[0, 2], [1, 0]]}", "up:", "links.access.up.matrix.0.1", "found 2|at most 1"),
    (
        UP,
        "gilbert_elliott, good_mbps: 5, p: 0.1, bad_mean_s: 2}",
        "up:",
        "links.access.up",
        "found p, bad_mean_s|p, r and step_ms, or good_mean_s and bad_mean_s",
    ),
    ("    prior_mbps: 5\n", "", "access:\n", "links.access.prior_mbps", "missing key|in Mb/s"),
    ("    delay_ms: 15\n", "", "access:\n", "links.access.delay_ms", "missing key|in ms"),
    ("workers: 2", "workers: 0", "workers", "servers.edge.workers", "found 0|a whole number at least 1"),
    ("max_size: 4", "max_size: {}", "max_size", "servers.edge.batch.max_size", "found an empty mapping"),
    ("cut: 2,", "cut: -1,", "cut: -1", "policies.split.cut", "found -1|at least 0"),
    ("cut: 2,", "", "split", "policies.split.cut", "missing key|a whole number"),
    ("int8+zlib", "int9", "int9", "policies.split.codec", "found 'int9'|int4_token"),
    ("jpeg75", "jpeg0", "jpeg0", "policies.remote.codec", "found 'jpeg0'|jpeg1 to jpeg100"),
    ("type: fixed_cut", "type: fixed_cot", "split", "policies.split.type", "FILE.py:CLASS|did you mean 'fixed_cut'?"),
    (
        "type: fixed_cut",
        "type: 'x.py:1'",
        "split",
        "policies.split.type",
        "found 'x.py:1'|FILE.py:CLASS or MODULE:CLASS",
    ),
    ("threshold: [0.5]", "threshold: []", "early", "policies.early.threshold", "found an empty list|not empty"),
    (
        "threshold: [0.5]",
        "threshold: high",
        "early",
        "policies.early.threshold",
        "found 'high'|a number at least 0 or a list",
    ),
    ("exits: [0]}", "score: entropy}", "fallback", "policies.fallback", "one of score and threshold"),
    (", exits: [0]}", "}", "fallback", "policies.fallback", "missing exits, or score and threshold"),
    ("window: 3", "window: 0", "window", "policies.neuro.estimator.window", "found 0|at least 1"),
    ("{type: harmonic, window: 3}", "harmonic", "neuro", "policies.neuro.estimator", "type: last, ewma or harmonic"),
    (
        "{type: server_only, codec: jpeg75}",
        "server_only",
        "remote",
        "policies.remote",
        "found 'server_only'|a mapping with type",
    ),
]


@pytest.mark.parametrize(("old", "new", "marker", "key", "words"), CASES, ids=[f"{c[3]}: {c[1][:20]!r}" for c in CASES])
def test_the_error_says_what_to_mend(bench, old, new, marker, key, words):
    (bench.folder / "t").touch()
    message = bench.refused(old, new)
    line = next((line for line in message.splitlines() if f": {key}: " in line), None)
    assert line is not None, message
    assert line.startswith(bench.where(marker.strip())), message
    for word in words.split("|"):
        assert word in line


def test_yaml_syntax_names_the_line(bench):
    message = bench.refused("    delay_ms: 15", "\tdelay_ms: 15")
    assert message.startswith(bench.where("\tdelay_ms")) and "no YAML" in message


@pytest.mark.parametrize("room", ["devices", "policies", "models"])
def test_an_empty_room(bench, room):
    text = "\n".join(f"{room}: {{}}" if part.startswith(f"{room}:") else part for part in _rooms(bench.text))
    with pytest.raises(InputError, match=rf"{room}: found an empty mapping, allowed: a mapping of names, not empty"):
        bench.load(text)


def _rooms(text: str) -> list[str]:
    """The text cut before every key at the top."""
    parts: list[str] = []
    for line in text.splitlines():
        if line.startswith(" "):
            parts[-1] += "\n" + line
        else:
            parts.append(line)
    return parts


def test_several_errors_come_in_the_order_of_the_file(bench):
    text = bench.text.replace("seed: 3\n", "").replace("cut: 2", "cut: x").replace("count: 2", "count: x")
    with pytest.raises(InputError) as caught:
        bench.load(f"{text}seed: x\n")
    keys = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert keys == ["devices.camera.count", "policies.split.cut", "seed"]


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        ("duration_s: 60", "duraton_s: 60", ["duraton_s"]),
        ("rate_hz: 2}", "rate_khz: 2}", ["devices.camera.arrivals.rate_khz"]),
        ("duration_s: 60", "colour: red", ["duration_s", "colour"]),  # two problems
    ],
)
def test_a_typo_is_one_problem(bench, old, new, keys):
    lines = bench.refused(old, new).splitlines()
    assert [line.split(": ")[1] for line in lines] == keys


def test_at_most_ten_are_shown(bench):
    with pytest.raises(InputError) as caught:
        bench.load(bench.text.replace("[10, 20.5, 5e1]", str(["x"] * 15)))
    lines = str(caught.value).splitlines()
    assert len(lines) == 11 and lines[-1] == "... and 5 more"


def test_a_name_that_equals_a_tag_does_not_confuse_the_key(bench):
    """A device called ``poisson`` and a model called ``synthetic``: tags of unions must not be taken for keys."""
    text = bench.text.replace("  sensor:", "  poisson:").replace("  toy:", "  synthetic:")
    with pytest.raises(InputError) as caught:
        bench.load(text.replace("jitter_ms: 3", "jitter_ms: x").replace("samples: 100", "samples: x"))
    keys = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert keys == ["models.synthetic.samples", "devices.poisson.arrivals.jitter_ms"]


ODD = [None, True, -1, 0, 1e308, 10**400, "", "x", "a:b", [], [[]], ["x"], {}, {"x": 1}, {"type": 3}, {"process": []}]


def test_nothing_at_any_key_ends_in_a_traceback(bench):
    """Each odd value at each key loads, or is refused with one InputError."""
    data = bench.load().resolved()
    refused = 0
    for key in _keys(data):
        for value in ODD:
            spoiled = deepcopy(data)
            holder = spoiled
            for name in key[:-1]:
                holder = holder[name]
            holder[key[-1]] = value
            try:
                build_scenario(spoiled, bench.folder)
            except InputError as error:
                refused += 1
                assert str(error).startswith("scenario: ")
    assert refused > 1000


def _keys(data, key=()):
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in inner:
        yield (*key, name)
        yield from _keys(value, (*key, name))


def test_values_without_a_file(bench):
    data = bench.load().resolved()
    data["seed"] = "x"
    with pytest.raises(InputError, match=r"^scenario: seed: found 'x' \(text\), allowed: a whole number"):
        build_scenario(data)
