"""From what a scenario says of a device's energy to the state machines behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgesim.network.radio_power import Radio, TransferPower

if TYPE_CHECKING:
    from edgesim.scenario.energy import Power


def build_radio(power: Power) -> Radio:
    """The radio above the device's idle power: that which ``power`` names, or its fixed watts without a tail."""
    spec = power.radio
    if spec is None:
        return Radio(TransferPower(power.send_w), TransferPower(power.receive_w))
    below_w = power.idle_w if spec.includes_idle else 0.0
    return Radio(
        TransferPower(spec.send_w - below_w, spec.send_uj_per_bit / 1e6, spec.send_uj_per_packet / 1e6),
        TransferPower(spec.receive_w - below_w, spec.receive_uj_per_bit / 1e6, spec.receive_uj_per_packet / 1e6),
        spec.tail_w - below_w if spec.tail_s else 0.0,
        spec.tail_s,
        spec.promotion_w - below_w if spec.promotion_s else 0.0,
        spec.promotion_s,
    )
