"""Feedback: each request of a device closes exactly once, where its device can know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any, ClassVar

import pytest
from small_worlds import scenario_of, simulated

from edgesim.outcomes.path import Path
from edgesim.policies.base import Feedback, ModelShape, Policy, RequestView, View
from edgesim.policies.steps import Answer, Exit, Run, Send, Step, Stop


class Pupil(Policy):
    """Answers here and by a server; every third request is given up at the server."""

    heard: ClassVar[list[tuple[str, Feedback]]] = []
    asked: ClassVar[dict[str, int]] = {}

    def __init__(self, models: Sequence[str], local: bool = True) -> None:
        super().__init__(models)
        self.local = local

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return [((0, "png"),), ((3, "int8"),)]

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        node = self.facts.node
        self.asked[node] = number = self.asked.get(node, 0) + 1
        if not self.facts.is_device:
            return [Stop("no")] if number % 3 == 0 else [Run(4), Exit(2), Answer(2)]
        first = [Run(1), Exit(0), Answer(0)] if self.local else []
        return [*first, Send("edge", "png", "image"), Run(3), Send("edge", "int8")]

    def learn(self, feedback: Feedback) -> None:
        self.heard.append((self.facts.node, feedback))


def taught(*overrides: str, local: bool = True) -> tuple[list[tuple[str, Feedback]], Any]:
    Pupil.heard.clear()
    Pupil.asked.clear()
    scenario = scenario_of({"it": {"type": f"{__name__}:Pupil", "options": {"local": local}}}, *overrides)
    return Pupil.heard, simulated(scenario, "it")


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("devices.camera.count=3",),
        ("devices.camera.after_deadline=abort", "devices.camera.deadline.ms=12"),
        ("devices.camera.arrivals={process: poisson, rate_hz: 60}", "devices.camera.queue.bound=2", "duration_s=10"),
        ("servers.edge.batch={max_size: 4, max_wait_ms: 3}", "devices.camera.count=4"),
        ("servers.edge.after_deadline=abort", "devices.camera.deadline.ms=8", "servers.edge.processor.factor=9"),
    ],
    ids=lambda overrides: " ".join(overrides) or "plain",
)
def test_a_device_learns_of_each_of_its_requests_once(overrides: tuple[str, ...]) -> None:
    heard, ran = taught(*overrides)
    assert len(ran) > 50 and not any(each.open for each in ran.requests)
    names = [each.device.name for each in ran.requests]
    assert sorted(node for node, _ in heard) == sorted(names), "and no server ever does"


def test_what_it_is_told() -> None:
    heard, ran = taught("duration_s=30")
    told = [feedback for _, feedback in heard]
    for each, feedback in zip(ran.requests, told, strict=True):
        first, last = min(each.answers), max(each.answers, key=lambda answer: (answer[1], answer[0]))
        assert feedback.latency_s == first[0] - each.arrival_s == pytest.approx(0.0025, abs=1e-9)
        assert (feedback.exit, feedback.confidence) == (last[3], last[4].confidence)
        assert feedback.on_time and feedback.bytes_up == 5500
    assert {feedback.exit for feedback in told} == {2}


def test_silence_is_told_as_well() -> None:
    heard, _ = taught("duration_s=9", "links.access.up={process: steps, steps: [[0, 10], [5, 0]]}", local=False)
    told = [feedback for _, feedback in heard]
    assert told and len(told) < 9, "what the link never delivers is still open"
    heard, _ = taught("devices.camera.after_deadline=abort", "devices.camera.deadline.ms=1")
    nothing = [feedback for _, feedback in heard]
    assert nothing and all(isnan(feedback.latency_s) and feedback.exit == -1 for feedback in nothing)
    assert not any(feedback.on_time for feedback in nothing)


def test_a_policy_that_does_not_learn_is_not_told() -> None:
    ran = simulated(scenario_of({"it": {"type": "device_only"}}), "it")
    assert not ran.world.devices[0].learns
