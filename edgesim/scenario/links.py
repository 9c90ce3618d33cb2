"""Links between devices and servers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from edgesim.scenario.disciplines import Discipline, Equal
from edgesim.scenario.losses import Loss
from edgesim.scenario.rates import Rate
from edgesim.scenario.spec import NotNegative, Positive, Spec, earlier


class Link(Spec):
    """A kind of link; every device that names it has one of its own, or all share it as a cell."""

    sharing: Literal["fifo", "cell"] = Field(
        default="fifo",
        description="fifo: each device has a link of its own, first come first served; "
        "cell: all devices share one rate a direction, see discipline.",
    )
    discipline: Discipline = Field(
        default=Equal(type="equal"), description="How the transfers of a cell share it; only beside sharing: cell."
    )
    up: Rate = Field(description="Rate from device to server.")
    down: Rate = Field(description="Rate from server to device.")
    delay_ms: NotNegative = Field(description="One-way propagation delay, ms.")
    jitter_ms: NotNegative = Field(
        default=0.0, description="Mean and standard deviation of what each message takes longer (log-normal), ms."
    )
    loss: Loss | None = Field(default=None, description="Packets that are lost and sent again; null: none is.")
    headers: Literal["tcp", "none"] = Field(
        default="tcp", description="tcp: 66 bytes for each started 1,448 bytes of payload; none: payload only."
    )
    connection: Literal["warm", "cold"] = Field(
        default="warm",
        description="warm: connections are open, and no handshake is charged (an assumption); "
        "cold: handshake and slow start after idle_s.",
    )
    handshake_rtts: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Round trips before the first byte of a cold connection: 1 (TCP), 2 with TLS 1.3."
    )
    idle_s: Positive | None = Field(
        default=None, description="After so long without a message a connection is cold again, s (1 unless given)."
    )
    prior_mbps: Positive = Field(description="What an estimator of the uplink says before its first sample, Mb/s.")

    @property
    def own_rates(self) -> bool:
        """Whether each device has a rate of its own: on a link of its own, or in a cell where all may differ."""
        own_in_cell = self.discipline.type == "airtime" or (
            self.discipline.type == "csma" and self.discipline.rates == "own"
        )
        return self.sharing == "fifo" or own_in_cell

    @field_validator("discipline")
    @classmethod
    def _of_a_cell(cls, discipline: Discipline, info: ValidationInfo) -> Discipline:
        if earlier(info, "sharing") == "fifo" and not isinstance(discipline, Equal):
            raise ValueError(f"found {discipline.type} beside sharing: fifo, allowed: beside sharing: cell")
        return discipline

    @field_validator("handshake_rtts", "idle_s")
    @classmethod
    def _of_a_cold_connection(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and earlier(info, "connection") == "warm":
            raise ValueError(f"found {value} beside connection: warm, allowed: beside connection: cold")
        return value
