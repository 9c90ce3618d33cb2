"""What a device sends and receives through where a link does more than carry bytes in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from edgesim.network.headers import HeaderMode

Done = Callable[[Any, float, float, float, int, float, float, int], None]
"""(subject, accepted, start, finish, payload bytes, one-way delay, seconds on the air, wire bytes) of a
transfer.

Times in seconds; finish: before propagation, inf where the rate stays 0 for ever.  delay: inf where the transfer was
given up, which its sender knows at ``finish``.  On the air: ``finish - start``, of which transfers of one device at the
same time have equal parts, without the silence between flights that says so.  Wire bytes: headers and
repetitions included.
"""


class Port(Protocol):
    @property
    def header_mode(self) -> HeaderMode: ...
    @property
    def delay_s(self) -> float:
        """One-way propagation, without jitter."""
        ...

    @property
    def free_s(self) -> float:
        """Until when what was accepted keeps the next message waiting, if that is settled."""
        ...

    def send(self, subject: Any, nbytes: int, done: Done) -> None:
        """Accept a transfer now; ``done`` is called when its end is known."""
        ...

    @property
    def takes_back(self) -> bool:
        """Whether what has not begun can be taken back; otherwise ``free_s`` tells when it will begin."""
        ...

    def take_back(self, subject: Any) -> int:
        """Cancel a transfer that has not begun: its payload bytes; 0 where it has begun."""
        ...

    def cut_off(self, now_s: float) -> list[Any]:
        """Give up what has not left; the subjects of transfers that nobody has been told the end of."""
        ...

    def queued_bytes(self, now_s: float) -> float:
        """Wire bytes of this device that are not sent yet; what will have to be repeated is not known before."""
        ...

    def foreseen_s(self, now_s: float, nbytes: int) -> float:
        """When a transfer accepted at ``now_s`` would arrive if nobody else sent and nothing were lost: for oracles."""
        ...
