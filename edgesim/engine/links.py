"""From what a scenario says of links to what devices send and receive through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from edgesim.engine.carried import Carried
from edgesim.engine.cell_link import Access, CellLink, CellPort, Transfer
from edgesim.engine.clock import Clock
from edgesim.engine.fifo_port import FifoPort
from edgesim.engine.ports import Port
from edgesim.engine.restarting_port import RestartingPort
from edgesim.engine.routes import Hop
from edgesim.events.befalling import Befalling
from edgesim.events.factored import factored
from edgesim.network.build import build_rate
from edgesim.network.build_radio import build_channel
from edgesim.network.cell import EQUAL, Share, SharedCell
from edgesim.network.connection import ColdConnection
from edgesim.network.csma import contention
from edgesim.network.fifo import FifoLink
from edgesim.network.gilbert_elliott import GilbertElliott
from edgesim.network.lora_frames import LoraFrames
from edgesim.network.losses import Arq, Draw, in_bursts, independent
from edgesim.network.own_rates import OwnRatesCell
from edgesim.network.rate import RateProcess
from edgesim.network.round_robin import RoundRobinCell
from edgesim.network.transport import Connection, Transport, jitter
from edgesim.scenario.disciplines import Airtime, Csma, Discipline, RoundRobin, Weighted
from edgesim.scenario.links import Link
from edgesim.scenario.losses import Loss
from edgesim.scenario.rates import radio_of

IDLE_S = 1.0
"""The least retransmission timeout (RFC 6298), after which RFC 5681 restarts a connection's window."""
HANDSHAKE_RTTS = 1

AnyCell = SharedCell[Transfer] | OwnRatesCell[Transfer] | RoundRobinCell[Transfer]


class Links:
    """The links of a world: of their own where devices have one each, and its cells (by name, up and down).

    root: of all draws.  window: measured.  end_s: when the run is over.  befalling: the events that change rates.
    """

    def __init__(
        self, clock: Clock, root: int, window: tuple[float, float], end_s: float, befalling: Befalling
    ) -> None:
        self.clock, self.root, self.window, self.end_s, self.befalling = clock, root, window, end_s, befalling
        self.cells: dict[str, tuple[CellLink, CellLink]] = {}

    def connect(self, name: str, spec: Link, device: str, class_name: str) -> tuple[Any, Any]:
        """The uplink and the downlink of a device."""
        return self._way(name, spec, device, class_name, "up"), self._way(name, spec, device, class_name, "down")

    def near(self, name: str, spec: Link, device: str) -> Callable[[float], str | None] | None:
        """Which server lies beside the station that serves a device at a time; None where there are no stations."""
        radio = radio_of(spec.up)
        if radio is None:
            return None
        channel, sites = build_channel(radio, self.root, "rate", name, device), radio.sites
        return lambda time_s: sites[channel.serving(time_s)].server

    def join(self, name: str, spec: Link, connection: str, between: Sequence[str]) -> Iterator[Hop]:
        """Both directions of a connection between two servers."""
        start, stop = between
        for direction, ends in (("up", (start, stop)), ("down", (stop, start))):
            process = self._rate(name, spec, connection, direction)
            fifo = FifoLink(process, spec.delay_ms / 1e3, spec.headers, self.end_s)
            yield Hop(name, direction, *ends, fifo)

    def _way(self, name: str, spec: Link, device: str, class_name: str, direction: str) -> FifoLink | Port:
        if spec.sharing == "cell":
            return self._cell_port(name, spec, device, class_name, direction)
        process = self._rate(name, spec, device, direction)
        reliable = spec.jitter_ms == 0 and spec.loss is None and spec.handover == "survive"
        if reliable and spec.lora is None and spec.connection == "warm":
            return FifoLink(process, spec.delay_ms / 1e3, spec.headers, self.end_s)
        port = self.clock, process, self._transport(name, spec, device, direction), Carried(self.end_s)
        radio = radio_of(spec.up) if spec.handover == "restart" else None
        if radio is None:
            return FifoPort(*port)
        return RestartingPort(build_channel(radio, self.root, "rate", name, device).next_change, *port)

    def _transport(self, name: str, spec: Link, device: str, direction: str) -> Transport:
        key = (name, device, direction)
        delay_s = spec.delay_ms / 1e3
        delays = jitter(spec.jitter_ms / 1e3, self.root, *key) if spec.jitter_ms else None
        losses = Arq(_draw(spec.loss, self.root, *key), spec.loss.tries) if spec.loss else None
        connection: Connection | None = None
        if spec.lora is not None:
            connection = LoraFrames(spec.lora.spreading_factor, spec.lora.duty_cycle)
        elif spec.connection == "cold":  # the server answers over the connection that the device has opened
            handshake_rtts = HANDSHAKE_RTTS if spec.handshake_rtts is None else spec.handshake_rtts
            idle_s = IDLE_S if spec.idle_s is None else spec.idle_s
            connection = ColdConnection(2 * delay_s, handshake_rtts if direction == "up" else 0, idle_s)
        return Transport(spec.headers, delay_s, delays, losses, connection)

    def _rate(self, name: str, spec: Link, device: str, direction: str) -> RateProcess:
        """The process of a direction; ``device`` is empty where it is the cell's own."""
        rate = spec.up if direction == "up" else spec.down
        process = build_rate(rate, self.root, "rate", name, device, direction, horizon_s=self.window[1])
        return factored(process, self.befalling.link(name, direction, device))

    def _cell_port(self, name: str, spec: Link, device: str, class_name: str, direction: str) -> CellPort:
        if name not in self.cells:
            self.cells[name] = self._cell_link(name, spec, "up"), self._cell_link(name, spec, "down")
        link = self.cells[name][direction == "down"]
        if isinstance(link.cell, OwnRatesCell):
            own = self._rate(name, spec, device, direction)
            access = Access(partial(link.cell.add_with_rate, rate=own), own, _efficiency(spec, direction, 1))
        elif isinstance(link.cell, SharedCell):
            share = _share(spec.discipline, class_name)
            part = _efficiency(spec, direction, 1) * share.speed / share.load
            access = Access(partial(link.cell.add, share=share), link.cell.rate, part)
        else:
            assert isinstance(link.cell, RoundRobinCell)
            access = Access(link.cell.add, link.cell.rate, 1.0)
        in_turn = isinstance(spec.discipline, Csma) and direction == "up"
        return CellPort(link, access, self._transport(name, spec, device, direction), in_turn)

    def _cell_link(self, name: str, spec: Link, direction: str) -> CellLink:
        cell = self._cell(spec, direction, self._rate(name, spec, "", direction))
        return CellLink(self.clock, cell, self.window, Carried(self.end_s))

    @staticmethod
    def _cell(spec: Link, direction: str, common: RateProcess) -> AnyCell:
        discipline = spec.discipline
        if isinstance(discipline, RoundRobin):
            return RoundRobinCell(common, discipline.quantum_bytes)
        if isinstance(discipline, Airtime):
            return OwnRatesCell("time")
        if not isinstance(discipline, Csma):
            return SharedCell(common)
        efficiency = partial(_efficiency, spec, direction)
        return OwnRatesCell("frames", efficiency) if discipline.rates == "own" else SharedCell(common, efficiency)


def _efficiency(spec: Link, direction: str, stations: int) -> float:
    """What contention leaves of the rate.  Down, the access point is the only station."""
    if not isinstance(spec.discipline, Csma):
        return 1.0
    contending = stations if direction == "up" else 1
    return contention(contending, spec.discipline.window, spec.discipline.stages).throughput


def _share(discipline: Discipline, class_name: str) -> Share:
    if isinstance(discipline, Weighted):
        weight = discipline.weights.get(class_name, 1.0)
        return Share(weight, weight)
    if isinstance(discipline, Csma) and discipline.speeds:
        return Share(1.0, 1 / discipline.speeds.get(class_name, 1.0))
    return EQUAL


def _draw(loss: Loss, root: int, *key: str) -> Draw:
    if loss.process == "bernoulli":
        return independent(loss.p, root, *key)
    return in_bursts(GilbertElliott(loss.to_bad, loss.to_good), root, *key)
