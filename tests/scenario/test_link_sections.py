"""Sections of a link: what they take, and one located error for each mistake."""

from __future__ import annotations

import pytest

from edgesim.scenario.disciplines import Csma, Weighted
from edgesim.scenario.load import build_scenario
from edgesim.scenario.losses import TRIES

CASES = [
    # what the link says, the key, words of the message
    ("handover: restart", "handover", "found restart|survive"),
    ("jitter_ms: -1", "jitter_ms", "found -1|at least 0, in ms"),
    ("discipline: {type: fair}", "discipline.type", "found 'fair'|equal, weighted, round_robin, airtime or csma"),
    ("discipline: csma", "discipline", "found 'csma'|a mapping with type: equal"),
    ("discipline: {type: weighted}", "discipline.weights", "missing key"),
    ("discipline: {type: weighted, weights: {}}", "discipline.weights", "found an empty mapping"),
    ("discipline: {type: weighted, weights: {camera: 0}}", "discipline.weights.camera", "found 0|above 0"),
    (
        "discipline: {type: weighted, weights: {camra: 2}}",
        "discipline.weights.camra",
        "found 'camra'|a class of devices on this link (camera, sensor)|did you mean 'camera'?",
    ),
    ("discipline: {type: csma, speeds: {drone: 2}}", "discipline.speeds.drone", "found 'drone'|camera, sensor"),
    ("discipline: {type: csma, window: 1}", "discipline.window", "found 1|a whole number at least 2"),
    ("discipline: {type: csma, stages: -1}", "discipline.stages", "found -1|a whole number at least 0"),
    (
        "discipline: {type: csma, rates: own, speeds: {camera: 2}}",
        "discipline",
        "found speeds beside rates: own|one of them",
    ),
    ("discipline: {type: round_robin, quantum_bytes: 0}", "discipline.quantum_bytes", "found 0|at least 1"),
    ("discipline: {type: airtime, quantum_bytes: 9}", "discipline.quantum_bytes", "unknown key"),
    ("loss: {process: bernouli, p: 0.1}", "loss.process", "bernoulli or gilbert_elliott|did you mean 'bernoulli'?"),
    ("loss: {process: bernoulli, p: 1}", "loss.p", "found 1|above 0 and below 1"),
    ("loss: {process: bernoulli, p: 0.1, tries: 0}", "loss.tries", "found 0|a whole number at least 1"),
    ("loss: {process: gilbert_elliott, to_bad: 0, to_good: 1}", "loss.to_bad", "found 0|above 0 and at most 1"),
    ("loss: {process: gilbert_elliott, to_bad: 0.1}", "loss.to_good", "missing key"),
    ("loss: 0.1", "loss", "found 0.1|a mapping with process: bernoulli or gilbert_elliott"),
    ("connection: hot", "connection", "found 'hot'|warm or cold"),
    ("idle_s: 2", "idle_s", "found 2.0 beside connection: warm|connection: cold"),
    ("handshake_rtts: 2", "handshake_rtts", "found 2 beside connection: warm|connection: cold"),
    ("connection: cold\n    idle_s: 0", "idle_s", "found 0|above 0, in s"),
    ("connection: cold\n    handshake_rtts: -1", "handshake_rtts", "found -1|a whole number at least 0"),
]


@pytest.mark.parametrize(("text", "key", "words"), CASES, ids=[case[0][:60] for case in CASES])
def test_a_mistake_in_a_links_section(bench, text, key, words):
    message = bench.refused("delay_ms: 15", f"delay_ms: 15\n    {text}")
    line = next((line for line in message.splitlines() if f": links.access.{key}: " in line), None)
    assert line is not None, message
    assert line.startswith(bench.where(text.splitlines()[-1])), message
    for word in words.split("|"):
        assert word in line


@pytest.mark.parametrize("discipline", ["weighted, weights: {camera: 2}", "round_robin", "airtime", "csma"])
def test_a_discipline_needs_a_cell(bench, discipline):
    message = bench.refused("sharing: cell\n", f"sharing: fifo\n    discipline: {{type: {discipline}}}\n")
    kind = discipline.partition(",")[0]
    assert f"links.access.discipline: found {kind} beside sharing: fifo, allowed: beside sharing: cell" in message


def test_what_a_link_may_say(bench):
    text = "discipline: {type: csma, speeds: {sensor: 0.1}}\n    jitter_ms: 2\n    connection: cold\n    idle_s: 3"
    loss = "loss: {process: bernoulli, p: 0.01}"
    link = bench.changed("delay_ms: 15", f"delay_ms: 15\n    {text}\n    {loss}").links["access"]
    assert isinstance(link.discipline, Csma) and link.discipline.speeds == {"sensor": 0.1}
    assert (link.jitter_ms, link.idle_s, link.handshake_rtts, link.loss.tries) == (2, 3, None, TRIES)
    weighted = "discipline: {type: weighted, weights: {camera: 2}}"
    assert isinstance(
        bench.changed("delay_ms: 15", f"delay_ms: 15\n    {weighted}").links["access"].discipline, Weighted
    )


def test_what_was_resolved_loads_again(bench):
    scenario = bench.changed("delay_ms: 15", "delay_ms: 15\n    connection: cold\n    discipline: {type: csma}")
    assert build_scenario(scenario.resolved(), bench.folder).links == scenario.links
