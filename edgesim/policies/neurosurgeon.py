"""The best cut for the rate that the device expects (Neurosurgeon: Kang et al., ASPLOS 2017)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from edgesim.network.headers import wire_bytes
from edgesim.outcomes.path import Path
from edgesim.policies.base import Facts, ModelFacts, ModelShape, RequestView, View
from edgesim.policies.completing import Completing
from edgesim.policies.plans import send_at, to_the_end
from edgesim.policies.steps import Step


class Neurosurgeon(Completing):
    """One cut for each request: the argmin over k of the latency, or of the device's energy, at the estimated rate R.

    Latency: T(k) = device blocks + encoding + 8 D_k / R + propagation + queue wait + decoding + server blocks +
    result, for k < L; T(L) = all blocks here.  D_k is the mean payload on validation images with its headers.  The
    wait is what the server last reported, and what the uplink already holds goes before.  Energy: above idle, of
    computing, encoding and sending; a tail that the radio may have after it is left out, as in the paper.  No exits but
    the last.

    T(k) is a line in 1/R for each k < L, so the best of them is on the lower envelope, found by bisection; waits move
    all of them alike and only matter against T(L).
    """

    def __init__(
        self,
        models: Sequence[str],
        objective: Literal["latency", "energy"] = "latency",
        codec: str = "int8",
        image_codec: str = "png",
        estimator: Any = None,
    ) -> None:
        super().__init__(models)
        self._objective, self._codec, self._image_codec = objective, codec, image_codec
        self.estimator = estimator

    def _codec_at(self, cut: int) -> str:
        return self._codec if cut else self._image_codec

    def paths(self, model: ModelShape) -> Iterable[Path]:
        cuts: list[int] = [0] if model.name == self.server_model else []
        if model.name == self.start_model:
            cuts += range(1, model.num_blocks)
        return [((cut, self._codec_at(cut)),) for cut in cuts]

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        if not facts.is_device:
            return
        shape = facts.models[self.start_model].shape
        self._plans = [self._plan(shape, cut) for cut in range(shape.num_blocks + 1)]
        lines = [self._line(cut) for cut in range(shape.num_blocks)]
        self._envelope, self._turns = lower_envelope(lines)
        self._lines = lines
        self._local = self._local_cost(facts.models[self.start_model])
        self._in_time = self._objective == "latency"

    def _plan(self, shape: ModelShape, cut: int) -> Sequence[Step]:
        if cut == shape.num_blocks:
            return to_the_end(shape)
        return send_at(shape, cut, self._codec_at(cut), self.facts.server, self.server_model)

    def _local_cost(self, model: ModelFacts) -> float:
        costs, shape = model.device_costs, model.shape
        seconds = costs.mean_preprocess_s + costs.mean_piece_s(0, shape.num_blocks)
        seconds += costs.mean_branch_s(len(shape.exits) - 1)
        return seconds if self._objective == "latency" else seconds * self.facts.compute_w

    def _line(self, cut: int) -> tuple[float, float]:
        """(intercept, slope): the cost of cutting there is intercept + slope / R, waits apart."""
        facts, codec = self.facts, self._codec_at(cut)
        model = facts.models[self.start_model if cut else self.server_model]
        device, server, shape = model.device_costs, model.server_costs[facts.server], model.shape
        front_s = device.mean_encode_s(codec, cut)
        if cut:
            front_s += device.mean_preprocess_s + device.mean_piece_s(0, cut)
        size = wire_bytes(round(model.payload_bytes[((cut, codec),)]), facts.headers)
        bits = 8 * size
        if self._objective == "energy":
            return facts.compute_w * front_s + facts.send.energy_j(size, 0.0), facts.send.base_w * bits
        back_s = server.mean_decode_s(codec, cut) + server.mean_piece_s(cut, shape.num_blocks)
        back_s += server.mean_branch_s(len(shape.exits) - 1)
        if not cut:
            back_s += server.mean_preprocess_s
        result_s = 8 * wire_bytes(facts.result_bytes[facts.server], facts.headers) / facts.prior_rate_bps
        return front_s + 2 * facts.delay_s + back_s + result_s, bits

    def device_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        per_bps = 1 / view.rate_bps
        cut = self._envelope[bisect_right(self._turns, per_bps)]
        intercept, slope = self._lines[cut]
        cost = intercept + slope * per_bps
        if self._in_time:
            cost += 8 * view.queued_bytes * per_bps + view.server_wait_s(self.facts.server)
        return self._plans[cut if cost < self._local else -1]


def lower_envelope(lines: Sequence[tuple[float, float]]) -> tuple[list[int], list[float]]:
    """The lines (intercept, slope) that are lowest somewhere at x >= 0, from left to right, and where they take turns.

    Ties go to the line with the lower number.

    >>> lower_envelope([(0.0, 4.0), (1.0, 1.0), (3.0, 0.5)])
    ([0, 1, 2], [0.3333333333333333, 4.0])
    """
    best = min(range(len(lines)), key=lambda number: lines[number])
    chosen: list[int] = [best]
    turns: list[float] = []
    while True:
        intercept, slope = lines[chosen[-1]]
        following = [
            ((other - intercept) / (slope - steepness), steepness, number)
            for number, (other, steepness) in enumerate(lines)
            if steepness < slope
        ]
        if not following:
            return chosen, turns
        x, _, number = min(following)
        turns.append(x)
        chosen.append(number)
