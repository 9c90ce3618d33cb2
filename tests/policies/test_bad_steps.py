"""Plans that cannot be carried out end in one error that says what was asked and where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

import pytest
from small_worlds import scenario_of, simulated

from edgesim.errors import InputError
from edgesim.outcomes.path import Path
from edgesim.policies.base import ModelShape, Policy, RequestView, View
from edgesim.policies.steps import Answer, Cancel, Exit, Run, Send, Step, When

IMAGE = Send("edge", "png", "image")
STATE = Send("edge", "int8")
LAST = (Run(4), Exit(2), Answer(2))


class Scripted(Policy):
    """Carries out what the test wrote down."""

    device: ClassVar[Any] = LAST
    server: ClassVar[Any] = LAST

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return [((0, "png"),), ((3, "int8"),)]

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        return self.device if self.facts.is_device else self.server


def carried_out(device: Any = LAST, server: Any = LAST, *overrides: str) -> Any:
    Scripted.device, Scripted.server = device, server
    return simulated(scenario_of({"it": {"type": f"{__name__}:Scripted"}}, "duration_s=3", *overrides), "it")


DEVICE = {
    "none at all": ([], "Scripted gave no step at camera-0"),
    "None": (None, "Scripted gave None at camera-0, which is no sequence of steps"),
    "a step alone": (Run(4), "which is no sequence of steps"),
    "no step": (["Run"], "camera-0: 'Run' is not a step"),
    "beyond the last block": ([Run(5)], "camera-0: Run\\(5\\), but 0 of 4 blocks have been run"),
    "back": ([Run(3), Run(1)], "camera-0: Run\\(1\\), but 3 of 4 blocks have been run"),
    "an exit elsewhere": ([Run(2), Exit(0)], "camera-0: Exit\\(0\\) sits after 1 blocks, not 2"),
    "no such exit": ([Run(4), Exit(3)], "camera-0: Exit\\(3\\), but the model has exits 0 to 2"),
    "an answer too soon": ([Run(1), Answer(0)], "camera-0: Answer\\(0\\) before Exit\\(0\\)"),
    "no state yet": ([STATE], "camera-0: no block has been run, send the image"),
    "undeclared": ([Run(2), STATE], "'toy' was not executed along 2:int8: a policy must declare it"),
    "undeclared codec": ([Send("edge", "raw", "image")], "'toy' was not executed along 0:raw"),
    "no such server": ([Send("cloud", "png", "image")], "camera-0: Send\\(to='cloud'.*the servers are edge"),
    "no such model": ([Send("edge", "png", "image", "huge")], "camera-0: Send\\(.*'huge'.*the models are toy"),
    "nobody to cancel": ([Cancel("cloud"), *LAST], "camera-0: Cancel\\(to='cloud'\\).*the servers are edge"),
    "nowhere": ([Run(0)], "Scripted at camera-0: a second plan that leads nowhere"),
}
SERVER = {
    "none at all": ([], "Scripted gave no step at edge"),
    "send on": ([Run(3), STATE], "edge: .*cannot"),
    "beyond the last block": ([Run(5)], "edge: Run\\(5\\), but 0 of 4 blocks have been run"),
    "an exit elsewhere": ([Run(4), Exit(0)], "edge: Exit\\(0\\) sits after 1 blocks, not 4"),
    "an answer too soon": ([Run(4), Answer(2)], "edge: Answer\\(2\\) before Exit\\(2\\)"),
    "nowhere": ([Run(0)], "Scripted at edge: a second plan that leads nowhere"),
    "nowhere after all": ([Run(1)], "Scripted at edge: a second plan that leads nowhere"),
    "cancel": ([Cancel("edge"), *LAST], "edge: .*Cancel\\(to='edge'\\)"),
}


@pytest.mark.parametrize(("steps", "message"), DEVICE.values(), ids=DEVICE.keys())
def test_on_the_device(steps: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        carried_out(steps)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("batch", ["{max_size: 1}", "{max_size: 4, max_wait_ms: 1}"], ids=["alone", "batch"])
@pytest.mark.parametrize(("steps", "message"), SERVER.values(), ids=SERVER.keys())
def test_on_the_server(steps: Any, message: str, batch: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        carried_out([IMAGE], steps, f"servers.edge.batch={batch}")
    assert "\n" not in str(caught.value)


class Iterated:
    """An iterable that is no sequence, fresh each time."""

    def __iter__(self) -> Iterator[Step]:
        yield from (IMAGE, Run(1), Exit(0), Answer(0))


@pytest.mark.parametrize("kind", [list, tuple, lambda steps: steps])
def test_any_iterable_is_a_plan(kind: Callable[[Any], Any]) -> None:
    """All of it is carried out, also what follows a send."""
    ran = carried_out(kind(Iterated()))
    for each in ran.requests:
        assert sorted(answer[3] for answer in each.answers) == [0, 2]


class Hesitant(Scripted):
    """Looks at the request after every block."""

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        return [Run(request.blocks_done + 1)] if request.blocks_done < 4 else [Exit(2), Answer(2)]


def test_looking_again_is_no_dead_end() -> None:
    ran = simulated(scenario_of({"it": {"type": f"{__name__}:Hesitant"}}, "duration_s=3"), "it")
    assert set(ran.exits) == {2} and ran.latency_s == pytest.approx(0.0143)


def test_a_condition_names_a_score() -> None:
    with pytest.raises(
        InputError, match="When\\(score='luck', threshold=0.5\\), but the scores are confidence, entropy"
    ):
        When("luck", 0.5)  # type: ignore[arg-type]
