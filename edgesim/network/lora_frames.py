"""Messages over LoRa: cut into frames, under a duty cycle."""

from __future__ import annotations

from math import inf

from edgesim.errors import InputError
from edgesim.network.lora import MOST_BYTES, bit_rate_bps, frame_bytes, time_on_air_s
from edgesim.network.transport import Flight, Packets


class LoraFrames:
    """A connection on which a message leaves in frames, each of which is followed by silence.

    A frame takes its time on air: its bytes at the rate of the link, which should be ``bit_rate_bps``, and beside that
    its preamble, header and padding.  The next frame, of this message or another, starts no sooner than time on air /
    duty cycle after the start of the one before.

    Simpler than LoRaWAN: no collisions, no acknowledgements, no receive windows, and no header of 13 bytes.
    """

    def __init__(self, spreading_factor: int, duty_cycle: float) -> None:
        if spreading_factor not in MOST_BYTES or not 0 < duty_cycle <= 1:
            raise InputError("lora: allowed: a spreading factor from 7 to 12, and a duty cycle above 0 and at most 1")
        self._factor, self._duty_cycle = spreading_factor, duty_cycle
        self._free_s = -inf

    def flights(self, start_s: float, packets: Packets) -> list[Flight]:
        """See :class:`~edgesim.network.transport.Connection`."""
        sizes = frame_bytes(packets.between(0, packets.total), self._factor)
        frames = [self._frame(nbytes) for nbytes in sizes]
        silent_s = max(self._free_s - start_s, 0.0)
        self._free_s = start_s + silent_s + sum(frame.cycle_s for frame in frames)
        frames[-1] = frames[-1]._replace(cycle_s=0.0)
        return [Flight(0, cycle_s=silent_s, silent=True), *frames] if silent_s else frames

    def _frame(self, nbytes: int) -> Flight:
        air_s = time_on_air_s(nbytes, self._factor)
        return Flight(nbytes, air_s - 8 * nbytes / bit_rate_bps(self._factor), air_s / self._duty_cycle, silent=True)

    def ended(self, finish_s: float) -> None:
        """The silence is counted from starts of frames."""
