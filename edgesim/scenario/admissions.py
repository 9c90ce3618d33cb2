"""Whom a server turns away when a request arrives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edgesim.scenario.spec import NotNegative, Spec


class WaitLimit(Spec):
    """By the wait that the server expects."""

    type: Literal["max_wait"] = Field(description="Turns away who is expected to wait too long.")
    max_wait_ms: NotNegative = Field(description="Longest expected wait of a request that comes in, ms.")


class DeadlineLimit(Spec):
    """By the request's deadline."""

    type: Literal["deadline"] = Field(
        description="Turns away who is not expected to be done by the deadline, which devices must say."
    )


Admission = Annotated[WaitLimit | DeadlineLimit, Field(discriminator="type")]
