"""Batteries of devices, and what fills them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from edgesim.scenario.files import InputFile
from edgesim.scenario.spec import NotNegative, Positive, Share, Spec, earlier

Efficiency = Annotated[float, Field(gt=0, le=1)]


class ConstantHarvest(Spec):
    """Always the same power."""

    process: Literal["constant"] = Field(description="Always the same power.")
    power_w: NotNegative = Field(description="Power, W.")
    efficiency: Efficiency = Field(default=1.0, description="Share of it that the battery stores, above 0 to 1.")


class TraceHarvest(Spec):
    """Power from a file, over and over again."""

    process: Literal["trace"] = Field(description="Power from a file, over and over again.")
    file: InputFile = Field(description="Path of a CSV file with the columns time_s and power_w.")
    scale: Positive = Field(default=1.0, description="Every power times this.")
    offset: Literal["random", "none"] = Field(
        default="random", description="Where a device starts in the file: at random (by device and seed), or none."
    )
    efficiency: Efficiency = Field(default=1.0, description="Share of it that the battery stores, above 0 to 1.")


class Battery(Spec):
    """What a device runs on; at the cut-off it stops, and drops what it holds."""

    capacity_j: Positive = Field(description="Energy when full, J (1 mWh is 3.6 J).")
    initial_share: Share = Field(default=1.0, description="Share of the capacity at the start; more than the cut-off.")
    cut_off_share: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0,
        validate_default=True,
        description="Share of the capacity at which the device stops, 0 to below 1.",
    )
    restart_share: Share = Field(
        default=0.1,
        validate_default=True,
        description="Share of the capacity at which a device that has stopped starts again.",
    )
    harvest: Annotated[ConstantHarvest | TraceHarvest, Field(discriminator="process")] | None = Field(
        default=None, description="What fills the battery; none: nothing does."
    )

    @field_validator("cut_off_share")
    @classmethod
    def _below_the_start(cls, cut_off_share: float, info: ValidationInfo) -> float:
        initial_share = earlier(info, "initial_share")
        if initial_share is not None and cut_off_share >= initial_share:
            raise ValueError(f"found {cut_off_share:g}, allowed: less than initial_share ({initial_share:g})")
        return cut_off_share

    @field_validator("restart_share")
    @classmethod
    def _above_the_cut_off(cls, restart_share: float, info: ValidationInfo) -> float:
        cut_off_share = earlier(info, "cut_off_share")
        if cut_off_share is not None and restart_share <= cut_off_share:
            raise ValueError(f"found {restart_share:g}, allowed: more than cut_off_share ({cut_off_share:g})")
        return restart_share
