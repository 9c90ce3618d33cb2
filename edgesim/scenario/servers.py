"""Servers: nodes that devices send to."""

from __future__ import annotations

from pydantic import Field

from edgesim.scenario.devices import AfterDeadline
from edgesim.scenario.processors import Processor
from edgesim.scenario.spec import Count, NotNegative, Spec


class Batch(Spec):
    """When waiting requests are served together."""

    max_size: Count = Field(default=1, description="Most requests in a batch.")
    max_wait_ms: NotNegative = Field(
        default=0.0, description="Longest that the oldest request waits for a batch to fill, ms."
    )


class Server(Spec):
    """A place with workers and one queue, first come first served."""

    workers: Count = Field(default=1, description="Number of workers; each serves one batch at a time.")
    processor: Processor = Field(
        default_factory=Processor, description="How fast a worker computes; {} is the profiled machine."
    )
    batch: Batch = Field(
        default_factory=Batch, description="When waiting requests are served together; else one by one."
    )
    after_deadline: AfterDeadline = Field(
        default="continue", description="At a request's deadline: continue until a cancel message comes, or abort."
    )
    result_bytes: Count = Field(default=8, description="Payload of an answer on the downlink, bytes.")
