"""Everything that may be wrong ends with one message, exit code 2, and nothing written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgesim.profiling.profile import SHIPPED, shipped_profiles

USER_POLICY = """\
from edgesim.policies.base import Needs, Policy
from edgesim.policies.steps import Answer, Exit, Run

class Exact(Policy):
    needs = Needs(deadline="exact")

    def next_steps(self, request, view):
        return self.plan

class TooDeep(Policy):
    def next_steps(self, request, view):
        return [Run(9)]

class Silent(Policy):
    def next_steps(self, request, view):
        return []

class NoPolicy: ...
"""


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("seed: 3", "sed: 3", "sed", "unknown key"),
        (
            "    delay_ms: 2",
            "    delay_ms: 2\n    prior_kbps: 2",
            "links.access.prior_kbps",
            "did you mean 'prior_mbps'?",
        ),
        ("    delay_ms: 2", "    delay_ms: 2 ms", "links.access.delay_ms", "the unit is in the key"),
        ("duration_s: 4", 'duration_s: "4"', "duration_s", "found '4' (text)"),
        ("count: 2", "count: 2.5", "devices.camera.count", "a whole number"),
        ("count: 2", "count: true", "devices.camera.count", "true (true or false)"),
        ("rate_hz: 10", "rate_hz: -10", "devices.camera.arrivals.rate_hz", "above 0"),
        ("rate_mbps: 20", "rate_mbps: -20", "links.access.down.rate_mbps", "above 0"),
        ("rate_mbps: 20", "rate_mbps: .nan", "links.access.down.rate_mbps", "a finite number"),
        ("warmup_s: 0.5", "warmup_s: .inf", "warmup_s", "a finite number"),
        ("warmup_s: 0.5", "warmup_s: 0.5\nseed: 4", "seed", "duplicate key"),
        ("file: rates.csv", "file: gone.csv", "links.access.up.file", "no such file"),
        ("file: rates.csv", "file: ../rates.csv", "links.access.up.file", "leaves the scenario's folder"),
        ("file: rates.csv", "file: /etc/passwd", "links.access.up.file", "leaves the scenario's folder"),
        ("cut: 1", "cut: 9", "policies.split.cut", "found 9, allowed: 0 to 3"),
        ("cut: 1, codec: int8", "cut: 1, codec: png", "policies.split.codec", "found 'png' at cut 1"),
        ("{type: device_only}", "{type: device_only, exit: 3}", "policies.local.exit", "allowed: 0 to 2"),
        ("{type: device_only}", "{type: best}", "policies.local.type", "found 'best'"),
        ("{type: device_only}", "{type: clairvoyant}", "policies.local", "'exact', found 'none'"),
        ("{type: device_only}", "{type: 'mine.py:Exact'}", "policies.local", "'exact', found 'none'"),
        ("{type: device_only}", "{type: 'mine.py:Gone'}", "policies.local", "Gone is not in mine.py"),
        ("{type: device_only}", "{type: 'mine.py:NoPolicy'}", "policies.local", "is no subclass"),
        ("{type: device_only}", "{type: 'broken.py:Mine'}", "policies.local", "SyntaxError"),
        ("{type: device_only}", "{type: 'gone.py:Mine'}", "policies.local", "no such file"),
        ("{type: device_only}", "{type: 'no.such.module:Mine'}", "policies.local", "No module named 'no'"),
        ("{type: device_only}", "{type: 'mine.py:Silent', options: {k: 3}}", "policies.local", "do not fit"),
        ("{factor: 0.2}", "{preset: pi5-fp32}", "servers.edge.processor.preset", "synthetic"),
        ("source: synthetic", "source: magic", "models.toy.source", "zoo, timm, outcomes or synthetic"),
        ("link: access", "link: acces", "devices.camera.link", "did you mean 'access'?"),
        ("data: {source: none}", "execution: live", "execution", "allowed: tabled"),
    ],
)
def test_scenarios(bench, old: str, new: str, key: str, words: str) -> None:
    (bench.folder / "mine.py").write_text(USER_POLICY)
    (bench.folder / "broken.py").write_text("def f(:\n")
    bench.edit(old, new)
    message = bench.refused()
    marker = new.splitlines()[-1].strip()
    assert message.startswith(bench.line(marker)), message
    assert f": {key}" in message and words in message, message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("time_s,rate_mbps\n", "empty"),
        ("time_s,rate_mbps\n0,5\n2,1\n1,8\n", "line 4"),
        ("time_s,rate_mbps\n0,5\n1,-1\n", "line 3"),
        ("time_s,rate_mbps\n0,5\n1,nan\n", "line 3"),
        ("time_s,rate_mbps\n0,5\n1,fast\n", "line 3"),
        ("time,rate\n0,5\n", "time_s"),
        ("time_s,rate_mbps\n0,0\n1,0\n", "0"),
        (b"\xff\xfe\x00\x01", ""),
    ],
)
def test_rate_traces(bench, text: str | bytes, words: str) -> None:
    bench.rates.write_bytes(text if isinstance(text, bytes) else text.encode())
    message = bench.refused()
    assert message.startswith(bench.line("file: rates.csv")), message
    assert "links.access.up" in message and str(bench.rates) in message and words in message, message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "time_s"),
        ("time_s\n", "no arrival times"),
        ("time_s\n2\n1\n", "line 3"),
        ("time_s\n-1\n", "line 2"),
        ("time_s\ninf\n", "line 2"),
        ("time_s\nsoon\n", "line 2"),
        (b"time_s\n\xff\xfe\n", ""),
    ],
)
def test_arrival_traces(bench, text: str | bytes, words: str) -> None:
    (bench.folder / "arrivals.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    bench.edit("{process: poisson, rate_hz: 10}", "{process: trace, file: arrivals.csv}")
    message = bench.refused()
    assert message.startswith(bench.line("file: arrivals.csv")), message
    assert "devices.camera.arrivals.file" in message and "arrivals.csv" in message and words in message, message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--set", "devices.camera.count=none"), "--set devices.camera.count: found 'none'"),
        (("--set", "devices.camra.count=1"), "did you mean 'camera'?"),
        (("--set", "devices"), "allowed: key=value"),
        (("--seed", "-1"), "--seed: found -1"),
        (("--replications", "0"), "--replications: found 0"),
        (("--policy", "remot"), "policy remot: the scenario has local, remote, split; did you mean 'remote'?"),
    ],
)
def test_options(bench, options: tuple[str, ...], words: str) -> None:
    assert words in bench.refused(*options)


def test_a_scenario_that_is_not_there_or_no_yaml(bench) -> None:
    bench.path.write_bytes(b"\xff\x00")
    assert "no text in UTF-8" in bench.refused()
    bench.path.write_text("models: [1,\n")
    assert "this is no YAML" in bench.refused()
    bench.path.write_text("")
    assert "allowed: a mapping" in bench.refused()
    bench.path.unlink()
    assert bench.refused().startswith(f"{bench.path}: cannot be read: No such file")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_policy_that_asks_for_the_impossible(bench, jobs: int) -> None:
    """Found in the middle of the run: the results that were begun are taken away again."""
    (bench.folder / "mine.py").write_text(USER_POLICY)
    bench.edit("{type: device_only}", "{type: 'mine.py:TooDeep'}")
    message = bench.refused("--jobs", jobs)
    assert message.startswith(bench.line("mine.py:TooDeep")) and "policies.local: camera-" in message
    assert "Run(9), but 0 of 3 blocks have been run" in message


def test_a_policy_without_a_step(bench) -> None:
    (bench.folder / "mine.py").write_text(USER_POLICY)
    bench.edit("{type: device_only}", "{type: 'mine.py:Silent'}")
    assert "policies.local: policy Silent gave no step at camera-" in bench.refused()


def test_results_that_cannot_be_written(bench) -> None:
    bench.out.parent.write_text("a file where a folder should be")
    message = bench.refused()
    assert str(bench.out) in message and "directory" in message
    bench.out.parent.unlink()
    bench.out.parent.symlink_to("/proc/1")
    assert str(bench.out) in bench.refused()


def test_results_that_are_damaged(bench) -> None:
    assert bench.run().code == 0
    (folder,) = bench.out.iterdir()
    (folder / "manifest.json").write_text("{")
    assert "--force runs again" in bench.refused()
    assert bench.run("--force").code == 0
    assert bench.run().code == 0


@pytest.mark.skipif("deit_tiny_patch16_224" not in shipped_profiles(), reason="no profile of DeiT ships")
def test_weights_that_are_damaged(bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGESIM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "outcomes").mkdir(parents=True)
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"no weights at all")
    text = bench.path.read_text()
    model = "  toy: {source: timm, name: deit_tiny_patch16_224, weights: weights.safetensors}\n"
    start, stop = text.index("  toy:\n"), text.index("devices:")
    bench.path.write_text((text[:start] + model + text[stop:]).replace("data: {source: none}", ""))
    message = bench.refused()
    assert message.startswith(bench.line("source: timm")) and "models.toy" in message
    assert f"{weights}: not a safetensors file, or damaged" in message


@pytest.mark.skipif("deit_tiny_patch16_224" not in shipped_profiles(), reason="no profile of DeiT ships")
@pytest.mark.parametrize(
    ("keys", "key", "words"),
    [
        ("deit_tiny_patch16_224, merge: 99", "models.toy.merge", "found 99, allowed: 0 to 98, half of the patch"),
        (
            "deit_tiny_patch16_224, merge: -1",
            "models.toy.merge",
            "found -1 (a whole number), allowed: a whole number at",
        ),
        ("levit_128s, merge: 8", "models.toy.merge", "found 8, allowed: 0, as only ViT and DeiT merge tokens"),
        ("deit_tiny_patch16_224, merge: 8", "models.toy", "no profile of deit_tiny_patch16_224+merge8 ships"),
        ("deit_tiny_patch16_224, merge: 8, profile: plain.json", "models.toy", "is of deit_tiny_patch16_224, not of"),
    ],
)
def test_token_merging_that_cannot_be(bench, keys: str, key: str, words: str) -> None:
    (bench.folder / "plain.json").write_bytes((SHIPPED / "deit_tiny_patch16_224.json").read_bytes())
    text = bench.path.read_text()
    model = f"  toy: {{source: timm, name: {keys}}}\n"
    text = text[: text.index("  toy:\n")] + model + text[text.index("devices:") :]
    bench.path.write_text(text.replace("data: {source: none}", ""))
    message = bench.refused()
    assert message.startswith(bench.line("source: timm")) and f": {key}: " in message and words in message


def test_profiles_that_are_damaged(bench) -> None:
    np.savez(bench.folder / "answers.npz", blocks=[1], logits=np.eye(3)[None], labels=[0, 1, 2])
    assert bench.command("outcomes", "import", bench.folder / "answers.npz", bench.folder / "theirs").code == 0
    (bench.folder / "profile.json").write_text('{"format": "something else"}')
    text = bench.path.read_text()
    model = "  toy: {source: outcomes, folder: theirs, profile: profile.json}\n"
    bench.path.write_text(text[: text.index("  toy:\n")] + model + text[text.index("devices:") :])
    message = bench.refused()
    assert message.startswith(bench.line("source: outcomes")) and "profile.json" in message
