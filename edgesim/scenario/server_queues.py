"""Queues of servers: who is served next, and how many may wait."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgesim.scenario.spec import Count, Spec


class ServerQueue(Spec):
    """Requests that wait for a server's workers."""

    order: Literal["fifo", "priority", "edf"] = Field(
        default="fifo",
        description="Who is next: fifo (who came first), priority (the smallest of the devices' priority), or edf (the "
        "earliest deadline). Nobody in service is interrupted.",
    )
    bound: Count | None = Field(
        default=None,
        description="Most requests that may wait; a full queue turns away the one it would serve last. null: no bound.",
    )
