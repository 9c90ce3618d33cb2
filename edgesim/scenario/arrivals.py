"""When requests arrive at a device."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, ValidationInfo, field_validator, model_validator

from edgesim.scenario.files import InputFile
from edgesim.scenario.spec import NotNegative, Positive, Share, Spec, earlier


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


class MmppArrivals(Spec):
    """Bursts: a Markov-modulated Poisson process of two states; each device has bursts of its own."""

    process: Literal["mmpp"] = Field(description="Bursts: a Poisson process whose rate changes between two states.")
    burst_hz: Positive = Field(description="Requests a second of each device in a burst.")
    quiet_hz: NotNegative = Field(default=0.0, description="Requests a second between bursts; less than burst_hz.")
    burst_mean_s: Positive = Field(description="Mean length of a burst, s (exponential).")
    quiet_mean_s: Positive = Field(description="Mean time between bursts, s (exponential).")

    @field_validator("quiet_hz")
    @classmethod
    def _quieter(cls, quiet_hz: float, info: ValidationInfo) -> float:
        burst_hz = earlier(info, "burst_hz")
        if burst_hz is not None and quiet_hz >= burst_hz:
            raise ValueError(f"found {quiet_hz:g}, allowed: less than burst_hz ({burst_hz:g})")
        return quiet_hz


class DiurnalArrivals(Spec):
    """A Poisson process whose rate has a daily course: a sinusoid, or a table of factors."""

    process: Literal["diurnal"] = Field(description="A Poisson process whose rate has a daily course.")
    rate_hz: Positive = Field(description="Requests a second of each device, as the mean over a period.")
    period_s: Positive = Field(default=86_400.0, description="Length of a period, s: a day.")
    start_s: NotNegative = Field(default=0.0, description="Time of the period at which the run begins, s.")
    amplitude: Share | None = Field(
        default=None, description="The rate is rate_hz (1 + amplitude cos(2 pi (t - peak_s) / period_s)); 0 to 1."
    )
    peak_s: NotNegative | None = Field(
        default=None, description="With amplitude: when the rate is highest, s; the middle of the period unless given."
    )
    factors: Annotated[tuple[NotNegative, ...], Strict(False)] | None = Field(
        default=None,
        min_length=2,
        description="In place of amplitude: one factor for each of as many equal parts of the period, e.g. 24 hours; "
        "scaled to a mean of 1.",
    )

    @field_validator("factors")
    @classmethod
    def _some(cls, factors: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if factors is not None and not any(factors):
            raise ValueError("found no factor above 0, allowed: at least one")
        return factors

    @model_validator(mode="after")
    def _one_course(self) -> DiurnalArrivals:
        if (self.amplitude is None) == (self.factors is None):
            found = "neither" if self.amplitude is None else "both"
            raise ValueError(f"found {found} of amplitude and factors; allowed: one")
        if self.peak_s is not None and self.factors is not None:
            raise ValueError("found peak_s beside factors; allowed: with amplitude")
        return self


class TraceArrivals(Spec):
    """Times from a file, the same for every device of the class."""

    process: Literal["trace"] = Field(description="Times from a file.")
    file: InputFile = Field(description="Path of a CSV file with a column time_s, seconds from the start.")


Arrivals = Annotated[
    PeriodicArrivals | PoissonArrivals | MmppArrivals | DiurnalArrivals | TraceArrivals,
    Field(discriminator="process"),
]
