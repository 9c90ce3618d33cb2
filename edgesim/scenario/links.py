"""Links between devices and servers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from edgesim.network.link_presets import LINK_PRESETS
from edgesim.scenario.disciplines import Discipline, Equal
from edgesim.scenario.lora import Lora
from edgesim.scenario.losses import Loss
from edgesim.scenario.preset_keys import any_key_may_be_left_out, known, with_preset
from edgesim.scenario.rates import Rate
from edgesim.scenario.spec import NotNegative, Positive, Spec, earlier

LinkPresetName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(LINK_PRESETS)})]


class Link(Spec):
    """A kind of link; every device that names it has one of its own, or all share it as a cell."""

    model_config = ConfigDict(json_schema_extra=any_key_may_be_left_out)

    preset: LinkPresetName | None = Field(
        default=None, description="Name of a technology that brings rates and delay; keys beside it override its own."
    )
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
    lora: Lora | None = Field(
        default=None, description="Messages leave as LoRa frames, at the rates of a lora preset; null: they do not."
    )
    handover: Literal["survive", "restart"] = Field(
        default="survive",
        description="What a handover does to a transfer under way: it survives, and goes on behind the interruption, "
        "or begins anew. For links whose rate is a radio's.",
    )
    prior_mbps: Positive = Field(description="What an estimator of the uplink says before its first sample, Mb/s.")

    @property
    def own_rates(self) -> bool:
        """Whether each device has a rate of its own: on a link of its own, or in a cell where all may differ."""
        own_in_cell = self.discipline.type == "airtime" or (
            self.discipline.type == "csma" and self.discipline.rates == "own"
        )
        return self.sharing == "fifo" or own_in_cell

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, data: Any) -> Any:
        return with_preset(data, LINK_PRESETS)

    @field_validator("preset")
    @classmethod
    def _is_known(cls, preset: str | None) -> str | None:
        return known(preset, LINK_PRESETS)

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

    @field_validator("lora")
    @classmethod
    def _alone(cls, lora: Lora | None, info: ValidationInfo) -> Lora | None:
        """Frames of its own leave no room for those of another protocol."""
        needed = {"sharing": "fifo", "loss": None, "headers": "none", "connection": "warm"}
        odd = [key for key, value in needed.items() if earlier(info, key) != value]
        if lora is not None and odd:
            raise ValueError(f"found lora beside {', '.join(odd)}; allowed: a fifo, no loss, headers none, warm")
        return lora
