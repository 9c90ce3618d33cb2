"""Policies that the tests of the engine drive it with, named ``little_policies:CLASS`` in their scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgesim.outcomes.path import Path
from edgesim.policies.base import Facts, ModelShape, Policy, RequestView, View
from edgesim.policies.steps import Answer, Cancel, Exit, Run, Send, Step, Wait, When


class OnImage(Policy):
    """Sends the image as ``raw``; subclasses give the plans."""

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return (((0, "raw"),),)

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        self.shape = next(iter(facts.models.values())).shape

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        return self.on_device(request, view) if self.facts.is_device else self.on_server(request, view)

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        return (Send(self.facts.server, "raw", "image"),)

    def on_server(self, request: RequestView, view: View) -> Sequence[Step]:
        last = len(self.shape.exits) - 1
        return (Run(self.shape.num_blocks), Exit(last), Answer(last))


class Hedge(OnImage):
    """Sends the image, and answers from every exit at home meanwhile."""

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        steps: list[Step] = [Send(self.facts.server, "raw", "image")]
        for index, after in enumerate(self.shape.exits):
            steps += [Run(after), Exit(index), Answer(index)]
        return steps


class HedgeThenCancel(OnImage):
    """Sends the image, runs everything at home, and calls the server's work off."""

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        last = len(self.shape.exits) - 1
        home = (Run(self.shape.num_blocks), Exit(last), Answer(last))
        return (Send(self.facts.server, "raw", "image"), *home, Cancel(self.facts.server))


class SendWaitAnswer(OnImage):
    """Sends the image, gives the processor back for 50 ms, then answers at home."""

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        if request.age_s < 0.05:
            return (Send(self.facts.server, "raw", "image"), Wait(view.now_s + 0.05))
        return (Run(self.shape.exits[0]), Exit(0), Answer(0))


class BlockByBlock(OnImage):
    """One block a plan on the server, so that it asks again after each."""

    def on_server(self, request: RequestView, view: View) -> Sequence[Step]:
        after = request.blocks_done + 1
        if after < self.shape.num_blocks:
            return (Run(after),)
        last = len(self.shape.exits) - 1
        return (Run(after), Exit(last), Answer(last))


class LeaveOnServer(OnImage):
    """The server leaves at the first exit that is at least ``threshold`` sure."""

    def __init__(self, models: Sequence[str], threshold: float) -> None:
        super().__init__(models)
        self.threshold = threshold

    def on_server(self, request: RequestView, view: View) -> Sequence[Step]:
        steps: list[Step] = []
        for index, after in enumerate(self.shape.exits[:-1]):
            steps += [Run(after), Exit(index), Answer(index, When("confidence", self.threshold))]
        last = len(self.shape.exits) - 1
        return (*steps, Run(self.shape.num_blocks), Exit(last), Answer(last))


class AnswerAtEach(OnImage):
    """The server answers at every exit and goes on."""

    def on_server(self, request: RequestView, view: View) -> Sequence[Step]:
        steps: list[Step] = []
        for index, after in enumerate(self.shape.exits):
            steps += [Run(after), Exit(index), Answer(index)]
        return steps


class DropOut(OnImage):
    """Gives every other request up."""

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        from edgesim.policies.steps import Stop

        self.count = getattr(self, "count", 0) + 1
        return (Stop("not wanted"),) if self.count % 2 else super().on_device(request, view)


class SeesRate(OnImage):
    """Sends the image; remembers what it could see at every decision."""

    def __init__(self, models: Sequence[str]) -> None:
        super().__init__(models)
        self.seen: list[tuple[float, float]] = []

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        self.seen.append((view.now_s, view.rate_bps))
        return super().on_device(request, view)
