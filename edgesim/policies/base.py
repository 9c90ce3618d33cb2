"""What a policy is, what it may know, and how it says so.

A policy decides the next steps of a request at the node that holds it.  There is one instance for each
deciding node; knowledge crosses between nodes only in messages.  To write one, subclass :class:`Policy`,
and name it in a scenario as ``file.py:Class`` or ``package.module:Class``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple, Protocol

import numpy as np

from edgesim.models.state import TensorSpec
from edgesim.network.headers import HeaderMode
from edgesim.network.radio_power import TransferPower
from edgesim.outcomes.path import Path
from edgesim.policies.plans import to_the_end
from edgesim.policies.steps import Step

DeadlineKnowledge = Literal["none", "distribution", "exact"]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a policy must be given; a scenario that does not give it is refused.

    deadline: how much of the deadline it must know; it is told no more than that.
    statistics: exit statistics from validation.
    confidence: confidence, entropy or margin of exits, which regression does not have.
    truth: the future rate, the label or the cost draws: such a policy is an oracle and marked so everywhere.
    carried_bytes: what its device instance tells its server instance with each request that is sent, such as a counter;
    charged as payload.
    """

    deadline: DeadlineKnowledge = "none"
    statistics: bool = False
    confidence: bool = False
    truth: bool = False
    carried_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A model as a policy sees it before anything has been executed."""

    name: str
    num_blocks: int
    exits: tuple[int, ...]
    """Blocks run before each exit; the last one is ``num_blocks``."""
    cuts: tuple[tuple[TensorSpec, ...], ...]
    """What crosses at each cut 0 .. num_blocks, for one sample."""


class Seen(NamedTuple):
    """The scores of an exit that has been run: what it answers and how sure it is (NaN in regression)."""

    prediction: float
    confidence: float
    entropy: float
    margin: float


class Costs(Protocol):
    """Mean costs of one model on one node, in seconds."""

    def mean_piece_s(self, start: int, stop: int, batch: int = 1) -> float: ...
    def mean_branch_s(self, exit: int, batch: int = 1) -> float: ...
    def mean_encode_s(self, codec: str, cut: int) -> float: ...
    def mean_decode_s(self, codec: str, cut: int) -> float: ...
    @property
    def mean_preprocess_s(self) -> float: ...


@dataclass(frozen=True)
class ModelFacts:
    """What is known beforehand of one model: its shape, its costs, its validation statistics."""

    shape: ModelShape
    device_costs: Costs
    server_costs: Mapping[str, Costs]
    payload_bytes: Mapping[Path, float]
    """Mean payload of the last hop of each declared path, from validation images."""
    accuracy: Mapping[tuple[Path, int], float]
    """Validation accuracy of (path, exit), for the paths that were declared."""
    error: Mapping[tuple[Path, int], float] = field(default_factory=dict)
    """The same for the mean absolute error; empty in classification."""


@dataclass(frozen=True)
class Facts:
    """What a deciding node is told once, before the run."""

    node: str
    is_device: bool
    server: str
    """The default server of the device (the node itself, on a server)."""
    models: Mapping[str, ModelFacts]
    delay_s: float
    """One-way propagation of the access link, mean jitter included."""
    prior_rate_bps: float
    """The link's prior, which also stands for the downlink, as nothing measures that."""
    result_bytes: Mapping[str, int]
    headers: HeaderMode
    compute_w: float
    """Power of the device while it computes, above idle."""
    send: TransferPower
    """What sending costs the device above idle, radio tails apart."""
    deadline_known: DeadlineKnowledge
    deadline_mean_s: float | None
    """Mean of the deadline's distribution, where it is known and the policy's needs name it."""
    rng: np.random.Generator = field(repr=False)
    """Draws of this policy at this node; they move nobody else's."""


class RequestView(Protocol):
    """A request as its holder may see it: no sample number, no label, no score of a branch that was not run."""

    @property
    def model(self) -> str: ...
    @property
    def blocks_done(self) -> int: ...
    @property
    def path(self) -> Path: ...
    @property
    def age_s(self) -> float:
        """Time since arrival (carried with the request)."""

    @property
    def scores(self) -> Mapping[int, Seen]:
        """Of the exits that have been run here."""

    @property
    def time_left_s(self) -> float | None:
        """Time until the deadline where it is known exactly and the policy's needs say so, else None."""


class View(Protocol):
    """What the deciding node can know at this moment."""

    @property
    def now_s(self) -> float: ...
    @property
    def queue_length(self) -> int:
        """Requests that wait for this node's processor."""

    @property
    def queued_bytes(self) -> float:
        """Bytes accepted by the uplink whose transfer has not ended."""

    @property
    def rate_bps(self) -> float:
        """The estimator's word on the uplink."""

    @property
    def battery_share(self) -> float | None:
        """What the device's battery holds, as a share of its capacity; None without one, and at servers."""

    def server_wait_s(self, server: str) -> float:
        """Queueing time that the server last reported, 0 before the first report."""

    def report_age_s(self, server: str) -> float:
        """Age of that report; infinite before the first one."""

    @property
    def truth(self) -> Truth:
        """For oracles only."""


class Truth(Protocol):
    """What only an oracle knows."""

    def finish_s(self, device_steps: Sequence[Step], server_steps: Sequence[Step]) -> float:
        """When the one answer of these steps would reach the device, with the true future rate and costs."""

    def correct(self, model: str, path: Path, exit: int) -> bool:
        """Whether that exit of ``model`` is right on this sample along this path (clairvoyant only)."""

    def error(self, model: str, path: Path, exit: int) -> float:
        """The absolute error of that answer; NaN in classification (clairvoyant only)."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of a request, told to its device's policy when all work on it has ended."""

    latency_s: float
    """Arrival to first answer; NaN where none came."""
    exit: int
    confidence: float
    on_time: bool
    bytes_up: int


class Policy(ABC):
    """Decides the next steps of a request at one node.

    needs: what it must be given.  start_model: the model that the device begins with.
    """

    needs: ClassVar[Needs] = Needs()

    def __init__(self, models: Sequence[str]) -> None:
        """models: the models it works with, the device's first."""
        self.start_model = models[0]
        self.server_model = models[-1]

    def paths(self, model: ModelShape) -> Iterable[Path]:
        """Every path of ``model`` that the policy may send a request along, the empty one excepted."""
        return ()

    def prepare(self, facts: Facts) -> None:
        """Called once on each node's instance before the run."""
        self.facts = facts

    @abstractmethod
    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        """The steps to carry out now.

        Asked when the request reaches the processor, and again after a plan whose last step was neither
        ``Send``, ``Answer``, ``Cancel`` nor ``Stop``.
        """

    def alone(self, request: RequestView) -> Sequence[Step]:
        """The steps at a device that has waited in vain for a server, to the end of the request.

        Here: run all that is left of its model, and answer with the last exit.
        """
        return to_the_end(self.facts.models[request.model].shape)

    def learn(self, feedback: Feedback) -> None:  # noqa: B027 (most policies do not learn)
        """Called at the device when all work on one of its requests has ended."""
