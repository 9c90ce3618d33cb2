"""How packets get lost on a link."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edgesim.scenario.spec import Count, Spec

Tries = Annotated[Count, Field(description="Tries of a packet; after the last one its message is given up.")]
TRIES = 16


class BernoulliLoss(Spec):
    """Packets are lost independently."""

    process: Literal["bernoulli"] = Field(description="Packets are lost independently.")
    p: Annotated[float, Field(gt=0, lt=1)] = Field(description="Probability that a packet is lost.")
    tries: Tries = TRIES


class GilbertElliottLoss(Spec):
    """Packets are lost in bursts."""

    process: Literal["gilbert_elliott"] = Field(description="Packets are lost in bursts: all of those in a bad state.")
    to_bad: Annotated[float, Field(gt=0, le=1)] = Field(description="P(good to bad) from one packet to the next.")
    to_good: Annotated[float, Field(gt=0, le=1)] = Field(description="P(bad to good) from one packet to the next.")
    tries: Tries = TRIES


Loss = Annotated[BernoulliLoss | GilbertElliottLoss, Field(discriminator="process")]
