"""Keys that are right one by one, and wrong together."""

from __future__ import annotations

import pytest

from edgesim.errors import InputError
from edgesim.scenario.depths import Depth, check_depths

SENSOR = "    link: access\n    server: edge\nlinks:"
BIG = "  big: {source: synthetic, blocks_ms: [9], exits: [1], state_bytes: [9], accuracy: [1], samples: 100}\ndevices:"

CASES = [
    ("    link: access\n    server: edge\n    arr", "    link: acces\n    server: edge\n    arr", "acces\n",
     "devices.camera.link", "found 'acces'|a name in links (access)|mean 'access'?"),
    ("    link: access\n    server: edge\n    arr", "    link: access\n    server: ege\n    arr", "ege\n",
     "devices.camera.server", "found 'ege'|a name in servers (edge)|mean 'edge'?"),
    (SENSOR, "    link: access\nlinks:", "sensor:", "devices.sensor", "one of link and server|both or neither"),
    ("  edge:", "  camera: {}\n  edge:", "camera:", "devices.camera", "as a device class and a server"),
    ("exit: 0}", "exit: 2}", "local:", "policies.local.exit", "found 2|0 to 1, as model 'toy' has 2 exits"),
    ("cut: 2,", "cut: 4,", "split:", "policies.split.cut", "found 4|0 to 3, as model 'toy' has 3 blocks"),
    ("cuts: [0, 1]", "cuts: [0, 9]", "rand:", "policies.rand.cuts.1", "found 9|0 to 3"),
    ("exits: [0]}", "exits: [0, 2]}", "fallback:", "policies.fallback.exits.1", "found 2|0 to 1"),
    ("threshold: [0.5]", "threshold: [0.5, 0.6]", "early:", "policies.early.threshold",
     "found 2 thresholds|allowed: 1"),
    ("cut: 2,", "cut: 0,", "split:", "policies.split.codec", "found 'int8+zlib' at cut 0|raw, png or jpeg1"),
    ("int8+zlib", "png", "split:", "policies.split.codec", "found 'png' at cut 2|fp32, fp16"),
    ("codecs: [png, int8]", "codecs: [png]", "rand:", "policies.rand.cuts.1", "found 1, but none of codecs fits"),
    ("codecs: [png, int8]", "codecs: [int8]", "rand:", "policies.rand.cuts.0", "found 0, but none of codecs fits"),
    ("codec: jpeg75", "model: tiny", "remote:", "policies.remote.model", "found 'tiny'|a name in models (toy)"),
    ("exits: [0]}", "exits: [0], models: {server: tiny}}", "fallback:", "policies.fallback.models.server",
     "found 'tiny'"),
    ("calibration_seed: 1000", "calibration_seed: 12", "best:", "policies.best.calibration_seed",
     "reported seeds 3 to 12"),
    ("type: neurosurgeon,", "type: neurosurgeon, objective: energy,", "neuro:", "policies.neuro.objective",
     "devices.sensor has no power"),
    ("{factor: 2}", "{preset: pi5-fp32}", "preset", "devices.camera.processor.preset", "a preset|allowed: factor"),
    ("drain_s: 1e1", "execution: live", "execution", "execution", "found live|model 'toy' has no network"),
    ("devices:", "  fashion: {source: zoo, name: fashion_vit}\ndevices:", "fashion:", "models.fashion",
     "beside synthetic"),
    ("devices:", BIG.replace("100}", "50}"), "big:", "models.big.samples", "found 50|allowed: 100"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "marker", "key", "words"), CASES, ids=[f"{c[3]}: {c[1][:20]!r}" for c in CASES])
def test_what_does_not_fit_together(bench, old, new, marker, key, words):
    message = bench.refused(old, new)
    assert len(message.splitlines()) == 1, message
    assert message.startswith(bench.where(marker.strip())), message
    assert f": {key}: " in message
    for word in words.split("|"):
        assert word in message


def test_a_policy_that_sends_needs_a_link_at_every_device(bench):
    lines = bench.refused(SENSOR, "links:").splitlines()
    sending = ("remote", "split", "rand", "fallback", "neuro", "best")
    assert [line.split(": ")[1] for line in lines] == [f"policies.{name}.type" for name in sending]
    assert all("devices.sensor has no link; allowed: a link and a server" in line for line in lines)
    assert lines[0].startswith(bench.where("remote:"))


def test_a_state_means_nothing_to_another_model(bench):
    text = bench.text.replace("devices:", BIG, 1)
    bench.load(text.replace("exits: [0]}", "exits: [0], models: {server: big}}"))
    for policy in ("fixed_cut, cut: 2, codec: int8", "neurosurgeon", "random", "clairvoyant", "anytime, cut: 1"):
        with pytest.raises(InputError, match=r"fallback.models: found 'toy' on the device and 'big' on the server"):
            bench.load(text.replace("exits_then_image, exits: [0]}", f"{policy}, models: {{server: big}}}}"))
    bench.load(text.replace("exits_then_image, exits: [0]}", "fixed_cut, cut: 0, codec: png, models: {server: big}}"))


def test_real_models_need_images(bench):
    text = bench.text[: bench.text.index("  toy:")] + "  vit: {source: zoo, name: fashion_vit}\n"
    text += bench.text[bench.text.index("devices:") :]
    bench.load(text)
    with pytest.raises(InputError, match=r"data.source: found none, but model 'vit' needs images"):
        bench.load(text.replace("models:", "data: {source: none}\nmodels:", 1))


def test_a_lone_device_may_have_no_link(bench):
    text = bench.text[: bench.text.index("  remote:")].replace("    link: access\n    server: edge\n", "")
    scenario = bench.load(text[: text.index("links:")] + text[text.index("policies:") :])
    assert scenario.links == {} and scenario.servers == {}


def test_the_last_cut_is_allowed(bench):
    assert bench.changed("cut: 2,", "cut: 3,").policies["split"].cut == 3


def test_depths_of_models_read_later(bench):
    scenario = bench.load()
    check_depths(scenario, {"toy": Depth(3, 2)})
    check_depths(scenario, {"other": Depth(1, 1)})
    with pytest.raises(InputError) as caught:
        check_depths(scenario, {"toy": Depth(1, 2)})
    assert str(caught.value).startswith(bench.where("split:"))
    assert "policies.split.cut: found 2, allowed: 0 to 1, as model 'toy' has 1 blocks" in str(caught.value)
