"""One arm for every request: what the static best is, once it has been found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edgesim.outcomes.path import Path
from edgesim.policies.arms import Arm, device_steps, server_steps
from edgesim.policies.base import Facts, ModelShape
from edgesim.policies.same_plan import SamePlan


@dataclass(frozen=True, slots=True)
class ArmSpec:
    """Stands where a scenario's policy would; ``type`` names whose decision times are charged."""

    arm: Arm
    type: str = "fixed_cut"


class FixedArm(SamePlan):
    """Always the same local exit, or the same cut, codec and remote exit."""

    def __init__(self, models: Sequence[str], arm: Arm) -> None:
        super().__init__(models)
        self._arm = arm

    def paths(self, model: ModelShape) -> Iterable[Path]:
        return (self._arm.path,) if self._arm.path and model.name == self._arm.model else ()

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        shapes = {name: model.shape for name, model in facts.models.items()}
        if facts.is_device:
            self.plan = tuple(device_steps(self._arm, shapes, facts.server, self.start_model))
        else:
            self.plan = tuple(server_steps(self._arm, shapes))
