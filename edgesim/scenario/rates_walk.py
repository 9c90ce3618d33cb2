"""A rate that wanders between two bounds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from edgesim.scenario.spec import NotNegative, Positive, earlier
from edgesim.scenario.warp import RateSpec


class RandomWalkRate(RateSpec):
    """A random walk, reflected at two bounds."""

    process: Literal["random_walk"] = Field(description="A random walk, reflected at two bounds.")
    low_mbps: NotNegative = Field(default=0.0, description="Lower bound, Mb/s.")
    high_mbps: Positive = Field(description="Upper bound, Mb/s.")
    change_mbps: Positive = Field(description="Standard deviation of the change in 1 s, far from the bounds, Mb/s.")
    step_ms: Positive = Field(default=100.0, description="The rate changes once in this time, ms.")

    @field_validator("high_mbps")
    @classmethod
    def _above(cls, high_mbps: float, info: ValidationInfo) -> float:
        low_mbps = earlier(info, "low_mbps")
        if low_mbps is not None and high_mbps <= low_mbps:
            raise ValueError(f"found {high_mbps:g}, allowed: more than low_mbps ({low_mbps:g})")
        return high_mbps
