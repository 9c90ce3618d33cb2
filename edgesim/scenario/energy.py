"""Electrical power: what devices and their radios draw."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from edgesim.compute.power_presets import POWER_PRESETS
from edgesim.network.radio_power_presets import RADIO_PRESETS
from edgesim.scenario.preset_keys import any_key_may_be_left_out, known, with_preset
from edgesim.scenario.spec import NotNegative, Spec, earlier

PowerPresetName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(POWER_PRESETS)})]
RadioPresetName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(RADIO_PRESETS)})]


class RadioPower(Spec):
    """A radio whose power follows the rate, with a tail after transfers."""

    model_config = ConfigDict(json_schema_extra=any_key_may_be_left_out)

    preset: RadioPresetName | None = Field(
        default=None, description="Name of a published radio; keys beside it override its own."
    )
    includes_idle: bool = Field(
        default=False, description="Whether the powers are the whole device's, its idle power included."
    )
    send_w: NotNegative = Field(description="Power while sending, apart from what each bit costs, W.")
    receive_w: NotNegative = Field(description="Power while receiving, apart from what each bit costs, W.")
    send_uj_per_bit: NotNegative = Field(default=0.0, description="Each bit sent, uJ; the same as W per Mb/s.")
    receive_uj_per_bit: NotNegative = Field(default=0.0, description="Each bit received, uJ; the same as W per Mb/s.")
    send_uj_per_packet: NotNegative = Field(default=0.0, description="Each packet sent (1,514 bytes), uJ.")
    receive_uj_per_packet: NotNegative = Field(default=0.0, description="Each packet received (1,514 bytes), uJ.")
    tail_w: NotNegative = Field(default=0.0, description="Power in the tail after a transfer, W.")
    tail_s: NotNegative = Field(default=0.0, description="Length of the tail, which every transfer starts anew, s.")
    promotion_w: NotNegative = Field(default=0.0, description="Power while the radio wakes from idle, W.")
    promotion_s: NotNegative = Field(
        default=0.0, description="How long waking takes, s; it costs energy, and delays nothing."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, data: Any) -> Any:
        return with_preset(data, RADIO_PRESETS)

    @field_validator("preset")
    @classmethod
    def _is_known(cls, preset: str | None) -> str | None:
        return known(preset, RADIO_PRESETS)

    def least_w(self) -> float:
        """The least of the powers that it draws."""
        tail = (self.tail_w,) if self.tail_s else ()
        promotion = (self.promotion_w,) if self.promotion_s else ()
        return min(self.send_w, self.receive_w, *tail, *promotion)


class Power(Spec):
    """Electrical power of a device."""

    model_config = ConfigDict(json_schema_extra=any_key_may_be_left_out)

    preset: PowerPresetName | None = Field(
        default=None, description="Name of a device whose powers these are; keys beside it override its own."
    )
    idle_w: NotNegative = Field(description="Power when idle, W.")
    compute_w: NotNegative = Field(description="Total power while computing, W; at least idle_w.")
    send_w: NotNegative = Field(default=0.0, description="Power above idle while sending, W.")
    receive_w: NotNegative = Field(default=0.0, description="Power above idle while receiving, W.")
    radio: RadioPower | None = Field(default=None, description="A radio, in place of send_w and receive_w.")

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, data: Any) -> Any:
        return with_preset(data, POWER_PRESETS)

    @field_validator("preset")
    @classmethod
    def _is_known(cls, preset: str | None) -> str | None:
        return known(preset, POWER_PRESETS)

    @field_validator("compute_w")
    @classmethod
    def _total(cls, compute_w: float, info: ValidationInfo) -> float:
        idle_w = earlier(info, "idle_w")
        if idle_w is not None and compute_w < idle_w:
            message = f"at least idle_w ({idle_w:g}), as compute_w is the total power"
            raise ValueError(f"found {compute_w:g}, allowed: {message}")
        return compute_w

    @field_validator("radio")
    @classmethod
    def _above_idle(cls, radio: RadioPower | None, info: ValidationInfo) -> RadioPower | None:
        if radio is None:
            return None
        if earlier(info, "send_w") or earlier(info, "receive_w"):
            raise ValueError("found a radio beside send_w or receive_w, allowed: one of them")
        idle_w = earlier(info, "idle_w")
        if radio.includes_idle and idle_w is not None and radio.least_w() < idle_w:
            message = f"at least idle_w ({idle_w:g}) each, as they include it"
            raise ValueError(f"found a power of {radio.least_w():g} W, allowed: {message}")
        return radio
