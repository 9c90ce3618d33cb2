"""When requests arrive at a device."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from edgesim.scenario.files import InputFile
from edgesim.scenario.spec import NotNegative, Positive, Spec, earlier


class PeriodicArrivals(Spec):
    """One request a period, each moved by a jitter of its own."""

    process: Literal["periodic"] = Field(description="One request a period.")
    rate_hz: Positive = Field(description="Requests a second of each device.")
    jitter_ms: NotNegative = Field(
        default=0.0, description="Each request is late by a uniform time of up to this, ms; at most one period."
    )

    @field_validator("jitter_ms")
    @classmethod
    def _within_a_period(cls, jitter_ms: float, info: ValidationInfo) -> float:
        rate_hz = earlier(info, "rate_hz")
        if rate_hz and jitter_ms * rate_hz > 1000:
            raise ValueError(f"found {jitter_ms:g}, allowed: at most one period ({1000 / rate_hz:g} ms)")
        return jitter_ms


class PoissonArrivals(Spec):
    """Independent exponential gaps."""

    process: Literal["poisson"] = Field(description="Independent exponential gaps.")
    rate_hz: Positive = Field(description="Mean requests a second of each device.")


class TraceArrivals(Spec):
    """Times from a file, the same for every device of the class."""

    process: Literal["trace"] = Field(description="Times from a file.")
    file: InputFile = Field(description="Path of a CSV file with a column time_s, seconds from the start.")


Arrivals = Annotated[PeriodicArrivals | PoissonArrivals | TraceArrivals, Field(discriminator="process")]
