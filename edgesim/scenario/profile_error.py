"""How far what policies believe of costs is from what things cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edgesim.scenario.spec import Spec


class ProfileError(Spec):
    """Policies are told costs that are off; everything still takes what was measured."""

    spread: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="Each mean cost that a policy is told is off by up to this share, drawn evenly: 0.2 is +-20 %."
    )
    seed: Annotated[int, Field(ge=0)] = Field(
        default=1, description="Where these draws begin; they are the same in every replication."
    )
