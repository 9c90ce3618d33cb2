"""Parts of one model on the device and on several servers in turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgesim.outcomes.path import Path
from edgesim.policies.base import Facts, ModelShape, Policy, RequestView, View
from edgesim.policies.plans import leave_when_sure, to_the_end
from edgesim.policies.steps import Run, Score, Send, Step, When


class Tiers(Policy):
    """Every node runs its part and sends on what no exit of it was sure about (DDNN: Teerapittayanon et al., ICDCS
    2017).

    cuts: blocks run before each hand-over.  servers: who takes over at each of them.  threshold: None for no early
    exits; the last exit always answers.
    """

    def __init__(
        self,
        models: Sequence[str],
        cuts: Sequence[int],
        servers: Sequence[str],
        codec: str = "int8",
        image_codec: str = "png",
        score: Score = "confidence",
        threshold: float | None = None,
    ) -> None:
        super().__init__(models)
        self._cuts, self._servers = tuple(cuts), tuple(servers)
        self._codecs = [image_codec if cut == 0 else codec for cut in cuts]
        self._when = None if threshold is None else When(score, threshold)

    def paths(self, model: ModelShape) -> Iterable[Path]:
        if model.name != self.start_model:
            return ()
        hops = tuple(zip(self._cuts, self._codecs, strict=True))
        return [hops[:count] for count in range(1, len(hops) + 1)]

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        shape = facts.models[self.start_model].shape
        self._plan: tuple[Step, ...] = ()
        if facts.is_device:
            self._plan = self._steps(shape, 0)
        elif facts.server in self._servers:
            self._plan = self._steps(shape, self._servers.index(facts.server) + 1)

    def _steps(self, shape: ModelShape, tier: int) -> tuple[Step, ...]:
        start = self._cuts[tier - 1] if tier else 0
        if tier == len(self._cuts):
            return self._exits(shape, start, shape.num_blocks) or to_the_end(shape)
        cut = self._cuts[tier]
        exits = self._exits(shape, start, cut)
        if cut == 0:
            return (*exits, Send(self._servers[tier], self._codecs[tier], "image"))
        return (*exits, Run(cut), Send(self._servers[tier], self._codecs[tier]))

    def _exits(self, shape: ModelShape, start: int, stop: int) -> tuple[Step, ...]:
        if self._when is None:
            return ()
        return leave_when_sure(shape, start, stop, [self._when] * (len(shape.exits) - 1))

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        return self._plan
