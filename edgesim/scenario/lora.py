"""LoRa on a link."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edgesim.scenario.spec import Spec


class Lora(Spec):
    """Messages leave in frames that take their time on air, with silence between them."""

    spreading_factor: Annotated[int, Field(ge=7, le=12)] = Field(
        description="7 (fastest) to 12 (farthest); it says how long a frame takes at 125 kHz, and how much it holds."
    )
    duty_cycle: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.01, description="Share of the time that each direction may be on the air; 0.01 in Europe."
    )
