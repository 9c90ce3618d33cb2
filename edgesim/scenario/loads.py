"""What else runs on a node: how much of its speed is left."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edgesim.scenario.files import InputFile
from edgesim.scenario.spec import Positive, Spec

Speed = Annotated[float, Field(gt=0, le=1)]


class ConstantLoad(Spec):
    """Always the same share of the speed."""

    process: Literal["constant"] = Field(description="Always the same share of the speed.")
    speed: Speed = Field(description="Share of the node's speed that is left, above 0 to 1.")


class OnOffLoad(Spec):
    """Something else runs now and then, for exponential times: a two-state Markov chain."""

    process: Literal["on_off"] = Field(description="Something else runs now and then, for exponential times.")
    speed: Speed = Field(description="Share of the node's speed that is left meanwhile, above 0 to 1.")
    on_mean_s: Positive = Field(description="Mean time for which it runs, s.")
    off_mean_s: Positive = Field(description="Mean time between, at full speed, s.")


class TraceLoad(Spec):
    """Speeds from a file."""

    process: Literal["trace"] = Field(description="Speeds from a file.")
    file: InputFile = Field(description="Path of a CSV file with the columns time_s and speed (above 0 to 1).")
    ends: Literal["loop", "hold"] = Field(
        default="loop", description="After the file's end: loop, or hold the last speed."
    )
    offset: Literal["random", "none"] = Field(
        default="random", description="Where a node starts in the file: at random (by node and seed), or none."
    )


Load = Annotated[ConstantLoad | OnOffLoad | TraceLoad, Field(discriminator="process")]
