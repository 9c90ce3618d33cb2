"""Links between devices and servers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgesim.scenario.rates import Rate
from edgesim.scenario.spec import NotNegative, Positive, Spec


class Link(Spec):
    """A kind of link; every device that names it has one of its own, or all share it as a cell."""

    sharing: Literal["fifo", "cell"] = Field(
        default="fifo",
        description="fifo: each device has a link of its own, first come first served; "
        "cell: all devices share one rate equally (processor sharing).",
    )
    up: Rate = Field(description="Rate from device to server.")
    down: Rate = Field(description="Rate from server to device.")
    delay_ms: NotNegative = Field(description="One-way propagation delay, ms.")
    headers: Literal["tcp", "none"] = Field(
        default="tcp", description="tcp: 66 bytes for each started 1,448 bytes of payload; none: payload only."
    )
    connection: Literal["warm"] = Field(
        default="warm", description="warm: connections are open, and no handshake is charged (an assumption)."
    )
    prior_mbps: Positive = Field(description="What an estimator of the uplink says before its first sample, Mb/s.")
