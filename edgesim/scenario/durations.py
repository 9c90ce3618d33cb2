"""How long a block of a synthetic model takes: a number or a distribution, in milliseconds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Strict, Tag, field_validator

from edgesim.scenario.spec import Count, NotNegative, Positive, Spec, above_low


class ExponentialTime(Spec):
    """Exponential."""

    distribution: Literal["exponential"] = Field(description="Exponential times.")
    mean_ms: Positive = Field(description="Mean, ms.")


class UniformTime(Spec):
    """Uniform between two bounds."""

    distribution: Literal["uniform"] = Field(description="Uniform times.")
    low_ms: NotNegative = Field(description="Least time, ms.")
    high_ms: Positive = Field(description="Greatest time, ms; above low_ms.")

    _above_low = field_validator("high_ms")(above_low)


class LognormalTime(Spec):
    """Log-normal, given by the mean and the coefficient of variation of the time itself."""

    distribution: Literal["lognormal"] = Field(description="Log-normal times.")
    mean_ms: Positive = Field(description="Mean, ms.")
    cv: Positive = Field(description="Coefficient of variation of the time (standard deviation over mean).")


class ErlangTime(Spec):
    """Sum of k independent exponential times."""

    distribution: Literal["erlang"] = Field(description="Erlang times.")
    mean_ms: Positive = Field(description="Mean of the sum, ms.")
    k: Count = Field(description="Number of exponential stages.")


def _tag(value: Any) -> str | None:
    if isinstance(value, Spec):
        return getattr(value, "distribution", None)
    return value.get("distribution") if isinstance(value, dict) else "number"


Duration = Annotated[
    Annotated[NotNegative, Tag("number")]
    | Annotated[ExponentialTime, Tag("exponential")]
    | Annotated[UniformTime, Tag("uniform")]
    | Annotated[LognormalTime, Tag("lognormal")]
    | Annotated[ErlangTime, Tag("erlang")],
    Discriminator(_tag),
]
Durations = Annotated[tuple[Duration, ...], Strict(False)]


def _kind(value: Any) -> str:
    return "list" if isinstance(value, list | tuple) else "number"


NumberOrNumbers = Annotated[
    Annotated[NotNegative, Tag("number")]
    | Annotated[tuple[NotNegative, ...], Strict(False), Field(min_length=1), Tag("list")],
    Discriminator(_kind),
]
"""One number for all, or one for each."""
