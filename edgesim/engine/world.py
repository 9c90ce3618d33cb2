"""From a scenario to a world: nodes, links, workload and policies of one cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from math import inf
from typing import Any

import numpy as np

from edgesim.compute.batching import Batching
from edgesim.compute.build import build_battery, build_radio, build_speed
from edgesim.compute.device_queue import DeviceQueue
from edgesim.compute.meter import Meter
from edgesim.compute.nodes import Device, Node, Server
from edgesim.engine.assets import Assets, depths
from edgesim.engine.cell_link import CellPort
from edgesim.engine.clock import Clock
from edgesim.engine.engine import Engine, Recorder
from edgesim.engine.fallible import FallibleEngine
from edgesim.engine.furnish import build_balancer, chooses, furnish
from edgesim.engine.imprecise_serving import ImpreciseEngine
from edgesim.engine.links import Links
from edgesim.engine.live import LiveExecution
from edgesim.engine.look_ahead import let_devices_look_ahead, let_servers_look_ahead
from edgesim.engine.on_battery import BatteryEngine
from edgesim.engine.reporting import ReportingEngine
from edgesim.engine.routes import Hop, Routes
from edgesim.engine.scheduled import ScheduledEngine
from edgesim.engine.tiers import TieredEngine
from edgesim.engine.truth import Truth
from edgesim.engine.views import DeviceView, ServerView, TaskView
from edgesim.events.befalling import Befalling
from edgesim.events.factored import factored, speed
from edgesim.events.slowed import SlowedCosts
from edgesim.network.build import build_estimator
from edgesim.network.radio_power import Radio, TransferPower
from edgesim.outcomes.path import Path as OutcomePath
from edgesim.outcomes.table import Outcomes, OutcomeTable
from edgesim.policies.base import Costs as BelievedCosts
from edgesim.policies.base import DeadlineKnowledge, Facts, ModelFacts, Needs, Policy
from edgesim.policies.registry import build_policy
from edgesim.policies.same_plan import plan_of
from edgesim.profiling.costs import Costs
from edgesim.profiling.misjudged import MisjudgedCosts
from edgesim.scenario.devices import DeviceClass
from edgesim.scenario.estimators import EwmaEstimator
from edgesim.scenario.links import Link
from edgesim.scenario.processors import Processor
from edgesim.scenario.scenario import Scenario
from edgesim.scenario.servers import Server as ServerSpec
from edgesim.workload.deadlines import mean_deadline_s
from edgesim.workload.random import generator
from edgesim.workload.requests import requests_of
from edgesim.workload.samples import by_difficulty

DEADLINE_BYTES = 8
"""A time as a double."""
SILENT = Radio(TransferPower(0.0), TransferPower(0.0))
"""Where energy is not counted."""


@dataclass(frozen=True)
class Cell:
    """One simulation: a policy (its name and its spec), a deadline of the axis or none, a replication."""

    policy: str
    spec: Any
    axis_deadline_ms: float | None
    replication: int

    @property
    def key(self) -> tuple[str, float, int]:
        """As it stands in the records."""
        deadline_ms = float("nan") if self.axis_deadline_ms is None else self.axis_deadline_ms
        return self.policy, deadline_ms, self.replication


def replication_root(seed: int, replication: int) -> int:
    """The root of all draws of one replication."""
    digest = blake2b(f"{seed}/{replication}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


class World:
    """Builds the engine of one cell on a clock.

    outcomes: what requests meet (test images; validation images for calibration).
    external: leave the devices without a policy, for ``Engine.next_decision``.
    """

    def __init__(
        self,
        scenario: Scenario,
        assets: Assets,
        cell: Cell,
        clock: Clock,
        recorder: Recorder,
        outcomes: Mapping[str, Outcomes],
        live: LiveExecution | None = None,
        external: bool = False,
    ) -> None:
        self.scenario, self.assets, self.cell, self.clock = scenario, assets, cell, clock
        self.root = replication_root(scenario.seed, cell.replication)
        self.window = (scenario.warmup_s, scenario.duration_s)
        self.places = assets.places(outcomes)
        self.outcomes = outcomes
        self.pool = min(found.samples for found in outcomes.values())  # of all models: no policy moves the images
        self.models = scenario.models_of(cell.policy)
        self.external = external
        self.befalling = Befalling(scenario.events, self.root)
        self.links = Links(clock, self.root, self.window, scenario.end_s, self.befalling)
        self._known_models: dict[Processor, dict[str, ModelFacts]] = {}
        self.servers: dict[str, Server] = {}
        for slot, name in enumerate(scenario.servers, start=1):
            self.servers[name] = self._server(name, slot)
        self.devices = [
            self._device(name, f"{name}-{number}", spec)
            for name, spec in scenario.devices.items()
            for number in range(spec.count)
        ]
        self.classes = [spec for spec in scenario.devices.values() for _ in range(spec.count)]
        self.routes = Routes(list(self._hops()))
        self.engine = self._engine(recorder, live)

    def _engine(self, recorder: Recorder, live: LiveExecution | None) -> Engine:
        """The plainest engine that does what the scenario asks for."""
        scenario = self.scenario
        limits_s = scenario.duration_s, scenario.end_s
        ranks = depths(scenario, self.assets.shapes)
        if any(spec.battery is not None for spec in scenario.devices.values()):
            kind: type[Engine] = BatteryEngine
        elif self._fails():
            kind = FallibleEngine
        elif any(spec.scheduler.type == "imprecise" for spec in scenario.servers.values()):
            kind = ImpreciseEngine
        elif any(spec.report_every_ms is not None for spec in scenario.servers.values()):
            kind = ReportingEngine
        elif any(map(chooses, scenario.servers.values())):
            kind = ScheduledEngine
        elif scenario.connections or any(spec.count > 1 for spec in scenario.servers.values()):
            kind = TieredEngine
        else:
            kind = Engine
        if kind is Engine and not self._paces_vary():
            let_devices_look_ahead(self.devices, self.servers.values())
            let_servers_look_ahead(self.servers.values(), self.devices)
        engine = self._built_as(kind)(
            self.clock,
            self.devices,
            self.servers,
            self.places,
            ranks,
            limits_s,
            self.window,
            recorder,
            live,
            self.routes,
        )
        if isinstance(engine, ReportingEngine):
            self._let_report(engine)
        if isinstance(engine, FallibleEngine):
            for class_name, node in self._nodes():
                for windows in self.befalling.away(class_name, node.name):
                    engine.watch(node, windows)
        return engine

    def _built_as(self, kind: type[Engine]) -> type[Engine]:
        """The class of the engine, of the kind that the scenario asks for: where somebody watches, one that tells."""
        return kind

    def _fails(self) -> bool:
        """Whether nodes may go away, or devices give up on their servers."""
        fails = any(event.what in ("down", "reports") for event in self.scenario.events.values())
        return fails or any(spec.fallback or spec.battery for spec in self.scenario.devices.values())

    def _paces_vary(self) -> bool:
        """Whether the speed of the moment matters, at which somebody takes up a request."""
        scenario = self.scenario
        processors = [node.processor for node in scenario.devices.values()]
        processors += [node.processor for node in scenario.servers.values()]
        slow = any(event.what == "slow" for event in scenario.events.values())
        return slow or any(processor.load is not None for processor in processors)

    def _let_report(self, engine: ReportingEngine) -> None:
        for name, server in self.servers.items():
            lost = self.befalling.lost_reports(name)
            if lost:
                engine.lose_reports(server, lost, self.root)
            period_ms = self.scenario.servers[name].report_every_ms
            if period_ms is not None:
                engine.report_every(server, period_ms / 1e3)

    def _nodes(self) -> Iterator[tuple[str, Node]]:
        """Every node with the name of its class."""
        names = [name for name, spec in self.scenario.devices.items() for _ in range(spec.count)]
        yield from zip(names, self.devices, strict=True)
        for name, server in self.servers.items():
            yield from ((name, each) for each in server.replicas or (server,))

    def _hops(self) -> Iterator[Hop]:
        for name, connection in self.scenario.connections.items():
            yield from self.links.join(connection.link, self.scenario.links[connection.link], name, connection.between)

    def _costs(self, processor: Processor, class_name: str, name: str) -> dict[str, Costs]:
        """By model, on a node that may be slow for a while, and that others may use."""
        costs: dict[str, Costs] = {model: self.assets.on(processor, model) for model in self.assets.costs}
        load, pace = processor.load, self.befalling.pace(class_name, name)
        if load is None and not pace:
            return costs
        left = speed(pace) if load is None else factored(build_speed(load, self.root, "load", name), pace)
        return {model: SlowedCosts(each, left, lambda: self.clock.now) for model, each in costs.items()}

    def _policy(self) -> Policy:
        return build_policy(self.cell.spec, self.models)

    def _truth(self, node: Node) -> Truth | None:
        if node.policy is None or not node.policy.needs.truth:
            return None
        return Truth(node, self.places, self.servers)

    def _server(self, name: str, slot: int) -> Server:
        """A server, or what hands requests on to its replicas."""
        spec = self.scenario.servers[name]
        server = self._replica(name, name, slot, spec)
        if spec.count > 1:
            server.balancer = build_balancer(spec, self.root, name, self.clock)
            server.replicas = [self._replica(f"{name}-{number}", name, slot, spec) for number in range(spec.count)]
            for replica in server.replicas:
                replica.front, replica.role, replica.entry = server, name, name
        return server

    def _replica(self, name: str, role: str, slot: int, spec: ServerSpec) -> Server:
        batch = spec.batch
        batching = Batching(batch.max_size, batch.max_wait_ms / 1e3) if batch.max_size > 1 else None
        costs = self._costs(spec.processor, role, name)
        policy = self._policy()
        aborts = spec.after_deadline == "abort"
        server = Server(name, slot, costs, policy, aborts, spec.workers, spec.result_bytes, batching)
        furnish(server, spec)
        server.accuracy = {model: facts.accuracy for model, facts in self._model_facts(spec.processor).items()}
        server.decision_s = self.assets.decisions_on(spec.processor, self.cell.spec.type)
        users = [each for each in self.scenario.devices.values() if each.link is not None]
        link = self.scenario.links[users[0].link] if users else None  # type: ignore[index]
        policy.prepare(self._facts(policy.needs, name, role, users[0] if users else None, link, is_device=False))
        server.plan = plan_of(policy)
        exact = policy.needs.deadline == "exact" and all(known_deadline(each) == "exact" for each in users)
        server.carried_bytes = _carried_bytes(spec, policy.needs, exact)
        server.view, server.request_view = ServerView(server, self._truth(server)), TaskView(server, exact)
        return server

    def _device(self, class_name: str, name: str, spec: DeviceClass) -> Device:
        policy = None if self.external else self._policy()
        costs = self._costs(spec.processor, class_name, name)
        learns = policy is not None and type(policy).learn is not Policy.learn
        device = Device(name, costs, policy, spec.after_deadline == "abort", learns)
        device.queue = DeviceQueue(spec.queue.order, spec.queue.bound or 2**62)
        device.root = self.places[self.models[0]]
        self._connect(device, class_name, spec)
        device.entry, device.priority = spec.server or "", spec.priority
        if spec.fallback is not None:
            device.timeout_s = spec.fallback.timeout_ms / 1e3
        self._load(device, class_name, spec)
        self._power(device, spec)
        if policy is not None:
            device.decision_s = self.assets.decisions_on(spec.processor, self.cell.spec.type)
            link = None if spec.link is None else self.scenario.links[spec.link]
            policy.prepare(self._facts(policy.needs, name, spec.server or "", spec, link, is_device=True))
            device.plan = plan_of(policy)
        exact = known_deadline(spec) == "exact" and (policy is None or policy.needs.deadline == "exact")
        device.view, device.request_view = DeviceView(device, self._truth(device)), TaskView(device, exact)
        return device

    def _power(self, device: Device, spec: DeviceClass) -> None:
        power = spec.power
        if power is not None:
            device.compute_w = power.compute_w - power.idle_w
            device.send_w, device.receive_w = power.send_w, power.receive_w
        if not self._fails() and (power is None or power.radio is None):
            return
        battery = None
        if spec.battery is not None and power is not None:
            battery = build_battery(spec.battery, power.idle_w, self.root, "harvest", device.name)
        device.meter = Meter(build_radio(power) if power else SILENT, battery, self.window)
        for port, way in ((device.uplink, device.meter.up), (device.downlink, device.meter.down)):
            if isinstance(port, CellPort):
                port.radio = way

    def _connect(self, device: Device, class_name: str, spec: DeviceClass) -> None:
        if spec.link is None:
            device.uplink = device.downlink = None
            return
        link = self.scenario.links[spec.link]
        estimator = getattr(self.cell.spec, "estimator", EwmaEstimator(type="ewma"))
        device.estimator = build_estimator(estimator, link.prior_mbps * 1e6)
        device.uplink, device.downlink = self.links.connect(spec.link, link, device.name, class_name)
        device.near = self.links.near(spec.link, link, device.name)

    @cached_property
    def by_difficulty(self) -> list[int]:
        """The images from easy to hard as the scenario's first model finds them, so that no policy moves them."""
        first = self.outcomes[next(iter(self.scenario.models))]
        return by_difficulty(first.table(()), self.pool)

    def _load(self, device: Device, class_name: str, spec: DeviceClass) -> None:
        order = self.by_difficulty if spec.samples.correlation else range(self.pool)
        nodes = (device.name, *self.scenario.servers)
        factors = self.befalling.arrivals(class_name, device.name)
        device.requests = requests_of(spec, self.cell.axis_deadline_ms, order, nodes, self.root, device.name, factors)

    def _facts(
        self, needs: Needs, node: str, server: str, spec: DeviceClass | None, link: Link | None, is_device: bool
    ) -> Facts:
        scenario = self.scenario
        known = known_deadline(spec)
        mean_s = mean_deadline_s(spec.deadline if spec else None, self.cell.axis_deadline_ms)
        power = spec.power if spec else None
        return Facts(
            node=node,
            is_device=is_device,
            server=server,
            models=self._model_facts(spec.processor if spec else Processor()),
            delay_s=(link.delay_ms + link.jitter_ms) / 1e3 if link else inf,
            prior_rate_bps=link.prior_mbps * 1e6 if link else 0.0,
            result_bytes={name: each.result_bytes for name, each in scenario.servers.items()},
            headers=link.headers if link else "none",
            compute_w=power.compute_w - power.idle_w if power else 0.0,
            send=(build_radio(power) if power else SILENT).send,
            deadline_known=known,
            deadline_mean_s=None if "none" in (known, needs.deadline) or mean_s == inf else mean_s,
            rng=generator(self.root, "policy", self.cell.policy, node),
        )

    def _model_facts(self, processor: Processor) -> dict[str, ModelFacts]:
        if processor not in self._known_models:
            assets, servers = self.assets, self.scenario.servers
            self._known_models[processor] = {
                name: ModelFacts(
                    assets.shapes[name],
                    self._believed(processor, name, "device"),
                    {server: self._believed(spec.processor, name, server) for server, spec in servers.items()},
                    _payload_bytes(assets.validation[name]),
                    _accuracy(assets.validation[name]),
                    _error(assets.validation[name]),
                )
                for name in assets.shapes
            }
        return self._known_models[processor]

    def _believed(self, processor: Processor, model: str, role: str) -> BelievedCosts:
        """What policies take a model to cost on a processor."""
        costs, error = self.assets.on(processor, model), self.scenario.profile_error
        if error is None:
            return costs
        blocks = self.assets.shapes[model].num_blocks
        return MisjudgedCosts(costs, blocks, error.spread, error.seed, role, model)


def _carried_bytes(spec: ServerSpec, needs: Needs, exact: bool) -> int:
    """Payload beside a request's data: its deadline, if the server or its policy goes by it, and what the policy says.

    What an oracle knows does not travel.
    """
    told = any(spec.asks_deadlines()) or (exact and not needs.truth)
    return (DEADLINE_BYTES if told else 0) + needs.carried_bytes


def known_deadline(spec: DeviceClass | None) -> DeadlineKnowledge:
    """What policies know of the deadlines of a class of devices."""
    return spec.deadline.known if spec is not None and spec.deadline is not None else "none"


def _payload_bytes(outcomes: Outcomes) -> dict[OutcomePath, float]:
    """Mean bytes of each path's last hop."""
    return {path: float(sizes.mean()) for path, sizes in outcomes.payloads.items()}


def _accuracy(outcomes: Outcomes) -> dict[tuple[OutcomePath, int], float]:
    """Accuracy of every exit along every path, the local one included."""
    return _means(outcomes, lambda table: table.correct)


def _error(outcomes: Outcomes) -> dict[tuple[OutcomePath, int], float]:
    """The same for the mean absolute error; nothing in classification."""
    return _means(outcomes, lambda table: table.error)


def _means(
    outcomes: Outcomes, values: Callable[[OutcomeTable], np.ndarray | None]
) -> dict[tuple[OutcomePath, int], float]:
    found = {}
    for path in [(), *outcomes.payloads]:
        table = outcomes.table(path)
        of_exits = values(table)
        if of_exits is not None:
            found.update({(path, exit): float(row.mean()) for exit, row in zip(table.exits, of_exits, strict=True)})
    return found
