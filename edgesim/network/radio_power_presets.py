"""Named radios: published power laws, in the keys of a scenario's ``radio``.

``measured`` numbers are published measurements; ``assumed`` ones were not read in their source.
"""

from __future__ import annotations

from dataclasses import dataclass

HUANG = "Huang et al., MobiSys 2012, phones with the screen off"
SIGCOMM = "regression on the data of the SIGCOMM 2021 5G artifact: Galaxy S20 Ultra, Verizon, screen on, whole phone"
FEENEY = "Feeney and Nilsson, INFOCOM 2001, point-to-point 802.11"


@dataclass(frozen=True)
class RadioPreset:
    """The keys that it stands for, their source, and what of them is measured."""

    values: dict[str, float | bool]
    source: str
    label: str


def _affine(up_mw: float, down_mw: float, send_base_mw: float, receive_base_mw: float) -> dict[str, float | bool]:
    """From slopes in mW per Mb/s, which are nJ per bit, and bases in mW."""
    return {
        "send_w": send_base_mw / 1e3,
        "receive_w": receive_base_mw / 1e3,
        "send_uj_per_bit": up_mw / 1e3,
        "receive_uj_per_bit": down_mw / 1e3,
    }


RADIO_PRESETS = {
    "lte": RadioPreset(
        _affine(438.39, 51.97, 1288.04, 1288.04)
        | {"tail_w": 1.060, "tail_s": 11.576, "promotion_w": 1.2107, "promotion_s": 0.260},
        HUANG,
        "transfers measured; tail and promotion assumed",
    ),
    "3g": RadioPreset(
        _affine(868.98, 122.12, 817.88, 817.88), HUANG, "transfers measured; no tail, though 3G has long ones: give one"
    ),
    "wifi": RadioPreset(
        _affine(283.17, 137.01, 132.86, 132.86) | {"tail_w": 0.119, "tail_s": 0.24},
        HUANG,
        "transfers measured; tail assumed",
    ),
    "lte-2021": RadioPreset(
        _affine(79.5, 15.0, 2893, 2719) | {"includes_idle": True}, SIGCOMM, "transfers measured (R^2 0.89 up); no tail"
    ),
    "5g-low-band": RadioPreset(
        _affine(32.2, 15.4, 3197, 2883) | {"includes_idle": True}, SIGCOMM, "transfers measured (R^2 0.83 up); no tail"
    ),
    "5g-mmwave": RadioPreset(
        _affine(9.15, 1.76, 5637, 5221) | {"includes_idle": True}, SIGCOMM, "transfers measured (R^2 0.96 up); no tail"
    ),
    "wifi-2001": RadioPreset(
        {
            "send_w": 0.0,
            "receive_w": 0.0,
            "send_uj_per_bit": 1.9 / 8,
            "receive_uj_per_bit": 0.42 / 8,
            "send_uj_per_packet": 420.0,
            "receive_uj_per_packet": 330.0,
        },
        FEENEY,
        "measured on a card of its time: only the form is timeless; taken to be above idle (0.8 W)",
    ),
}
