"""How a policy estimates the rate of its uplink from past transfers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edgesim.scenario.spec import Count, Spec


class LastEstimator(Spec):
    """The last sample."""

    type: Literal["last"] = Field(description="The rate of the last transfer.")


class EwmaEstimator(Spec):
    """Exponentially weighted mean."""

    type: Literal["ewma"] = Field(description="Exponentially weighted mean of the transfers' rates.")
    alpha: Annotated[float, Field(gt=0, le=1)] = Field(default=0.3, description="Weight of the newest rate, 0 to 1.")


class HarmonicEstimator(Spec):
    """Harmonic mean of the last samples."""

    type: Literal["harmonic"] = Field(description="Harmonic mean of the last transfers' rates.")
    window: Count = Field(default=5, description="Number of transfers in the mean.")


Estimator = Annotated[LastEstimator | EwmaEstimator | HarmonicEstimator, Field(discriminator="type")]
