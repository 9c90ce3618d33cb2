"""Policies with one cut, which differ in what they do on either side of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence

from edgesim.outcomes.path import Path
from edgesim.policies.base import Facts, ModelShape
from edgesim.policies.plans import answer_at_each, leave_when_sure, path_of, send_at, to_the_end
from edgesim.policies.same_plan import SamePlan
from edgesim.policies.steps import Score, Step, When


class AtCut(SamePlan):
    """Sends what crosses at ``cut``; subclasses say what is done within the blocks before and behind it.

    cut: 0 sends the image (to the server's model), None or the number of blocks sends nothing.
    """

    def __init__(self, models: Sequence[str], cut: int | None, codec: str) -> None:
        super().__init__(models)
        self._cut, self._codec = cut, codec
        self._sender = self.server_model if cut == 0 else self.start_model

    def paths(self, model: ModelShape) -> Iterable[Path]:
        if self._cut is None or model.name != self._sender:
            return ()
        return path_of(self._cut, self._codec, model.num_blocks)

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        shape = facts.models[self._sender].shape
        blocks = shape.num_blocks
        cut = blocks if self._cut is None else self._cut
        if not facts.is_device:
            self.plan = self.within(shape, cut, blocks)
        elif cut == blocks:
            self.plan = self.within(shape, 0, blocks)
        else:
            send = send_at(shape, cut, self._codec, facts.server, self.server_model)
            self.plan = (*self.within(shape, 0, cut), *send)

    @abstractmethod
    def within(self, shape: ModelShape, start: int, stop: int) -> tuple[Step, ...]:
        """What to do while blocks ``start`` .. ``stop`` - 1 are run."""


class FixedCut(AtCut):
    """Always the same cut and codec, and the last exit."""

    def __init__(self, models: Sequence[str], cut: int, codec: str) -> None:
        super().__init__(models, cut, codec)

    def within(self, shape: ModelShape, start: int, stop: int) -> tuple[Step, ...]:
        return to_the_end(shape) if stop == shape.num_blocks else ()


class ServerOnly(FixedCut):
    """The image to the server, everything there."""

    def __init__(self, models: Sequence[str], codec: str = "png") -> None:
        super().__init__(models, 0, codec)


class Anytime(AtCut):
    """Answers at every exit; the device keeps the deepest that came in time (Bakhtiarnia et al., BMVC 2021)."""

    def __init__(self, models: Sequence[str], cut: int | None = None, codec: str = "int8") -> None:
        super().__init__(models, cut, codec)

    def within(self, shape: ModelShape, start: int, stop: int) -> tuple[Step, ...]:
        return answer_at_each(shape, start, stop)


class Thresholds(AtCut):
    """Leaves at the first exit that is sure enough (BranchyNet: Teerapittayanon et al., ICPR 2016).

    Sure is a confidence or margin of at least the threshold, or an entropy (nats) below it.  threshold: one for all
    exits but the last, or one for each of them; the last exit always answers.
    """

    def __init__(
        self,
        models: Sequence[str],
        threshold: float | Sequence[float],
        score: Score = "confidence",
        cut: int | None = None,
        codec: str = "int8",
    ) -> None:
        super().__init__(models, cut, codec)
        self._threshold, self._score = threshold, score

    def within(self, shape: ModelShape, start: int, stop: int) -> tuple[Step, ...]:
        given, count = self._threshold, len(shape.exits) - 1
        thresholds = [given] * count if isinstance(given, int | float) else given
        return leave_when_sure(shape, start, stop, [When(self._score, threshold) for threshold in thresholds])
