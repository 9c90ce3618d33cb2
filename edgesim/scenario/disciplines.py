"""How the transfers of a cell share its rate."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from edgesim.scenario.spec import Count, Name, Positive, Spec


class Equal(Spec):
    """Each of n transfers gets an n-th of the rate."""

    type: Literal["equal"] = Field(description="Each of n transfers gets an n-th of the rate.")


class Weighted(Spec):
    """Each transfer gets a part of the rate by the weight of its device's class."""

    type: Literal["weighted"] = Field(description="Each transfer gets a part by the weight of its device's class.")
    weights: dict[Name, Positive] = Field(min_length=1, description="Weights by device class; 1 for the others.")


class RoundRobin(Spec):
    """Packets of the transfers in turn."""

    type: Literal["round_robin"] = Field(description="Packets of the transfers in turn, each at the full rate.")
    quantum_bytes: Count = Field(default=1514, description="Bytes of a turn, headers included.")


class Airtime(Spec):
    """Each device has a rate of its own, and each of n transfers an n-th of the time."""

    type: Literal["airtime"] = Field(
        description="Each device has a rate of its own from the link's process; each of n transfers an n-th of the "
        "time."
    )


class Csma(Spec):
    """Wi-Fi: stations contend frame by frame (Bianchi 2000), and slow ones slow down all (Heusse et al. 2003)."""

    type: Literal["csma"] = Field(description="Wi-Fi: stations contend for the channel frame by frame.")
    window: Annotated[int, Field(ge=2)] = Field(default=32, description="First contention window, slots.")
    stages: Annotated[int, Field(ge=0)] = Field(default=3, description="How often a collision doubles the window.")
    rates: Literal["common", "own"] = Field(
        default="common", description="common: one bit rate for all; own: each device draws its own from the process."
    )
    speeds: dict[Name, Positive] | None = Field(
        default=None, min_length=1, description="Bit rate by device class, as a factor of the common one; 1 for others."
    )

    @model_validator(mode="after")
    def _speeds_of_a_common_rate(self) -> Csma:
        if self.rates == "own" and self.speeds is not None:
            raise ValueError("found speeds beside rates: own; allowed: one of them")
        return self


Discipline = Annotated[Equal | Weighted | RoundRobin | Airtime | Csma, Field(discriminator="type")]
