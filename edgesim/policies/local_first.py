"""Policies that let the device answer, alone or before the server does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgesim.outcomes.path import Path
from edgesim.policies.base import Facts, ModelShape
from edgesim.policies.plans import to_exit, to_the_end
from edgesim.policies.same_plan import SamePlan
from edgesim.policies.steps import Answer, Exit, Run, Score, Send, Step, When


class DeviceOnly(SamePlan):
    """Everything on the device, up to ``exit`` (None: the last)."""

    def __init__(self, models: Sequence[str], exit: int | None = None) -> None:
        super().__init__(models)
        self._exit = exit

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        shape = facts.models[self.start_model].shape
        self.plan = to_the_end(shape) if self._exit is None else to_exit(shape, self._exit)


class ExitsThenImage(SamePlan):
    """Answers from local exits first, then the image to the server, which starts anew.

    exits: those that the device runs; all but the last if None.  score, threshold: where an exit is that sure, its
    answer ends the request; otherwise, and without a threshold, local answers stand until the server's comes.
    """

    def __init__(
        self,
        models: Sequence[str],
        exits: Sequence[int] | None = None,
        score: Score | None = None,
        threshold: float | None = None,
        codec: str = "png",
    ) -> None:
        super().__init__(models)
        self._exits, self._codec = exits, codec
        self._when = None if score is None or threshold is None else When(score, threshold)

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return (((0, self._codec),),) if model.name == self.server_model else ()

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        if not facts.is_device:
            self.plan = to_the_end(facts.models[self.server_model].shape)
            return
        shape = facts.models[self.start_model].shape
        steps: list[Step] = []
        for index in range(len(shape.exits) - 1) if self._exits is None else self._exits:
            steps += [Run(shape.exits[index]), Exit(index)]
            if self._when is not None:
                steps.append(Answer(index, self._when))
            steps.append(Answer(index))
        self.plan = (*steps, Send(facts.server, self._codec, "image", self.server_model))
