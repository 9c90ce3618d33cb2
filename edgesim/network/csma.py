"""What contention leaves of a Wi-Fi channel: CSMA/CA by Bianchi's model.

G. Bianchi, "Performance analysis of the IEEE 802.11 distributed coordination function", IEEE JSAC 18(3), 2000: n
stations that always have a frame to send, basic access, no hidden stations, an ideal channel.  A station sends in a
slot with probability tau, and meets a collision with probability p:

    tau = 2 / (1 + W + p W sum_{i < m} (2 p)^i),    p = 1 - (1 - tau)^(n - 1)

(the paper's equation 7, without its removable singularity at p = 1/2).  S, the share of the channel's bit rate that
carries payload, is its equation 13.  Frame lengths and gaps are those of the paper's example (its table II: frequency
hopping at 1 Mb/s, payload of 8,184 bits); other physical layers lose another share.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

PAYLOAD_US = 8184.0
HEADER_US = 272.0 + 128.0  # MAC and physical layer
ACK_US = 112.0 + 128.0
SIFS_US, DIFS_US, SLOT_US, PROPAGATION_US = 28.0, 128.0, 50.0, 1.0
SUCCESS_US = HEADER_US + PAYLOAD_US + SIFS_US + PROPAGATION_US + ACK_US + DIFS_US + PROPAGATION_US
COLLISION_US = HEADER_US + PAYLOAD_US + DIFS_US + PROPAGATION_US
BISECTIONS = 60


class Contention(NamedTuple):
    """tau: a station sends in a slot; p: what it sends collides; throughput: S, the share that carries payload."""

    tau: float
    p: float
    throughput: float


@lru_cache(maxsize=4096)
def contention(stations: int, window: int = 32, stages: int = 3) -> Contention:
    """``stations`` >= 1 that always have something to send.

    window: W, the first contention window in slots.  stages: m, how often it doubles.

    >>> round(contention(10).throughput, 4)
    0.7532
    """
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):  # the collisions that p brings about fall as p rises: one crossing
        p = (low + high) / 2
        if 1 - (1 - _tau(p, window, stages)) ** (stations - 1) > p:
            low = p
        else:
            high = p
    tau = _tau(high, window, stages)
    return Contention(tau, 1 - (1 - tau) ** (stations - 1), _throughput(tau, stations))


def _tau(p: float, window: int, stages: int) -> float:
    return 2 / (1 + window + p * window * sum((2 * p) ** i for i in range(stages)))


def _throughput(tau: float, stations: int) -> float:
    idle = (1 - tau) ** stations
    success = stations * tau * (1 - tau) ** (stations - 1)
    slot_us = idle * SLOT_US + success * SUCCESS_US + (1 - idle - success) * COLLISION_US
    return success * PAYLOAD_US / slot_us
