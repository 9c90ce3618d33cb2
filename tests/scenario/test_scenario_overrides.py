"""Changes from the command line."""

from __future__ import annotations

import pytest

from edgesim.errors import InputError


def test_values_are_yaml(bench):
    changes = (
        "seed=7",
        "drain_s=1e2",
        "replications=2",
        "deadlines_ms=[1, 2]",
        "devices.camera.processor={factor: 3}",
        "devices.sensor.queue.bound=null",
        "links.access.up.steps.0.1=9",
        "policies.new={type: device_only}",
        "devices.camera.deadline.known=exact",
    )
    scenario = bench.load(overrides=changes)
    assert (scenario.seed, scenario.drain_s, scenario.replications, scenario.deadlines_ms) == (7, 100.0, 2, (1.0, 2.0))
    assert scenario.devices["camera"].processor.factor == 3.0
    assert scenario.devices["sensor"].queue.bound is None
    assert scenario.links["access"].up.steps[0] == (0.0, 9.0)
    assert scenario.policies["new"].type == "device_only"
    assert scenario.devices["camera"].deadline.known == "exact"


def test_later_ones_win_and_see_earlier_ones(bench):
    scenario = bench.load(overrides=("seed=7", "seed=8", "policies.p={type: device_only}", "policies.p.exit=1"))
    assert scenario.seed == 8 and scenario.policies["p"].exit == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("seed", "--set seed: allowed: key=value"),
        ("=3", "key=value"),
        ("a..b=3", "key=value"),
        ("sed=3", "--set sed: unknown key|did you mean 'seed'?"),
        ("seed=x", "--set seed: found 'x' (text)|a whole number"),
        ("seed=.nan", "--set seed|found '.nan'|a finite number"),
        ("seed.x=3", "--set seed.x: 'x' leads nowhere: found 3"),
        (
            "devices.camra.count=3",
            "--set devices.camra.count: found 'camra'|a name in devices (camera, sensor)|mean 'camera'?",
        ),
        ("devices.camera.cont=3", "--set devices.camera.cont: unknown key|mean 'count'?"),
        ("devices.camera.que.bound=3", "--set devices.camera.que.bound: devices.camera.que: unknown key|mean 'queue'?"),
        ("deadlines_ms.9=3", "found '9', allowed: a position in the list, 0 to 2"),
        ("deadlines_ms.x=3", "found 'x', allowed: a position in the list, 0 to 2"),
        ("policies.split.cut=[", "--set policies.split.cut:1:2: this is no YAML"),
        ("policies.split={cut: 1, cut: 2}", "duplicate key"),
        ("policies.split.cut=9", "--set policies.split.cut: found 9|0 to 3"),
        ("links.access.up.steps.0=[0, -1]", "--set links.access.up.steps.0: links.access.up.steps.0.1: found -1"),
        ("drain_s=", "--set drain_s: found nothing (null)"),
    ],
)
def test_wrong_ones_name_the_key(bench, change, words):
    with pytest.raises(InputError) as caught:
        bench.load(overrides=(change,))
    for word in words.split("|"):
        assert word in str(caught.value)


def test_the_file_is_not_touched(bench):
    bench.load(overrides=("seed=7",))
    assert bench.load().seed == 3
