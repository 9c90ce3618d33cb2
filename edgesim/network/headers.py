"""Bytes on the wire: payload and the headers around it."""

from __future__ import annotations

from typing import Literal

HeaderMode = Literal["tcp", "none"]

SEGMENT_BYTES = 1448
"""TCP payload of a full Ethernet frame: 1,500 - 20 (IPv4) - 20 (TCP) - 12 (timestamps)."""

HEADER_BYTES = 66
"""Around each segment: 14 (Ethernet) + 20 (IPv4) + 32 (TCP with timestamps)."""


def wire_bytes(payload_bytes: int, mode: HeaderMode) -> int:
    """Payload plus, with ``tcp``, 66 bytes for each started 1,448 bytes; ``none`` adds nothing (for theory)."""
    if mode == "none":
        return payload_bytes
    return payload_bytes + HEADER_BYTES * ((payload_bytes + SEGMENT_BYTES - 1) // SEGMENT_BYTES)
