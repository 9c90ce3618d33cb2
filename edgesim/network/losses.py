"""Packets that get lost and are sent again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgesim.network.gilbert_elliott import BurstPath, GilbertElliott
from edgesim.network.transport import Packets
from edgesim.workload.random import generator

Sending = Callable[[int], np.ndarray]
"""(number of packets) -> which of them are lost, sent one after the other."""
Draw = Callable[[int], Sending]
"""(number of a message) -> how its packets fare, from its first try on."""


class Arq:
    """Selective-repeat ARQ in rounds: each round sends what the one before lost, until nothing is missing.

    What is lost is sent again one round trip after the round for each burst, which is an unbroken run of lost packets
    among those of the round.  A packet that was lost ``tries`` times is given up, and with it the message: for
    independent losses of probability p that happens to a packet with p^tries, and a packet that nobody gives up takes
    1 / (1 - p) tries on average.
    Simpler than TCP: the sender does not go on with the next message meanwhile, and acknowledgements are never lost.
    """

    def __init__(self, draw: Draw, tries: int) -> None:
        self._draw, self._tries = draw, tries

    def rounds(self, number: int, packets: Packets) -> tuple[list[tuple[int, int]], bool]:
        """See :class:`~edgesim.network.transport.Losses`."""
        sending = self._draw(number)
        missing = np.arange(packets.total)
        rounds: list[tuple[int, int]] = []
        while len(missing) and len(rounds) < self._tries:
            lost = sending(len(missing))
            sent = len(missing) * packets.full - (packets.full - packets.last) * int(missing[-1] == packets.total - 1)
            rounds.append((sent, bursts(lost)))
            missing = missing[lost]
        return rounds, len(missing) > 0


def bursts(lost: np.ndarray) -> int:
    """Unbroken runs of lost packets."""
    return int(lost[0]) + int(np.count_nonzero(lost[1:] & ~lost[:-1]))


def independent(p: float, root: int, *key: str | int) -> Draw:
    """Each packet is lost with probability ``p``; keyed by (root seed, key, number of the message)."""

    def draw(number: int) -> Sending:
        rng = generator(root, "loss", *key, number)
        return lambda count: rng.random(count) < p

    return draw


def in_bursts(law: GilbertElliott, root: int, *key: str | int) -> Draw:
    """Packets sent in the bad state of a Gilbert-Elliott chain are lost, the others are not.

    A step of the chain is a packet sent, tries included.  Each message begins with the chain at rest, so that it does
    not depend on how much was sent before; bursts from one message into the next are left out.
    """

    def draw(number: int) -> Sending:
        path, sent = BurstPath(law, root, "loss", *key, number), 0

        def sending(count: int) -> np.ndarray:
            nonlocal sent
            sent += count
            return np.array([path.bad(step) for step in range(sent - count, sent)])

        return sending

    return draw
