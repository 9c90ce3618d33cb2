"""Variability as a knob of any rate."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from edgesim.scenario.spec import NotNegative, Positive, Spec


class Warp(Spec):
    """The same rate, more or less variable, with the same mean over each device's own run."""

    cv: NotNegative | None = Field(
        default=None, description="Coefficient of variation that each path has, outages included."
    )
    cv_factor: NotNegative | None = Field(
        default=None, description="In place of cv: how many times that of the path as it was."
    )
    correlation_factor: Positive | None = Field(
        default=None, description="Everything lasts this many times as long: correlation, and outages of its own."
    )
    outage_share: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None, description="Share of the time without any rate, 0 to below 1, in place of what there was."
    )
    outage_mean_s: Positive | None = Field(
        default=None, description="Mean length of an outage, s; goes with an outage_share above 0."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Warp:
        if self.cv is not None and self.cv_factor is not None:
            raise ValueError("found cv and cv_factor, allowed: one of them")
        if (self.outage_mean_s is None) == bool(self.outage_share):
            raise ValueError("found one of outage_share (above 0) and outage_mean_s, allowed: both or neither")
        if all(value is None for _, value in self):
            raise ValueError("found nothing to change; allowed: cv, cv_factor, correlation_factor, outage_share")
        return self


class RateSpec(Spec):
    """What every rate may have beside keys of its own."""

    warp: Warp | None = Field(default=None, description="More or less variability at the same mean; none: as it is.")
