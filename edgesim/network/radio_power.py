"""What a radio spends on a transfer, above the device's idle power.

P = a R + b while bits flow at rate R, and a cost for each packet: fixed watts (a = 0), the affine law of Huang et al.,
"A Close Examination of Performance and Power Characteristics of 4G LTE Networks" (MobiSys 2012), and the law of Feeney
and Nilsson (INFOCOM 2001), so much a byte and so much a packet (b = 0), are all of this form.  As P is affine in R,
a transfer's energy is a S + b T for S bits in T seconds however the rate varied meanwhile: nothing is approximated.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgesim.network.headers import HEADER_BYTES, SEGMENT_BYTES

PACKET_BYTES = SEGMENT_BYTES + HEADER_BYTES


@dataclass(frozen=True, slots=True)
class TransferPower:
    """One direction.  base_w: b.  bit_j: a, J per bit on the wire.  packet_j: J per started packet of 1,514 bytes."""

    base_w: float
    bit_j: float = 0.0
    packet_j: float = 0.0

    def energy_j(self, wire_bytes: float, seconds: float) -> float:
        """Of one transfer.

        Simpler than reality: transfers of one device that overlap pay b each, though its radio is on but once.
        """
        packets = -(-wire_bytes // PACKET_BYTES)
        return 8 * self.bit_j * wire_bytes + self.base_w * seconds + self.packet_j * packets


@dataclass(frozen=True, slots=True)
class Radio:
    """A radio above idle: what transfers cost, and the power and length (s) of tail and promotion: ``RadioTail``."""

    send: TransferPower
    receive: TransferPower
    tail_w: float = 0.0
    tail_s: float = 0.0
    promotion_w: float = 0.0
    promotion_s: float = 0.0
