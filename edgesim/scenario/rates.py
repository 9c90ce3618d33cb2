"""How the rate of one direction of a link changes with time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, Strict, ValidationInfo, field_validator, model_validator

from edgesim.scenario.files import InputFile
from edgesim.scenario.radio import RadioRate
from edgesim.scenario.rates_markov import GilbertElliottRate, MarkovRate
from edgesim.scenario.rates_walk import RandomWalkRate
from edgesim.scenario.spec import NotNegative, Positive, Share, earlier, increasing
from edgesim.scenario.warp import RateSpec

Ends = Literal["loop", "hold"]
TraceFormat = Literal["csv", "mahimahi", "pensieve", "sabre", "mets", "5gophers"]
TraceUnit = Literal["bps", "kbps", "mbps", "gbps"]
TraceDirection = Literal["up", "down", "unknown"]
Step = Annotated[tuple[NotNegative, NotNegative], Strict(False)]


class ConstantRate(RateSpec):
    """Always the same rate."""

    process: Literal["constant"] = Field(description="Always the same rate.")
    rate_mbps: Positive = Field(description="Rate, Mb/s (decimal).")


class StepsRate(RateSpec):
    """Rates that hold from given times on."""

    process: Literal["steps"] = Field(description="Rates that hold from given times on.")
    steps: Annotated[tuple[Step, ...], Strict(False)] = Field(
        min_length=1, description="Pairs [time in s, rate in Mb/s]; the first time is 0 and times rise."
    )
    ends: Ends = Field(
        default="hold",
        description="After the last step: hold its rate, or loop (the last step then lasts as long as the one before).",
    )

    @field_validator("steps")
    @classmethod
    def _rising(cls, steps: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if steps[0][0] != 0:
            raise ValueError(f"found {steps[0][0]:g} as the first time, allowed: 0")
        increasing(tuple(time for time, _ in steps), "times")
        if not any(rate for _, rate in steps):
            raise ValueError("found no rate above 0, allowed: at least one")
        return steps

    @field_validator("ends")
    @classmethod
    def _needs_a_period(cls, ends: Ends, info: ValidationInfo) -> Ends:
        if ends == "loop" and len(earlier(info, "steps") or (0, 0)) < 2:
            raise ValueError("found 'loop' with a single step, allowed: hold")
        return ends


class TraceRate(RateSpec):
    """Rates from a file."""

    process: Literal["trace"] = Field(description="Rates from a file.")
    file: InputFile = Field(
        description="Path of the file: CSV with the columns time_s and rate_mbps, or another format."
    )
    format: TraceFormat | None = Field(default=None, description="Format of the file; recognised unless given.")
    time_column: str | None = Field(
        default=None, min_length=1, description="CSV: column of times (s, ms if it ends in _ms, or dates); time_s."
    )
    rate_column: str | None = Field(
        default=None, min_length=1, description="CSV: column of rates (Mb/s, or as its ending says); rate_mbps."
    )
    unit: TraceUnit | None = Field(default=None, description="CSV: unit of the rates, in place of the column's ending.")
    where: dict[str, str | int] | None = Field(
        default=None, min_length=1, description="CSV and 5gophers: only rows with these values, by column."
    )
    direction: TraceDirection | None = Field(
        default=None, description="Which way the recorded bits went; as far as the format says it unless given."
    )
    ends: Ends = Field(default="loop", description="After the file's end: loop, or hold the last rate.")
    scale: Positive = Field(default=1.0, description="Every rate times this.")
    offset: Literal["random", "none"] = Field(
        default="random", description="Where a device starts in the file: at random (by device and seed), or none."
    )


class Ar1Rate(RateSpec):
    """Log-normal AR(1) with outages, given by the moments of the rate itself, or a named preset of them."""

    process: Literal["ar1"] = Field(description="Log-normal AR(1) with outages, matched to moments of the rate.")
    preset: str | None = Field(default=None, min_length=1, description="Name of a preset, in place of the moments.")
    mean_mbps: Positive | None = Field(default=None, description="Mean rate, outages included, Mb/s.")
    cv: Positive | None = Field(default=None, description="Coefficient of variation of the rate.")
    correlation_1s: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None, description="Autocorrelation of the rate at 1 s, 0 to below 1."
    )
    outage_share: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None, description="Share of the time without any rate, 0 to below 1 (0 unless given)."
    )
    outage_mean_s: Positive | None = Field(default=None, description="Mean length of an outage, s.")
    step_ms: Positive = Field(default=100.0, description="The rate changes once in this time, ms.")

    @model_validator(mode="after")
    def _preset_or_moments(self) -> Ar1Rate:
        moments = ("mean_mbps", "cv", "correlation_1s")
        given = [key for key in (*moments, "outage_share", "outage_mean_s") if getattr(self, key) is not None]
        if self.preset is not None and given:
            raise ValueError(f"found preset beside {', '.join(given)}; allowed: a preset or moments")
        missing = [key for key in moments if key not in given]
        if self.preset is None and missing:
            raise ValueError(f"missing {', '.join(missing)}; allowed: a preset, or {', '.join(moments)} together")
        if self.outage_share and self.outage_mean_s is None:
            raise ValueError("missing outage_mean_s; an outage_share above 0 needs it")
        return self


class SeasonalRate(RateSpec):
    """Another rate times a sinusoid around 1, as over a day."""

    process: Literal["seasonal"] = Field(description="Another rate times a sinusoid around 1, as over a day.")
    of: Rate = Field(description="The other rate: constant for the rhythm alone, any process for one with noise.")
    amplitude: Share = Field(description="Of the sinusoid, 0 to 1: at 1 the rate falls to 0 once a period.")
    period_s: Positive = Field(default=86400.0, description="Period, s; a day unless given.")
    peak_s: NotNegative = Field(default=0.0, description="When the factor is highest, s after the start.")


Rate = Annotated[
    ConstantRate
    | StepsRate
    | TraceRate
    | Ar1Rate
    | MarkovRate
    | GilbertElliottRate
    | RandomWalkRate
    | SeasonalRate
    | RadioRate,
    Field(discriminator="process"),
]


def radio_of(rate: Rate) -> RadioRate | None:
    """The radio that a rate is, or that a season is laid over."""
    if isinstance(rate, SeasonalRate):
        return radio_of(rate.of)
    return rate if isinstance(rate, RadioRate) else None


def files_of(rate: Rate) -> list[Path]:
    """The files that a rate is read from."""
    if isinstance(rate, SeasonalRate):
        return files_of(rate.of)
    file: Path | None = getattr(rate.mobility if isinstance(rate, RadioRate) else rate, "file", None)
    return [] if file is None else [file]
