"""How long after its arrival a request's answer is still of use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from edgesim.scenario.spec import NotNegative, Positive, Spec, above_low

Knowledge = Literal["exact", "distribution", "none"]
KNOWN = "What policies know of the deadline: exact (its value), distribution (how it is drawn) or none."


class FixedDeadline(Spec):
    """The same for every request."""

    distribution: Literal["fixed"] = Field(description="The same deadline for every request.")
    ms: Positive = Field(description="Deadline after the arrival, ms.")
    known: Knowledge = Field(default="exact", description=KNOWN)


class UniformDeadline(Spec):
    """Drawn uniformly for each request."""

    distribution: Literal["uniform"] = Field(description="Drawn uniformly for each request.")
    low_ms: NotNegative = Field(description="Least deadline after the arrival, ms.")
    high_ms: Positive = Field(description="Greatest deadline after the arrival, ms; above low_ms.")
    known: Knowledge = Field(default="exact", description=KNOWN)

    _above_low = field_validator("high_ms")(above_low)


class ExponentialDeadline(Spec):
    """Drawn exponentially for each request."""

    distribution: Literal["exponential"] = Field(description="Drawn exponentially for each request.")
    mean_ms: Positive = Field(description="Mean deadline after the arrival, ms.")
    known: Knowledge = Field(default="exact", description=KNOWN)


Deadline = Annotated[FixedDeadline | UniformDeadline | ExponentialDeadline, Field(discriminator="distribution")]
