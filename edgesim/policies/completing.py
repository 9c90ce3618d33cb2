"""Policies that decide on the device alone: a server runs what is left and answers with the last exit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence

from edgesim.outcomes.path import Path
from edgesim.policies.base import Facts, ModelShape, Policy, RequestView, View
from edgesim.policies.plans import to_exit, to_the_end
from edgesim.policies.steps import Answer, Exit, Run, Score, Send, Step, When


class Completing(Policy):
    """Subclasses give ``device_steps``."""

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        self._to_the_end = {name: to_the_end(model.shape) for name, model in facts.models.items()}

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        return self.device_steps(request, view) if self.facts.is_device else self._to_the_end[request.model]

    @abstractmethod
    def device_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        """The steps of a request that starts on the device."""


class DeviceOnly(Completing):
    """Everything on the device, up to ``exit`` (None: the last)."""

    def __init__(self, models: Sequence[str], exit: int | None = None) -> None:
        super().__init__(models)
        self._exit = exit

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        shape = facts.models[self.start_model].shape
        self._plan = to_the_end(shape) if self._exit is None else to_exit(shape, self._exit)

    def device_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        return self._plan


class ExitsThenImage(Completing):
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
        shape = facts.models[self.start_model].shape
        steps: list[Step] = []
        for index in range(len(shape.exits) - 1) if self._exits is None else self._exits:
            steps += [Run(shape.exits[index]), Exit(index)]
            if self._when is not None:
                steps.append(Answer(index, self._when))
            steps.append(Answer(index))
        self._plan = (*steps, Send(facts.server, self._codec, "image", self.server_model))

    def device_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        return self._plan
