"""What a device has spent, by what it was doing."""

from __future__ import annotations

from dataclasses import dataclass

from edgesim.network.radio_power import Radio


@dataclass(slots=True)
class EnergyAccount:
    """The energy of one device.

    What it does for a request is above idle and belongs to the request: ``compute``, ``send`` and ``receive`` return
    its joules.  Idling, and what the radio spends beside transfers, belong to the device: the sum over requests and
    these two make ``total_j``.

    compute_w: above idle.
    """

    idle_w: float
    compute_w: float
    radio: Radio
    compute_j: float = 0.0
    send_j: float = 0.0
    receive_j: float = 0.0

    def compute(self, seconds: float) -> float:
        joules = self.compute_w * seconds
        self.compute_j += joules
        return joules

    def send(self, wire_bytes: float, seconds: float) -> float:
        joules = self.radio.send.energy_j(wire_bytes, seconds)
        self.send_j += joules
        return joules

    def receive(self, wire_bytes: float, seconds: float) -> float:
        joules = self.radio.receive.energy_j(wire_bytes, seconds)
        self.receive_j += joules
        return joules

    @property
    def requests_j(self) -> float:
        """Of all requests together."""
        return self.compute_j + self.send_j + self.receive_j

    def total_j(self, on_s: float, tail_j: float) -> float:
        """Of a device that was on for ``on_s``, idle power included; ``tail_j``: from ``RadioTail.energy_j``."""
        return self.idle_w * on_s + tail_j + self.requests_j
