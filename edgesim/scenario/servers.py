"""Servers: nodes that devices send to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from edgesim.scenario.admissions import Admission
from edgesim.scenario.devices import AfterDeadline
from edgesim.scenario.document import Key
from edgesim.scenario.processors import Processor
from edgesim.scenario.schedulers import InTurn, Scheduler
from edgesim.scenario.server_queues import ServerQueue
from edgesim.scenario.spec import Count, NotNegative, Positive, Spec


class Batch(Spec):
    """When waiting requests are served together."""

    max_size: Count = Field(default=1, description="Most requests in a batch.")
    max_wait_ms: NotNegative = Field(
        default=0.0, description="Longest that the oldest request waits for a batch to fill, ms."
    )


class Server(Spec):
    """A place with workers and one queue."""

    workers: Count = Field(default=1, description="Number of workers; each serves one batch at a time.")
    processor: Processor = Field(
        default_factory=Processor, description="How fast a worker computes; {} is the profiled machine."
    )
    count: Count = Field(
        default=1, description="Number of replicas, each with such workers and a queue; named NAME-0, NAME-1, ..."
    )
    balance: Literal["round_robin", "least_work", "two_choices", "random", "nearest"] = Field(
        default="round_robin",
        description="Which replica a request goes to: round_robin, least_work (least waiting and in service), "
        "two_choices (the less loaded of two random ones), random, or nearest (to the device).",
    )
    queue: ServerQueue = Field(default_factory=ServerQueue, description="Requests that wait for the workers.")
    admission: Admission | None = Field(
        default=None, description="Whom it turns away when a request arrives; none: nobody but for a full queue."
    )
    scheduler: Scheduler = Field(default_factory=InTurn, description="What the workers do with those who wait.")
    batch: Batch = Field(
        default_factory=Batch, description="When waiting requests are served together; else one by one."
    )
    after_deadline: AfterDeadline = Field(
        default="continue", description="At a request's deadline: continue until a cancel message comes, or abort."
    )
    report_every_ms: Positive | None = Field(
        default=None,
        description="It tells its load to the devices that send to it this often, ms; none: only with its answers.",
    )
    result_bytes: Count = Field(default=8, description="Payload of an answer on the downlink, bytes.")

    def asks_deadlines(self) -> Iterator[Key]:
        """The keys whose values make the server act on the deadlines of what it is sent."""
        if self.queue.order == "edf":
            yield ("queue", "order")
        if self.admission is not None and self.admission.type == "deadline":
            yield ("admission", "type")
        if self.scheduler.type == "imprecise":
            yield ("scheduler", "type")
