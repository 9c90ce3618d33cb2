"""Carrying out a plan at one node."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

from edgesim.compute.nodes import Device, Node
from edgesim.engine.clock import NORMAL, Callbacks, Clock, Event
from edgesim.engine.endings import DEADLINE
from edgesim.engine.live import LiveExecution
from edgesim.engine.program import Branch, Compiler, Give, Operation, Piece, Revoke, Ship
from edgesim.engine.request import (
    COMPUTE,
    DECIDE,
    ENCODE,
    ENERGY,
    SPENT_S,
    WASTED_J,
    WASTED_S,
    Cancelling,
    Request,
    Task,
)
from edgesim.errors import InputError
from edgesim.outcomes.scores import Scores
from edgesim.policies.steps import Step, Stop, Wait, When
from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S

OPEN, FINISHED, ENDED, LEAVING, AWAY = range(5)
"""What an operation leaves behind: a plan that must be followed by another; one that may end here; one that ends
here; one that goes on when its bytes have been sent, or after another event."""


def holds(when: When, exit: int, seen: Mapping[int, Scores]) -> bool:
    """Whether an exit is sure enough.  seen: the scores of all exits that were run at the node."""
    scores = seen[exit]
    if when.score == "entropy":
        return scores.entropy < when.threshold
    if when.score == "change":
        before = max((index for index in seen if index < exit), default=None)
        return before is not None and abs(scores.prediction - seen[before].prediction) <= when.threshold
    return getattr(scores, when.score) >= when.threshold


def struck(t_s: float, abort_s: float, operation: Operation) -> bool:
    """Whether the deadline stops what is due no sooner: at that very instant answers come first."""
    return t_s > abort_s + ON_TIME_TOLERANCE_S or not isinstance(operation, Branch | Give)


def leads_nowhere(node: Node) -> InputError:
    """For a policy that, asked again, gives a plan that neither runs anything nor ends."""
    return InputError(f"policy {type(node.policy).__name__} at {node.name}: a second plan that leads nowhere")


class Plans(ABC):
    """The part of the engine that decides and walks through plans.

    A plan is walked at once, adding up its times, until the first moment at which somebody else could see or
    change something: a send, or its end, unless the device may book it ahead.  A piece is not interrupted; an
    aborting device stops at the end of the piece during which the deadline strikes.
    """

    clock: Clock
    compiler: Compiler
    low_s: float
    high_s: float
    end_s: float
    live: LiveExecution | None
    _at: Callable[[float, int, Any], None]

    def __init__(self) -> None:
        self._undecided: Task | None = None
        self._on_leave: Callbacks = (self._leave,)
        self._on_waited: Callbacks = (self._waited,)
        self._on_cancel: Callbacks = (self._cancel_leaves,)
        self._on_device_done: Callbacks = (self._device_done,)
        self._on_served: Callbacks = (self._served,)
        self._on_ask_again: Callbacks = (self._ask_again,)
        self._on_reply: Callbacks = (self._reply,)

    def _work(self, node: Node, task: Task, now: float) -> None:
        """A task has reached the processor: decide what to do with it, and set to it."""
        task.luck = luck = task.request.lucks[node.slot]
        task.began_s = now
        costs = node.costs[task.place.model]
        task.factor = factor = costs.idle_factor(now - node.last_end_s) if costs.wakes else 1.0
        decide_s = self._decide(node, task, now)
        t_s = now + decide_s
        shipped = task.shipped
        if shipped is not None:
            task.shipped = None
            if shipped.decode is not None:
                t_s += shipped.decode(luck) * factor
        if self._undecided is None:
            self._walk(node, task, t_s, decide_s)
        else:
            task.t_s = t_s

    def _decide(self, node: Node, task: Task, now: float) -> float:
        """Ask the node's policy, or the caller; the seconds that it takes."""
        steps: Sequence[Step] | None = node.plan
        if steps is None:
            node.deciding, node.now_s = task, now
            policy = node.policy
            if policy is None:
                self._undecided = task
                return 0.0
            steps = policy.next_steps(node.request_view, node.view)
        found = node.programs.get((id(steps), task.place, task.blocks))
        if found is None:
            found = self.compiler.program(node, task.place, task.blocks, steps)
        task.operations = found.operations
        task.at = 0
        samples = node.decision_s
        return samples[int(task.luck * len(samples))]

    def _walk(self, node: Node, task: Task, t: float, decide_s: float = 0.0) -> None:
        """Walk through the rest of the plan from time ``t`` on."""
        request, operations, abort_s = task.request, task.operations, task.abort_s
        luck, factor = task.luck, task.factor
        compute_s = encode_s = 0.0
        state = OPEN
        for at in range(task.at, len(operations)):
            operation = operations[at]
            if t >= abort_s and struck(t, abort_s, operation):
                request.reason = DEADLINE
                state = ENDED
                break
            if task.given is not None:
                self._emit(task, t)
            if type(operation) is Piece:
                to, piece = operation
                seconds = piece(luck) * factor
                t += seconds
                compute_s += seconds
                task.blocks = to
                state = OPEN
                if self.live is not None:
                    self.live.run(task.place.model, [task.live], to)
            elif type(operation) is Branch:
                self._see(task, operation)
                if operation.seconds is not None:
                    seconds = operation.seconds(luck) * factor
                    t += seconds
                    compute_s += seconds
                state = OPEN
            elif type(operation) is Give:
                state = self._give(task, operation, t)
                if state == ENDED:
                    break
            elif type(operation) is Ship:
                if operation.encode is not None:
                    encode_s = operation.encode(luck) * factor
                    t += encode_s
                task.shipped, task.at, state = operation, at + 1, LEAVING
                break
            else:
                state = self._other(task, operation, t)
                if state >= ENDED:
                    break
        task.t_s = t
        if node.is_device:
            self._account(node, request, decide_s, compute_s, encode_s, t)  # type: ignore[arg-type]
            if state in (FINISHED, ENDED):
                task.callbacks = self._on_device_done
                if node.ends_ahead and t < self.end_s:  # type: ignore[attr-defined]
                    self._device_done(task)
                    return
            elif state == LEAVING:
                task.callbacks = self._on_leave
                if node.sends_ahead and t < self.end_s:  # type: ignore[attr-defined]
                    self._leave(task)
                    return
        else:
            task.callbacks = self._on_served
            if node.serves_ahead:  # type: ignore[attr-defined]
                if state != OPEN and t < self.end_s:
                    self._served(task)
                    return
                node.last_end_s = inf
        if state == OPEN:
            task.callbacks = self._on_ask_again
        self._then(node, task, t)

    def _then(self, node: Node, task: Task, t: float) -> None:
        """What follows on a plan follows at ``t``."""
        self._at(t, NORMAL, task)

    def _see(self, task: Task, branch: Branch) -> None:
        """Let an exit answer; the node that holds the task sees its scores from here on."""
        exit, sample = branch.exit, task.request.sample
        if self.live is None:
            task.seen[exit] = branch.answers[sample]
        else:
            task.seen[exit] = self.live.exit(task.place, task.live, exit, sample)

    def _give(self, task: Task, give: Give, t: float) -> int:
        exit, depth, model, when = give
        scores = task.seen.get(exit)
        if scores is None:
            raise InputError(f"{task.node.name}: Answer({exit}) before Exit({exit})")
        if when is not None and not holds(when, exit, task.seen):
            return OPEN
        answer = (t, depth, model, exit, scores)
        if task.node.is_device:
            task.request.answers.append(answer)
        else:
            task.given = answer
        return FINISHED if when is None else ENDED

    def _other(self, task: Task, operation: Operation, t: float) -> int:
        """The rarer operations."""
        if isinstance(operation, Revoke):
            device: Device = task.node  # type: ignore[assignment]
            device.sends_ahead = device.ends_ahead = False  # what it books ahead could overtake the message
            cancelling = Cancelling(task.request, operation.server, operation.route)
            self._at(t, NORMAL, Event(cancelling, self._on_cancel))
            return FINISHED
        if isinstance(operation, Wait):
            task.ready_s = max(t, operation.until_s)
            task.callbacks = self._on_waited
            return AWAY
        assert isinstance(operation, Stop)
        task.request.reason = operation.reason
        return ENDED

    def _account(
        self, device: Device, request: Request, decide_s: float, compute_s: float, encode_s: float, stop: float
    ) -> None:
        """Book what the device's processor has done for the request up to ``stop``."""
        sums = request.sums
        seconds = decide_s + compute_s + encode_s
        sums[DECIDE] += decide_s
        sums[COMPUTE] += compute_s
        sums[ENCODE] += encode_s
        sums[SPENT_S] += seconds
        sums[ENERGY] += device.compute_w * seconds
        start = stop - seconds
        device.busy_s += seconds if self.low_s <= start and stop <= self.high_s else self._within(start, stop)
        if stop > request.deadline_s:
            sums[WASTED_J] += device.compute_w * self._late(request, start, stop, 1.0)

    def _within(self, start: float, stop: float) -> float:
        """The part of a stretch of time that lies in the measured window, s."""
        return max(0.0, min(stop, self.high_s) - max(start, self.low_s))

    def _book_wait(self, node: Node, task: Task, now: float) -> None:
        """A task leaves the node's queue."""
        since = task.ready_s
        node.queue_area_s += now - since if self.low_s <= since and now <= self.high_s else self._within(since, now)

    def _late(self, request: Request, start: float, stop: float, share: float) -> float:
        """Book the part of some work that lies behind the request's deadline as wasted; its seconds."""
        late_s = share * (stop - max(start, request.deadline_s))
        if late_s <= 0:
            return 0.0
        request.sums[WASTED_S] += late_s
        return late_s

    def _emit(self, task: Task, t: float) -> None:
        """Let an answer leave the server while its request goes on."""
        twin = task.copy()
        twin.t_s, task.given = t, None
        if task.node.serves_ahead and t < self.end_s:  # type: ignore[attr-defined]
            self._reply(twin)
        else:
            twin.callbacks = self._on_reply
            self._at(t, NORMAL, twin)

    # What the other parts do when a stage has passed.

    @abstractmethod
    def _leave(self, task: Task) -> None: ...
    @abstractmethod
    def _waited(self, task: Task) -> None: ...
    @abstractmethod
    def _cancel_leaves(self, event: Event) -> None: ...
    @abstractmethod
    def _device_done(self, task: Task) -> None: ...
    @abstractmethod
    def _served(self, task: Task) -> None: ...
    @abstractmethod
    def _ask_again(self, task: Task) -> None: ...
    @abstractmethod
    def _reply(self, task: Task) -> None: ...
