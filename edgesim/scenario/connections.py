"""Connections between servers, which make tiers and other graphs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict, field_validator

from edgesim.scenario.spec import Name, Spec


class Connection(Spec):
    """A link between two servers; what passes it is stored and forwarded, first come first served."""

    between: Annotated[tuple[Name, ...], Strict(False)] = Field(
        min_length=2, max_length=2, description="Names of the two servers; up is from the first to the second."
    )
    link: Name = Field(description="Name of its link, which is its own: the rates, the delay and the headers of it.")

    @field_validator("between")
    @classmethod
    def _different(cls, between: tuple[str, ...]) -> tuple[str, ...]:
        if between[0] == between[1]:
            raise ValueError(f"found '{between[0]}' twice, allowed: two different servers")
        return between
