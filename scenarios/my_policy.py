"""A policy of one's own: a first answer here, then the image to the server if its answer can be back in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from edgesim.network.headers import wire_bytes
from edgesim.outcomes.path import Path
from edgesim.policies.base import Facts, ModelShape, Needs, Policy, RequestView, View
from edgesim.policies.steps import Answer, Exit, Run, Send, Step, When


class SecondOpinion(Policy):
    """The first exit answers.  Where it is not sure, the server is asked if time allows, else the device goes on.

    sure: confidence at which the first answer ends the request.  margin: how much longer than expected the server's
    answer may take.
    """

    needs: ClassVar[Needs] = Needs(deadline="exact", confidence=True)

    def __init__(self, models: Sequence[str], sure: float = 0.9, margin: float = 1.2, codec: str = "png") -> None:
        super().__init__(models)
        self.sure, self.margin, self.codec = sure, margin, codec

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return [((0, self.codec),)] if model.name == self.server_model else []

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        shape = facts.models[self.start_model if facts.is_device else self.server_model].shape
        last = len(shape.exits) - 1
        self.to_the_end = [Run(shape.num_blocks), Exit(last), Answer(last)]
        if not facts.is_device:
            return
        self.first = [Run(shape.exits[0]), Exit(0), Answer(0, When("confidence", self.sure))]
        self.ask = Send(facts.server, self.codec, payload="image", model=self.server_model)
        remote = facts.models[self.server_model]
        server, blocks = remote.server_costs[facts.server], remote.shape.num_blocks
        self.bits = 8 * wire_bytes(round(remote.payload_bytes[((0, self.codec),)]), facts.headers)
        self.rest_s = (
            remote.device_costs.mean_encode_s(self.codec, 0)
            + 2 * facts.delay_s
            + server.mean_decode_s(self.codec, 0)
            + server.mean_preprocess_s
            + server.mean_piece_s(0, blocks)
            + server.mean_branch_s(len(remote.shape.exits) - 1)
        )

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        if not self.facts.is_device:
            return self.to_the_end
        if request.blocks_done == 0:
            return self.first
        assert request.time_left_s is not None
        transfer_s = (self.bits + 8 * view.queued_bytes) / view.rate_bps
        expected_s = transfer_s + view.server_wait_s(self.facts.server) + self.rest_s
        first_answer = Answer(0)
        if self.margin * expected_s <= request.time_left_s:
            return [first_answer, self.ask]
        return [first_answer, *self.to_the_end]
