"""What the workers of a server do with those who wait."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edgesim.scenario.spec import NotNegative, Spec


class InTurn(Spec):
    """A free worker takes who is next."""

    type: Literal["in_turn"] = Field(
        default="in_turn", description="A free worker serves who is next, as far as the policy asks."
    )


class ProcessorSharing(Spec):
    """Nobody waits: k workers serve all n requests at once, each at the speed of min(1, k / n) workers."""

    type: Literal["processor_sharing"] = Field(description="All requests are served at once and share the workers.")


class Imprecise(Spec):
    """Depths are planned so that deadlines hold and the answers' accuracy is greatest."""

    type: Literal["imprecise"] = Field(
        description="At each exit it plans anew how deep to run whom, so that deadlines hold; never deeper than asked."
    )
    quantum: NotNegative = Field(
        default=0.01, description="Step of the exits' validation accuracy in the plan; 0: exact, for short queues."
    )


Scheduler = Annotated[InTurn | ProcessorSharing | Imprecise, Field(discriminator="type")]
