"""A plan with every look-up done: what a node walks through for request after request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from edgesim.engine.places import Place
from edgesim.engine.routes import Route, Routes
from edgesim.errors import InputError
from edgesim.outcomes.scores import Scores
from edgesim.policies.steps import Answer, Cancel, Exit, Run, Send, Step, Stop, Wait, When

if TYPE_CHECKING:
    from edgesim.compute.nodes import Node, Server
    from edgesim.profiling.costs import Costs, Seconds

MOST_KEPT = 1024
"""Programs that a node keeps, and those that nodes share; a policy that makes up new plans for ever must not fill the
memory."""


class Piece(NamedTuple):
    """Run blocks up to ``to``; seconds: preprocessing included where they start from the image."""

    to: int
    seconds: Seconds


class Branch(NamedTuple):
    """Run an exit's branch; answers: its scores by sample.  seconds: None where it costs nothing, as below."""

    exit: int
    answers: list[Scores]
    seconds: Seconds | None


class Give(NamedTuple):
    """Answer with an exit that was run."""

    exit: int
    depth: int
    model: str
    when: When | None


class Ship(NamedTuple):
    """Encode and send; sizes: payload bytes by sample.  behind: where the data comes to.  decode: at the server.

    route: hops between servers; a device's own link comes before them.
    """

    server: Server
    codec: str
    cut: int
    behind: Place
    sizes: list[int]
    encode: Seconds | None
    decode: Seconds | None
    route: Route = ()


class Revoke(NamedTuple):
    """Send a message that ``server`` should drop what it still has queued."""

    server: Server
    route: Route = ()


Operation = Piece | Branch | Give | Ship | Revoke | Stop | Wait


class Program(NamedTuple):
    """The operations of a plan, which it keeps, as programs are found again by the plan's identity."""

    steps: tuple[Step, ...]
    operations: tuple[Operation, ...]


class Compiler:
    """Makes programs.

    servers: by name.  places: the root place of each model.  depths: for each model the rank of its exits.  routes:
    between servers.
    """

    def __init__(
        self,
        servers: Mapping[str, Server],
        places: Mapping[str, Place],
        depths: Mapping[str, tuple[int, ...]],
        routes: Routes,
    ) -> None:
        self._servers, self._places, self._depths, self._routes = servers, places, depths, routes
        self._shared: dict[tuple[Any, ...], tuple[Operation, ...]] = {}

    def depth(self, model: str, exit: int) -> int:
        """The rank of an exit among those of all models."""
        return self._depths[model][exit]

    def program(self, node: Node, place: Place, blocks: int, steps: Any) -> Program:
        """The program of what ``node``'s policy gave, for data at ``place`` of which ``blocks`` blocks have been run.

        Raises InputError naming the node where the steps cannot be carried out.
        """
        key = (id(steps), place, blocks)
        programs = node.programs
        found = programs.get(key)
        if found is None:
            plan = _plan(node, steps)
            found = Program(plan, self._shared_operations(node, place, blocks, plan))
            if plan is steps:  # what is no tuple may be another plan the next time
                _keep(programs, key, found)
        return found

    def _shared_operations(
        self, node: Node, place: Place, blocks: int, plan: tuple[Step, ...]
    ) -> tuple[Operation, ...]:
        """Nodes with the same costs and the same ways have the same operations for equal plans."""
        key = (node.is_device, node.entry, tuple(node.costs.values()), place, blocks, plan)
        try:
            found = self._shared.get(key)
        except TypeError:  # what cannot be hashed holds something that is no step
            return self._compile(node, place, blocks, plan)
        if found is None:
            found = self._compile(node, place, blocks, plan)
            _keep(self._shared, key, found)
        return found

    def _compile(self, node: Node, place: Place, blocks: int, steps: Sequence[Step]) -> tuple[Operation, ...]:
        costs = node.costs[place.model]
        operations: list[Operation] = []
        for step in steps:
            if operations and isinstance(operations[-1], Ship) and not node.is_device:
                raise InputError(
                    f"{node.name}: {step!r} behind a Send; a server sends a request on and is done with it"
                )
            match step:
                case Run():
                    operations += _run(node, costs, blocks, step.to_block)
                    blocks = step.to_block
                case Exit():
                    operations.append(_branch(node, costs, place, blocks, step.exit))
                case Answer():
                    self._check_exit(node, place, step.exit)
                    depth = self._depths[place.model][step.exit]
                    operations.append(Give(step.exit, depth, place.model, step.when))
                case Send():
                    operations.append(self._ship(node, place, blocks, step))
                case Cancel():
                    _check_device(node, step)
                    server = self._server(node, step)
                    operations.append(Revoke(server, self._route(node, server)))
                case Wait():
                    _check_device(node, step)
                    operations.append(step)
                case Stop():
                    operations.append(step)
                case _:
                    raise InputError(f"{node.name}: {step!r} is not a step")
        return tuple(operations)

    def _check_exit(self, node: Node, place: Place, exit: int) -> None:
        if not 0 <= exit < len(self._depths[place.model]):
            raise InputError(f"{node.name}: Answer({exit}) before Exit({exit})")

    def _ship(self, node: Node, place: Place, blocks: int, step: Send) -> Ship:
        server = self._server(node, step)
        route = self._route(node, server)
        cut = blocks
        if step.payload == "image":
            model = step.model or place.model
            if model not in self._places:
                raise InputError(f"{node.name}: {step!r}, but the models are {', '.join(self._places)}")
            cut, place = 0, self._places[model]
        elif cut == 0:
            raise InputError(f"{node.name}: no block has been run, send the image instead of the state")
        sizes, behind = place.behind(cut, step.codec)
        encode = node.costs[place.model].encode(step.codec, cut)
        decode = server.costs[place.model].decode(step.codec, cut)
        return Ship(server, step.codec, cut, behind, sizes, encode, decode, route)

    def _route(self, node: Node, server: Server) -> Route:
        """Hops between servers; a device reaches a server directly unless connections lead from its own one there."""
        route = self._routes.between(node.entry, server.role)
        if route or node.is_device:
            return route or ()
        why = "it is itself" if route is not None else "no connections lead there"
        raise InputError(f"{node.name}: a server cannot send a request to {server.role}: {why}")

    def _server(self, node: Node, step: Send | Cancel) -> Server:
        if step.to not in self._servers:
            raise InputError(f"{node.name}: {step!r}, but the servers are {', '.join(self._servers) or 'none'}")
        return self._servers[step.to]


def _keep(kept: dict[Any, Any], key: Any, value: Any) -> None:
    if len(kept) >= MOST_KEPT:
        kept.clear()
    kept[key] = value


def _plan(node: Node, steps: Any) -> tuple[Step, ...]:
    policy = type(node.policy).__name__
    try:
        plan = tuple(steps)
    except TypeError:
        raise InputError(f"policy {policy} gave {steps!r} at {node.name}, which is no sequence of steps") from None
    if not plan:
        raise InputError(f"policy {policy} gave no step at {node.name}")
    return plan


def _check_device(node: Node, step: Step) -> None:
    if node.is_device:
        return
    raise InputError(f"{node.name}: {step!r}, but only a device can {type(step).__name__.lower()}")


def _run(node: Node, costs: Costs, done: int, to: int) -> list[Operation]:
    if not done <= to <= costs.num_blocks:
        raise InputError(f"{node.name}: Run({to}), but {done} of {costs.num_blocks} blocks have been run")
    if to == done:
        return []
    piece = costs.piece(done, to)
    preprocess = None if done else costs.preprocess()
    return [Piece(to, piece if preprocess is None else lambda luck: piece(luck) + preprocess(luck))]


def _branch(node: Node, costs: Costs, place: Place, blocks: int, exit: int) -> Branch:
    exits = costs.exits
    if not 0 <= exit < len(exits):
        raise InputError(f"{node.name}: Exit({exit}), but the model has exits 0 to {len(exits) - 1}")
    if exits[exit] != blocks:
        raise InputError(f"{node.name}: Exit({exit}) sits after {exits[exit]} blocks, not {blocks}")
    answers = place.exits[exit]
    assert answers is not None  # an exit before the place's cut sits after fewer blocks
    return Branch(exit, answers, costs.branch(exit))
