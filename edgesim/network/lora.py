"""LoRa: frames, and their time on air."""

from __future__ import annotations

from math import ceil

BANDWIDTH_HZ = 125e3
MOST_BYTES = {7: 222, 8: 222, 9: 115, 10: 51, 11: 51, 12: 51}
"""Largest application payload of a frame by spreading factor (LoRaWAN regional parameters, EU868)."""

DUTY_CYCLE = 0.01
"""Of most of the 868 MHz band in Europe (ETSI EN 300 220)."""


def time_on_air_s(
    payload_bytes: int,
    spreading_factor: int,
    bandwidth_hz: float = BANDWIDTH_HZ,
    coding: int = 1,
    preamble_symbols: int = 8,
) -> float:
    """How long a frame takes: Semtech AN1200.13, with explicit header and CRC.

    coding: 1 to 4, for rates of 4/5 to 4/8.  Symbols of 16 ms and more (SF 11 and 12 at 125 kHz) use the low data rate
    optimisation.  payload_bytes is all that the radio sends; LoRaWAN's own 13 bytes would count among them.

    >>> round(1e3 * time_on_air_s(13, 9), 3)
    164.864
    """
    symbol_s = 2**spreading_factor / bandwidth_hz
    bits_a_symbol = spreading_factor - (2 if symbol_s >= 0.016 else 0)
    bits = 8 * payload_bytes - 4 * spreading_factor + 28 + 16
    payload_symbols = 8 + max(ceil(bits / (4 * bits_a_symbol)) * (coding + 4), 0)
    return (preamble_symbols + 4.25 + payload_symbols) * symbol_s


def bit_rate_bps(spreading_factor: int, bandwidth_hz: float = BANDWIDTH_HZ, coding: int = 1) -> float:
    """Bits that symbols carry in a second, without preamble, header and padding: SF BW / 2^SF 4 / (4 + coding)."""
    return spreading_factor * bandwidth_hz / 2**spreading_factor * 4 / (4 + coding)


def frame_bytes(payload_bytes: int, spreading_factor: int) -> list[int]:
    """Payloads of the frames of a message: full ones, and one for what is left."""
    whole, rest = divmod(payload_bytes, MOST_BYTES[spreading_factor])
    return [MOST_BYTES[spreading_factor]] * whole + [rest] * (rest > 0 or whole == 0)
