"""What a policy may know, and when (SEMANTICS: what a policy may know)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any, ClassVar

import numpy as np
import pytest
from small_worlds import Ran, scenario_of, simulated

from edgesim.engine.views import DeviceView, ServerView, TaskView
from edgesim.outcomes.path import Path
from edgesim.policies.base import Facts, ModelShape, Needs, Policy, RequestView, Seen, View
from edgesim.policies.steps import Answer, Exit, Run, Send, Step
from edgesim.studies.load import load_assets

IMAGE = (((0, "png"),),)


class Watcher(Policy):
    """Sends the image; ``notes`` keeps what it saw at each decision, ``told`` what it knew beforehand."""

    notes: ClassVar[list[dict[str, Any]]] = []
    told: ClassVar[list[Facts]] = []

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return IMAGE

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        self.told.append(facts)

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        facts = self.facts
        self.notes.append(
            {
                "node": facts.node,
                "now_s": view.now_s,
                "age_s": request.age_s,
                "path": request.path,
                "blocks": request.blocks_done,
                "scores": dict(request.scores),
                "time_left_s": request.time_left_s,
                "queue": view.queue_length,
                "queued_bytes": view.queued_bytes,
                "rate_bps": view.rate_bps,
                "wait_s": view.server_wait_s("edge"),
                "report_age_s": view.report_age_s("edge"),
            }
        )
        if not facts.is_device:
            return [Run(4), Exit(2), Answer(2)]
        return self.on_device(request)

    def on_device(self, request: RequestView) -> Sequence[Step]:
        return [Send(self.facts.server, "png", "image")]


class KnowsDeadline(Watcher):
    needs: ClassVar[Needs] = Needs(deadline="exact")


class KnowsDistribution(Watcher):
    needs: ClassVar[Needs] = Needs(deadline="distribution")


class LooksTwice(Watcher):
    """Looks at the first exit's scores, runs on, then sends the state."""

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return [((3, "int8"),)]

    def on_device(self, request: RequestView) -> Sequence[Step]:
        if request.blocks_done == 0:
            return [Run(1), Exit(0)]
        return [Run(3), Send(self.facts.server, "int8")]


def watch(name: str, *overrides: str, **changes: Any) -> tuple[list[dict[str, Any]], Ran]:
    Watcher.notes.clear()
    Watcher.told.clear()
    scenario = scenario_of({"it": {"type": f"{__name__}:{name}"}}, *overrides, **changes)
    return Watcher.notes, simulated(scenario, "it")


def on_device(notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [note for note in notes if note["node"].startswith("camera")]


def test_views_show_what_the_interface_says_and_nothing_else() -> None:
    """No sample, label, node or link can be reached by a public name."""

    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(TaskView) - public(RequestView) <= {"bind"}
    for kind in (DeviceView, ServerView):
        assert public(kind) <= public(View)


def test_scores_are_those_of_the_exits_run_here() -> None:
    notes, ran = watch("LooksTwice", "duration_s=20")
    table = load_assets(ran.world.scenario).test["toy"].table(())
    samples = {each.arrival_s: each.sample for each in ran.requests}
    seen = 0
    for note in notes:
        if note["blocks"] == 1:
            (exit, scores), *others = note["scores"].items()
            sample = samples[min(samples, key=lambda arrival_s: abs(arrival_s + note["age_s"] - note["now_s"]))]
            assert exit == 0 and not others and type(scores) is Seen
            assert scores._fields == ("prediction", "confidence", "entropy", "margin")
            assert scores.confidence == table.confidence[0, sample]
            seen += 1
        else:
            assert note["scores"] == {}, "of the exits that were run at this node"
    assert seen == len(ran)
    assert {note["path"] for note in notes if note["node"] == "edge"} == {((3, "int8"),)}


@pytest.mark.parametrize("known", ["none", "distribution", "exact"])
@pytest.mark.parametrize("name", ["Watcher", "KnowsDistribution", "KnowsDeadline"])
def test_the_deadline_is_hidden_unless_given_and_asked_for(known: str, name: str) -> None:
    notes, ran = watch(name, "duration_s=5", f"devices.camera.deadline.known={known}")
    exact = known == "exact" and name == "KnowsDeadline"
    for note in notes:
        if exact:
            assert note["time_left_s"] == pytest.approx(0.040 - note["age_s"], abs=1e-12)
        else:
            assert note["time_left_s"] is None
    means = {facts.deadline_mean_s for facts in Watcher.told}
    assert means == ({0.040} if known != "none" and name != "Watcher" else {None})


def arrivals(tmp_path: Any, times_s: Sequence[float]) -> str:
    file = tmp_path / "arrivals.csv"
    file.write_text("time_s\n" + "".join(f"{time_s!r}\n" for time_s in times_s))
    return f"devices.camera.arrivals={{process: trace, file: '{file}'}}"


@pytest.mark.parametrize("headers", ["none", "tcp"])
def test_a_rate_sample_is_seen_at_its_acknowledgement(tmp_path: Any, headers: str) -> None:
    wire = 4000 + (3 * 66 if headers == "tcp" else 0)
    sent_s = 8 * wire / 10e6
    acknowledged_s = 1.0 + sent_s + 2 * 0.002
    before, after = acknowledged_s - 1e-6, acknowledged_s + 1e-6
    notes, _ = watch(
        "Watcher",
        arrivals(tmp_path, [1.0, 1.0001, before, after]),
        "links.access.prior_mbps=1",
        f"links.access.headers={headers}",
    )
    rates = [note["rate_bps"] for note in on_device(notes)]
    assert rates == pytest.approx([1e6, 1e6, 1e6, 10e6], rel=1e-9)
    queued = [note["queued_bytes"] for note in on_device(notes)]
    assert queued[:2] == pytest.approx([0, wire - 10e6 / 8 * 1e-4], abs=1e-6)


@pytest.mark.parametrize("sharing", ["fifo", "cell"])
def test_samples_of_a_lone_device_are_the_rate_of_its_link(sharing: str) -> None:
    notes, _ = watch("Watcher", f"links.access.sharing={sharing}", "links.access.prior_mbps=1")
    rates = [note["rate_bps"] for note in on_device(notes)]
    assert rates[0] == 1e6 and rates[1:] == pytest.approx([10e6] * (len(rates) - 1), rel=1e-9)


def test_acknowledgements_that_nobody_asks_for_do_not_pile_up() -> None:
    scenario = scenario_of({"it": {"type": "random", "cuts": [0]}}, "duration_s=1000")
    ran = simulated(scenario, "it")
    assert len(ran) > 900 and len(ran.world.devices[0].acknowledged) <= 65
    assert ran.world.devices[0].view.rate_bps == pytest.approx(10e6)


def test_load_reports_come_with_answers_and_grow_old(tmp_path: Any) -> None:
    """Three requests meet at a slow server; its report says what the next one would have waited, back then."""
    times_s = [1.0, 1.001, 1.002, 3.0, 5.0]
    notes, ran = watch(
        "Watcher", arrivals(tmp_path, times_s), "servers.edge.processor.factor=10", "links.access.up.rate_mbps=100"
    )
    notes = on_device(notes)
    assert [note["report_age_s"] for note in notes[:3]] == [inf] * 3
    assert [note["wait_s"] for note in notes[:3]] == [0.0] * 3
    back_s = 0.002 + 8 * 74 / 20e6
    finished_s = [max(answer[0] for answer in each.answers) - back_s for each in ran.requests]
    assert notes[3]["report_age_s"] == pytest.approx(3.0 - finished_s[2], abs=1e-9)
    assert notes[4]["report_age_s"] == pytest.approx(5.0 - finished_s[3], abs=1e-9)
    assert notes[3]["wait_s"] == 0.0, "nobody was left when the last of the three was answered"


def test_a_report_tells_of_those_that_wait(tmp_path: Any) -> None:
    service_s = 0.143
    times_s = [1.0, 1.001, 1.002, 1.003, 1.5]
    notes, _ = watch(
        "Watcher", arrivals(tmp_path, times_s), "servers.edge.processor.factor=10", "links.access.up.rate_mbps=100"
    )
    # The report of the third answer (1.44 s) is the freshest at 1.5 s: the fourth has just begun, half of it is left.
    assert on_device(notes)[4]["wait_s"] == pytest.approx(0.5 * service_s, rel=1e-6)


def test_the_queue_that_a_device_sees_is_its_own(tmp_path: Any) -> None:
    notes, _ = watch("LooksTwice", arrivals(tmp_path, [1.0, 1.0001, 1.0002, 2.0]))
    first = [note for note in on_device(notes) if note["blocks"] == 0]
    assert [note["queue"] for note in first] == [0, 1, 0, 0]


def test_only_an_oracle_sees_the_truth() -> None:
    _, ran = watch("Watcher", "duration_s=3")
    with pytest.raises(AttributeError, match="needs = Needs\\(truth=True\\)"):
        _ = ran.world.devices[0].view.truth


def test_facts_hold_means_of_validation_images() -> None:
    scenario = scenario_of({"it": {"type": f"{__name__}:Watcher"}}, "duration_s=2")
    assets = load_assets(scenario)
    Watcher.told.clear()
    simulated(scenario, "it", assets=assets)
    validation = assets.validation["toy"]
    for facts in Watcher.told:
        model = facts.models["toy"]
        assert model.payload_bytes == {IMAGE[0]: 4000.0}
        for path in ((), IMAGE[0]):
            np.testing.assert_array_equal(
                [model.accuracy[path, exit] for exit in range(3)], validation.table(path).correct.mean(axis=1)
            )
