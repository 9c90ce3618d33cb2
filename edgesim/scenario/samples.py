"""Which images a device's requests show."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edgesim.scenario.spec import Spec


class Samples(Spec):
    """Images are drawn with replacement, each as often as any other; consecutive ones may be alike in difficulty."""

    correlation: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0,
        description="Correlation of a request's rank in difficulty with that of the device's request before it, 0 to "
        "below 1; 0: independent.",
    )
