"""How fast a node computes, next to the machine that was profiled."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from edgesim.scenario.loads import Load
from edgesim.scenario.spec import Positive, Spec, earlier


class Processor(Spec):
    """A preset, a factor, or neither: the machine that was profiled, as it is."""

    preset: str | None = Field(
        default=None, min_length=1, description="Name of a device preset (edgesim devices lists them)."
    )
    factor: Positive | None = Field(
        default=None, description="Every measured time times this: 2 is half as fast as the profiled machine."
    )
    load: Load | None = Field(default=None, description="What else runs there and takes speed; none: nothing.")

    @field_validator("factor")
    @classmethod
    def _one_of_them(cls, factor: float | None, info: ValidationInfo) -> float | None:
        if factor is not None and earlier(info, "preset") is not None:
            raise ValueError("found a factor beside a preset, allowed: one of them")
        return factor
