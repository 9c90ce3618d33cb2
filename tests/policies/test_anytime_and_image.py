"""Policies that answer more than once: what the slot holds, and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest
from small_worlds import TOY, Ran, scenario_of, simulated

from edgesim.outcomes.path import Path
from edgesim.policies.base import ModelShape, Policy, RequestView, View
from edgesim.policies.steps import Answer, Exit, Run, Send, Step
from edgesim.results.recorder import held_by
from edgesim.studies.load import load_assets

LOCAL_S = (0.0025, 0.0099, 0.0152)
"""When the device's exits answer, heads on the way included: 2 + .5, + 3 + 4 + .4, + 5 + .3 ms."""


def held(run: Ran, deadline_s: float) -> list[int | None]:
    """The exit in each slot at a deadline."""
    slots = [held_by(each.answers, each.arrival_s + deadline_s + 1e-9)[0] for each in run.requests]
    return [None if slot is None else slot[3] for slot in slots]


@pytest.mark.parametrize("after", ["continue", "abort"])
def test_the_slot_holds_the_deepest_exit_that_came_in_time(after: str) -> None:
    for deadline_s, exit in ((0.0024, None), (0.0026, 0), (0.0098, 0), (0.01, 1), (0.0151, 1), (0.0153, 2), (1.0, 2)):
        scenario = scenario_of(
            {"it": {"type": "anytime"}},
            f"devices.camera.deadline.ms={1e3 * deadline_s}",
            f"devices.camera.after_deadline={after}",
        )
        assets = load_assets(scenario)
        run = simulated(scenario, "it", assets=assets)
        assert set(held(run, deadline_s)) == {exit}
        table, samples = assets.test["toy"].table(()), run.column(lambda each: each.sample)
        right = table.correct[exit, samples] if exit is not None else np.zeros(len(run), bool)
        np.testing.assert_array_equal(run.right(), right)
        if after == "continue":
            assert all(len(each.answers) == 3 for each in run.requests)
            times_s = run.column(lambda each: [answer[0] - each.arrival_s for answer in each.answers])
            np.testing.assert_allclose(times_s, np.tile(LOCAL_S, (len(run), 1)), atol=1e-9)


def test_anytime_across_a_cut_answers_on_both_sides() -> None:
    run = simulated(scenario_of({"it": {"type": "anytime", "cut": 3, "codec": "int8"}}), "it")
    assert [answer[3] for answer in run.requests[0].answers] == [0, 1, 2]
    sent_s = 0.0099 + 0.002 + 8 * (1500 + 2 * 66) / 10e6
    back_s = sent_s + 0.25 * 0.0053 + 0.002 + 8 * (8 + 66) / 20e6
    np.testing.assert_allclose(
        [a[0] - run.requests[0].arrival_s for a in run.requests[0].answers][2], back_s, atol=1e-9
    )
    run = simulated(scenario_of({"it": {"type": "anytime", "cut": 1, "codec": "int8"}}), "it")
    assert [answer[3] for answer in run.requests[0].answers] == [0, 1, 2], "the server answers at each exit as well"


def image(**options: Any) -> dict[str, Any]:
    return {"type": "exits_then_image", **options}


def test_local_answers_first_and_then_the_image() -> None:
    scenario = scenario_of({"it": image(exits=[0, 1])})
    run = simulated(scenario, "it")
    server_s = 0.0099 + 8 * (4000 + 3 * 66) / 10e6 + 0.002 + 0.25 * 0.0143 + 0.002 + 8 * (8 + 66) / 20e6
    for each in run.requests:
        assert [answer[3] for answer in each.answers] == [0, 1, 2]
        assert each.answers[2][0] - each.arrival_s == pytest.approx(server_s, abs=1e-9)
        assert (each.cut, each.codec, each.bytes_up) == (0, "png", 4000)


@pytest.mark.parametrize(("score", "threshold"), [("confidence", 0.8), ("entropy", 1.0), ("margin", 0.5)])
def test_a_sure_local_answer_keeps_the_image_here(score: str, threshold: float) -> None:
    scenario = scenario_of({"it": image(score=score, threshold=threshold)})
    assets = load_assets(scenario)
    run, table = simulated(scenario, "it", assets=assets), assets.test["toy"].table(())
    found = getattr(table, score)
    sure = found < threshold if score == "entropy" else found >= threshold
    for each in run.requests:
        exits = [answer[3] for answer in each.answers]
        if sure[0, each.sample]:
            assert exits == [0] and each.bytes_up == 0
        elif sure[1, each.sample]:
            assert exits == [0, 1] and each.bytes_up == 0
        else:
            assert exits == [0, 1, 2] and each.bytes_up == 4000
    assert {len(each.answers) for each in run.requests} == {1, 2, 3}


class Hedge(Policy):
    """Sends the image and goes on here: the server's deeper answer may well come first."""

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return [((0, "png"),)]

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        if not self.facts.is_device:
            return [Run(4), Exit(2), Answer(2)]
        return [Send(self.facts.server, "png", "image"), Run(3), Exit(1), Answer(1)]


def test_a_shallow_answer_does_not_replace_a_deeper_one() -> None:
    scenario = scenario_of(
        {"it": {"type": f"{__name__}:Hedge"}},
        "links.access.up.rate_mbps=100",
        "servers.edge.processor.factor=0.01",
        "links.access.delay_ms=0",
    )
    run = simulated(scenario, "it")
    for each in run.requests:
        times = {answer[3]: answer[0] for answer in each.answers}
        assert times[2] < times[1], "the server was first"
    assert set(held(run, 1.0)) == {2}
    assert set(held(run, 0.001)) == {2}


BIG = {
    **TOY,
    "blocks_ms": [4, 4, 6, 6, 8],
    "exits": [3, 5],
    "branch_ms": 0.2,
    "state_bytes": [4000] * 5,
    "accuracy": [0.8, 0.97],
}
BOTH = {"device": "toy", "server": "big"}


@pytest.mark.parametrize(
    ("policy", "answers"),
    [
        (image(exits=[0, 1], models=BOTH), [("toy", 0, 0), ("toy", 1, 1), ("big", 1, 4)]),
        ({"type": "fixed_cut", "cut": 0, "codec": "raw", "models": BOTH}, [("big", 1, 4)]),
        ({"type": "server_only", "model": "big"}, [("big", 1, 4)]),
        ({"type": "thresholds", "threshold": 2.0, "cut": 0, "codec": "png", "models": BOTH}, [("big", 1, 4)]),
        ({"type": "anytime", "cut": 0, "codec": "png", "models": BOTH}, [("big", 0, 3), ("big", 1, 4)]),
        ({"type": "device_only", "models": BOTH}, [("toy", 2, 2)]),
        ({"type": "random", "codecs": ["png"], "cuts": [0], "models": BOTH}, [("big", 1, 4)]),
    ],
)
def test_a_small_model_here_and_a_large_one_there(policy: dict[str, Any], answers: list[tuple[str, int, int]]) -> None:
    """Answers as (model, exit, depth): the models are listed from shallow to deep."""
    scenario = scenario_of({"it": policy}, models={"toy": TOY, "big": BIG})
    assets = load_assets(scenario)
    run = simulated(scenario, "it", assets=assets)
    for each in run.requests:
        assert [(model, exit, depth) for _, depth, model, exit, _ in each.answers] == answers
    last = answers[-1]
    table, samples = assets.test[last[0]].table(()), run.column(lambda each: each.sample)
    np.testing.assert_array_equal(run.right(60.0), table.correct[last[1], samples])


def test_two_models_meet_the_same_images() -> None:
    scenario = scenario_of(
        {"it": image(exits=[0], models=BOTH), "local": {"type": "device_only"}}, models={"toy": TOY, "big": BIG}
    )
    runs = [simulated(scenario, name) for name in ("it", "local")]
    np.testing.assert_array_equal(*(run.column(lambda each: each.sample) for run in runs))
