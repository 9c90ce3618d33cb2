"""What loads, and as what."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from edgesim.errors import InputError
from edgesim.scenario.load import build_scenario, load_scenario


def test_every_key_arrives(bench):
    scenario = bench.load()
    assert (scenario.name, scenario.seed, scenario.duration_s, scenario.drain_s) == ("good", 3, 60.0, 10.0)
    assert scenario.deadlines_ms == (10.0, 20.5, 50.0)
    assert scenario.models["toy"].blocks_ms[1].mean_ms == 10.0
    assert scenario.models["toy"].num_blocks == 3
    assert scenario.devices["camera"].queue.order == "newest"
    assert scenario.links["access"].up.steps == ((0.0, 5.0), (10.0, 0.0))
    assert scenario.servers["edge"].batch.max_size == 4
    assert scenario.policies["neuro"].estimator.window == 3
    assert scenario.folder == bench.folder.resolve()


def test_defaults(bench):
    scenario = bench.load()
    assert scenario.replications == 10 and scenario.execution == "tabled" and scenario.data.source == "shipped"
    sensor = scenario.devices["sensor"]
    assert (sensor.count, sensor.after_deadline, sensor.queue.bound, sensor.power) == (1, "abort", 100, None)
    assert sensor.processor.factor is None and sensor.processor.preset is None
    edge = scenario.servers["edge"]
    assert (edge.after_deadline, edge.result_bytes) == ("continue", 8)


def test_a_whole_number_is_a_float_where_one_is_meant(bench):
    scenario = bench.load()
    assert isinstance(scenario.duration_s, float)
    assert isinstance(scenario.models["toy"].blocks_ms[2], float)
    assert all(isinstance(deadline, float) for deadline in scenario.deadlines_ms)
    assert isinstance(scenario.links["access"].up.steps[0][1], float)


def test_yaml_1_2(bench):
    """1e6 is a number, ``on`` is text, and so is 12:30."""
    assert bench.changed("duration_s: 60", "duration_s: 1e6").duration_s == 1e6
    assert bench.changed("name: good", "name: on").name == "on"
    scenario = bench.changed("type: device_only, exit: 0", "type: 'a.b:C', options: {at: 12:30, on: no}")
    assert scenario.policies["local"].options == {"at": "12:30", "on": "no"}


def test_anchors(bench):
    text = bench.text.replace("  camera:", "  camera: &camera").replace("links:", "  more: *camera\nlinks:")
    scenario = bench.load(text)
    assert scenario.devices["more"] == scenario.devices["camera"]


def test_an_unbounded_queue(bench):
    assert bench.changed("bound: 9", "bound: null").devices["camera"].queue.bound is None


def test_resolved_is_plain_and_loads_again(bench):
    scenario = bench.load()
    resolved = json.loads(json.dumps(scenario.resolved(), allow_nan=False))
    again = build_scenario(resolved, scenario.folder)
    assert again.resolved() == scenario.resolved() == resolved
    assert again.devices == scenario.devices and again.policies == scenario.policies


def test_a_scenario_is_frozen_and_pickles(bench):
    scenario = bench.load()
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 4
    again = pickle.loads(pickle.dumps(scenario))
    assert again.resolved() == scenario.resolved() and again.folder == scenario.folder
    assert str(again.error("policies.split.cut", "beyond")).startswith(bench.where("split:"))


def test_later_errors_know_file_and_line(bench):
    error = bench.load().error("links.access.up.steps.1", "found x")
    assert isinstance(error, InputError)
    column = next(line for line in bench.text.splitlines() if "steps:" in line).index("[10, 0]") + 1
    assert str(error) == f"{bench.where('steps:')}{column}: links.access.up.steps.1: found x"


def test_models_of_a_policy(bench):
    big = "  big: {source: synthetic, blocks_ms: [9], exits: [1], state_bytes: [9], accuracy: [1], samples: 100}\n"
    two = bench.text.replace("devices:\n", f"{big}devices:\n")
    two = two.replace("type: device_only,", "type: device_only, models: {device: big},")
    two = two.replace("exits: [0]}", "exits: [0], models: {server: big}}")
    scenario = bench.load(two.replace("codec: jpeg75", "model: big"))
    assert scenario.models_of("split") == ("toy", "toy")
    assert scenario.models_of("local") == ("big", "big")
    assert scenario.models_of("remote") == ("big", "big")
    assert scenario.models_of("fallback") == ("toy", "big")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "found nothing (null)"),
        (b"- 1\n", "found a list of 1"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"a: \x00\n", "no YAML"),
        (b"[" * 600, "nested too deeply"),
        (b"a: &a [*a]\n", "alias that holds itself"),
        (b"a: 1\n---\nb: 2\n", "no YAML"),
        (b"a: {b: 1\nc: 2\n", "no YAML"),
        (b"a: !!python/object:os.system x\n", "tag"),
        (b"a: &x {b: 1}\nc:\n  <<: *x\n", "merge key"),
        (b"? [1, 2]\n: 3\n", "no text"),
    ],
)
def test_text_that_is_no_scenario(tmp_path: Path, content: bytes, words: str):
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    assert words in str(caught.value) and str(path) in str(caught.value)


def test_missing_file_and_folder(tmp_path: Path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            load_scenario(path)


def test_a_byte_order_mark_does_no_harm(bench):
    bench.path.write_text(bench.text, encoding="utf-8-sig")
    assert load_scenario(bench.path).name == "good"


def test_loading_imports_nothing_heavy():
    code = (
        "import sys, edgesim.scenario.load\n"
        "heavy = {'torch', 'timm', 'numpy', 'pandas', 'scipy', 'matplotlib', 'simpy', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
