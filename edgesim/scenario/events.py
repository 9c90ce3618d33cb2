"""What befalls the world: one mechanism for faults, slow-downs, bursts and recoveries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from edgesim.scenario.durations import Duration
from edgesim.scenario.spec import Name, NotNegative, Positive, Share, Spec

NODE = "A server or a device class, or one of them: NAME-NUMBER."


class EventSpec(Spec):
    """When it happens: once at a time, or again and again."""

    at_s: NotNegative | None = Field(default=None, description="When it begins, s; or gap_ms and length_ms.")
    for_s: Positive | None = Field(default=None, description="How long it lasts, s; none: for ever. Goes with at_s.")
    gap_ms: Duration | None = Field(
        default=None, description="Time until it begins (again): a number or a distribution, ms. Goes with length_ms."
    )
    length_ms: Duration | None = Field(default=None, description="How long it lasts each time, ms. Goes with gap_ms.")
    together: bool = Field(
        default=False,
        description="With gap_ms: all that it befalls at the same times; otherwise each has times of its own.",
    )

    @model_validator(mode="after")
    def _once_or_again(self) -> EventSpec:
        random = (self.gap_ms is not None, self.length_ms is not None)
        if self.at_s is None and random != (True, True):
            raise ValueError("missing at_s, or gap_ms and length_ms; allowed: either")
        if self.at_s is not None and any(random):
            raise ValueError("found at_s beside gap_ms or length_ms, allowed: either")
        if self.at_s is None and self.for_s is not None:
            raise ValueError("found for_s without at_s; with gap_ms its length is length_ms")
        if 0 in (self.gap_ms, self.length_ms):
            raise ValueError("found 0 as gap_ms or length_ms, allowed: more than 0")
        return self


class LinkEvent(EventSpec):
    """A link is slower, faster or dead for a while; transfers under way wait and go on."""

    what: Literal["link"] = Field(description="A link's rate is multiplied.")
    link: Name = Field(description="Name of the link; it befalls every device that has one, or the cell.")
    direction: Literal["both", "up", "down"] = Field(default="both", description="Which way.")
    factor: NotNegative = Field(default=0.0, description="The rate times this; 0: nothing flows.")


class SlowEvent(EventSpec):
    """A node computes more slowly for a while."""

    what: Literal["slow"] = Field(description="A node computes more slowly.")
    node: Name = Field(description=NODE)
    factor: Positive = Field(description="Everything that it computes takes this times as long.")


class DownEvent(EventSpec):
    """A node is away for a while: what it holds, and what comes to it meanwhile, is lost."""

    what: Literal["down"] = Field(description="A node is away: it has failed, or left.")
    node: Name = Field(description=NODE)


class ArrivalsEvent(EventSpec):
    """More or fewer requests for a while."""

    what: Literal["arrivals"] = Field(description="Requests arrive faster or more slowly.")
    devices: Name = Field(description="A device class, or one device: NAME-NUMBER.")
    factor: NotNegative = Field(description="The rate of arrivals times this; 0: none.")


class ReportsEvent(EventSpec):
    """Load reports of a server get lost for a while."""

    what: Literal["reports"] = Field(description="Load reports get lost.")
    server: Name = Field(description="The server whose reports get lost.")
    probability: Share = Field(default=1.0, description="How probably each report gets lost.")


Event = Annotated[LinkEvent | SlowEvent | DownEvent | ArrivalsEvent | ReportsEvent, Field(discriminator="what")]
