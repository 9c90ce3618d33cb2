"""A cut and a codec drawn for each request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgesim.outcomes.path import Path
from edgesim.policies.arms import cuts_and_codecs
from edgesim.policies.base import Facts, ModelShape, RequestView, View
from edgesim.policies.completing import Completing
from edgesim.policies.plans import send_at, to_the_end
from edgesim.policies.steps import Step

DRAWS = 256


class RandomCut(Completing):
    """Draws uniformly a cut, then uniformly a codec that fits it.

    cuts: to draw from; every cut that a codec fits, and sending nothing, if None.
    """

    def __init__(
        self, models: Sequence[str], codecs: Sequence[str] = ("png", "int8"), cuts: Sequence[int] | None = None
    ) -> None:
        super().__init__(models)
        self._codecs, self._only = codecs, cuts
        self._drawn: list[float] = []

    def _pairs(self, model: ModelShape) -> list[tuple[int, str]]:
        """(cut, codec), the last cut with no codec."""
        pairs = [*cuts_and_codecs(model, self._codecs), (model.num_blocks, "")]
        return [(cut, codec) for cut, codec in pairs if self._only is None or cut in self._only]

    def paths(self, model: ModelShape) -> Iterable[Path]:
        sent = [(cut, codec) for cut, codec in self._pairs(model) if codec]
        senders = {True: self.server_model, False: self.start_model}
        return [((cut, codec),) for cut, codec in sent if senders[cut == 0] == model.name]

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        shape = facts.models[self.start_model].shape
        plans: dict[int, list[Sequence[Step]]] = {}
        for cut, codec in self._pairs(shape):
            plan = send_at(shape, cut, codec, facts.server, self.server_model) if codec else to_the_end(shape)
            plans.setdefault(cut, []).append(plan)
        self._plans = list(plans.values())

    def device_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        plans = self._plans[int(self._draw() * len(self._plans))]
        return plans[int(self._draw() * len(plans))]

    def _draw(self) -> float:
        if not self._drawn:
            self._drawn = self.facts.rng.random(DRAWS).tolist()
        return self._drawn.pop()
