"""Policies that the tests of the engine drive it with, named ``little_policies:CLASS`` in their scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from edgesim.outcomes.path import Path
from edgesim.policies.at_cut import FixedCut
from edgesim.policies.base import Facts, ModelShape, Needs, Policy, RequestView, View
from edgesim.policies.same_plan import SamePlan
from edgesim.policies.steps import Answer, Cancel, Exit, Run, Send, Step, Stop, Wait, When


class OnImage(Policy):
    """Sends the image as ``raw`` to the server's model, which answers at the end; subclasses change the plans."""

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return (((0, "raw"),),) if model.name == self.server_model else ()

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        self.shape = self.facts.models[request.model].shape
        return self.on_device(request, view) if self.facts.is_device else self.on_server(request, view)

    @property
    def image(self) -> Send:
        return Send(self.facts.server, "raw", "image", self.server_model)

    def each_exit(self) -> tuple[Step, ...]:
        """Answers at every exit."""
        return tuple(
            step for index, after in enumerate(self.shape.exits) for step in (Run(after), Exit(index), Answer(index))
        )

    def to_the_end(self) -> tuple[Step, ...]:
        last = len(self.shape.exits) - 1
        return (Run(self.shape.num_blocks), Exit(last), Answer(last))

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        return (self.image,)

    def on_server(self, request: RequestView, view: View) -> Sequence[Step]:
        return self.to_the_end()


class Hedge(OnImage):
    """Sends the image, and answers from every exit at home meanwhile."""

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        return (self.image, *self.each_exit())


class HedgeThenCancel(OnImage):
    """Sends the image, runs everything at home, and calls the server's work off."""

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        return (self.image, *self.to_the_end(), Cancel(self.facts.server))


class SendWaitAnswer(OnImage):
    """Sends the image, gives the processor back for 50 ms, then answers at home."""

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        if request.age_s < 0.05:
            return (self.image, Wait(view.now_s + 0.05))
        return (Run(self.shape.exits[0]), Exit(0), Answer(0))


class BlockByBlock(OnImage):
    """One block a plan on the server, which is asked again after each."""

    def on_server(self, request: RequestView, view: View) -> Sequence[Step]:
        after = request.blocks_done + 1
        return (Run(after),) if after < self.shape.num_blocks else self.to_the_end()


class LeaveOnServer(OnImage):
    """The server leaves at the first exit that is at least ``threshold`` sure."""

    def __init__(self, models: Sequence[str], threshold: float) -> None:
        super().__init__(models)
        self.threshold = threshold

    def on_server(self, request: RequestView, view: View) -> Sequence[Step]:
        steps: list[Step] = []
        for index, after in enumerate(self.shape.exits[:-1]):
            steps += [Run(after), Exit(index), Answer(index, When("confidence", self.threshold))]
        return (*steps, *self.to_the_end())


class AnswerAtEach(OnImage):
    """The server answers at every exit and goes on."""

    def on_server(self, request: RequestView, view: View) -> Sequence[Step]:
        return self.each_exit()


class GiveEveryOtherUp(OnImage):
    """Stops every other request on the device."""

    def __init__(self, models: Sequence[str]) -> None:
        super().__init__(models)
        self.count = 0

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        self.count += 1
        return (Stop("not wanted"),) if self.count % 2 else super().on_device(request, view)


class LocalAnew(OnImage):
    """Answers at home, and is asked for each request."""

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        return self.to_the_end()


class Watching(OnImage):
    """Sends the image; ``seen`` holds what it could see at each decision."""

    def __init__(self, models: Sequence[str]) -> None:
        super().__init__(models)
        self.seen: list[tuple[float, float]] = []

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        self.seen.append((view.now_s, view.rate_bps))
        return super().on_device(request, view)


class Telling(OnImage):
    """Knows the deadline, and tells its server instance something of two bytes with each request."""

    needs: ClassVar[Needs] = Needs(deadline="exact", carried_bytes=2)


class Carrying(FixedCut):
    """A fixed cut that tells its server something."""

    needs: ClassVar[Needs] = Needs(carried_bytes=400)


class SendThenCancel(SamePlan):
    """As ``HedgeThenCancel``, and says so beforehand."""

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return (((0, "raw"),),)

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        shape = facts.models[self.start_model].shape
        last = len(shape.exits) - 1
        here = (Run(shape.num_blocks), Exit(last), Answer(last))
        self.plan = (Send(facts.server, "raw", "image"), *here, Cancel(facts.server)) if facts.is_device else here


class SendToBoth(SamePlan):
    """The image to two servers, ``edge`` and ``other``; the device answers as well."""

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return (((0, "raw"),),)

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        shape = facts.models[self.start_model].shape
        last = len(shape.exits) - 1
        here = (Run(shape.num_blocks), Exit(last), Answer(last))
        sends = tuple(Send(name, "raw", "image") for name in ("edge", "other"))
        self.plan = (*sends, *here) if facts.is_device else here


class Hearing(OnImage):
    """Sends everything, and writes down (time, age of its server's report)."""

    heard: ClassVar[list[tuple[float, float]]] = []

    def on_device(self, request: RequestView, view: View) -> Sequence[Step]:
        self.heard.append((view.now_s, view.report_age_s(self.facts.server)))
        return (self.image,)
