"""Policies that know what nobody can know: bounds to compare with, marked as oracles everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, NamedTuple

from edgesim.outcomes.path import Path
from edgesim.policies.arms import Arm, all_arms, arm_paths, device_steps, server_steps
from edgesim.policies.base import Facts, ModelShape, Needs, Policy, RequestView, View
from edgesim.policies.plans import to_exit
from edgesim.policies.steps import Step
from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S


class Choice(NamedTuple):
    """An arm, and what it means for the device and for the server."""

    arm: Arm
    device_steps: Sequence[Step]
    server_steps: Sequence[Step]


class Oracle(Policy):
    """Takes the first of the arms (every local exit; every path with every remote exit) that really finishes in time.

    The paths are those of ``codecs``, and those that another policy of the scenario declares for the same models.
    Subclasses say in which order the arms are looked at, and which count.  Where none will do, the first local exit
    (on a server: the first exit) is taken.
    """

    needs: ClassVar[Needs] = Needs(deadline="exact", truth=True)

    def __init__(self, models: Sequence[str], codecs: Sequence[str] = ("png", "int8")) -> None:
        super().__init__(models)
        self._codecs = codecs
        self._on_server: dict[tuple[str, Path], list[Choice]] = {}

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return arm_paths(model, self._codecs, self.start_model, self.server_model)

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        self._shapes = {name: model.shape for name, model in facts.models.items()}
        if facts.is_device:
            declared = {name: model.payload_bytes for name, model in facts.models.items()}
            arms = all_arms(self._shapes, declared, self.start_model, self.server_model)
            self._cheapest = self._choice(arms[0])
            self._choices = self.in_order([self._choice(arm) for arm in arms])

    def _choice(self, arm: Arm) -> Choice:
        here = device_steps(arm, self._shapes, self.facts.server, self.start_model)
        return Choice(arm, here, server_steps(arm, self._shapes))

    def in_order(self, choices: list[Choice]) -> list[Choice]:
        """The arms in the order of preference."""
        return choices

    def worthy(self, choices: list[Choice], view: View) -> Iterable[Choice]:
        """The arms that are worth taking for this request, in the order in which they are tried."""
        return choices

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        assert request.time_left_s is not None
        deadline_s = view.now_s + request.time_left_s + ON_TIME_TOLERANCE_S
        choices, cheapest = self._open(request)
        for _, here, there in self.worthy(choices, view):
            if view.truth.finish_s(here, there) <= deadline_s:
                return here or there
        return cheapest.device_steps or cheapest.server_steps

    def _open(self, request: RequestView) -> tuple[list[Choice], Choice]:
        """The arms that are open at this node, in order of preference, and the cheapest of them."""
        if self.facts.is_device:
            return self._choices, self._cheapest
        key = (request.model, request.path)
        if key not in self._on_server:
            shape, done = self._shapes[request.model], request.blocks_done
            exits = [index for index, after in enumerate(shape.exits) if after >= done]
            self._on_server[key] = [Choice(Arm(*key, index), (), to_exit(shape, index)) for index in exits]
        choices = self._on_server[key]
        return self.in_order(choices), choices[0]


class LinkOracle(Oracle):
    """Knows the true future rate, the server's queue and the costs, not the label.

    Prefers the arms that are most often right on validation images, in regression those with the least mean error.  It
    does not know what others will send.
    """

    needs: ClassVar[Needs] = Needs(deadline="exact", statistics=True, truth=True)

    def in_order(self, choices: list[Choice]) -> list[Choice]:
        return sorted(choices, key=self._loss)

    def _loss(self, choice: Choice) -> float:
        arm = choice.arm
        known = self.facts.models[arm.model]
        return known.error[arm.path, arm.exit] if known.error else -known.accuracy[arm.path, arm.exit]


class Clairvoyant(Oracle):
    """Knows the label as well: takes the first arm that is right and in time, local exits before remote ones.

    In regression: the arm in time whose error is least.  A bound on on-time accuracy (or on the error of what is
    answered in time) for the declared paths where requests never meet.  With shared queues what is best for one
    request can hurt the next, and no such claim is made.
    """

    def worthy(self, choices: list[Choice], view: View) -> Iterator[Choice]:
        truth, known = view.truth, self.facts.models[self.start_model]
        if known.error:
            return iter(sorted(choices, key=lambda each: truth.error(each.arm.model, each.arm.path, each.arm.exit)))
        return (each for each in choices if truth.correct(each.arm.model, each.arm.path, each.arm.exit))
