"""Classes of devices: what a device has, and what it is asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edgesim.scenario.arrivals import Arrivals
from edgesim.scenario.batteries import Battery
from edgesim.scenario.deadlines import Deadline
from edgesim.scenario.energy import Power
from edgesim.scenario.processors import Processor
from edgesim.scenario.samples import Samples
from edgesim.scenario.spec import Count, Name, Positive, Spec

AfterDeadline = Literal["abort", "continue"]


class Queue(Spec):
    """Requests that wait for the device's processor."""

    order: Literal["fifo", "newest", "drop_oldest"] = Field(
        default="fifo",
        description="Who is next: fifo (the oldest), newest, or drop_oldest (the oldest; a full queue drops it).",
    )
    bound: Annotated[int, Field(ge=1)] | None = Field(
        default=100,
        description="Most requests that may wait; a full queue of order fifo or newest drops the arriving one. "
        "null: no bound.",
    )


class Fallback(Spec):
    """What a device does when a server does not answer."""

    timeout_ms: Positive = Field(
        description="It keeps what it sends; without an answer this long after sending, it goes on alone, ms."
    )


class DeviceClass(Spec):
    """Devices that are alike; each has its own arrivals, deadlines, link and queue."""

    count: Count = Field(default=1, description="Number of devices of this class.")
    processor: Processor = Field(
        default_factory=Processor, description="How fast it computes; {} is the profiled machine."
    )
    queue: Queue = Field(default_factory=Queue, description="Requests that wait for the processor.")
    after_deadline: AfterDeadline = Field(
        default="abort", description="At the deadline: abort the request's work at the next piece's end, or continue."
    )
    link: Name | None = Field(default=None, description="Name of its link; none: the device is alone.")
    server: Name | None = Field(default=None, description="Name of the server that it sends to; goes with link.")
    fallback: Fallback | None = Field(
        default=None, description="What it does when no answer comes; none: it waits for ever."
    )
    priority: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Rank of its requests at servers whose queue goes by priority; 0 is the most urgent."
    )
    arrivals: Arrivals = Field(description="When requests arrive.")
    samples: Samples = Field(default_factory=Samples, description="Which images they show; {} draws independently.")
    deadline: Deadline | None = Field(default=None, description="Deadline of its requests; none: no deadline.")
    power: Power | None = Field(default=None, description="Electrical power; none: energy is not counted.")
    battery: Battery | None = Field(default=None, description="What it runs on; none: the mains. It needs power.")
