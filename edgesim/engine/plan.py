"""Carrying out a plan at one node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgesim.compute.nodes import Device, Server
from edgesim.engine.clock import NORMAL, Callbacks, Clock, Event
from edgesim.engine.live import LiveExecution
from edgesim.engine.places import Place
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
from edgesim.policies.steps import Answer, Cancel, Exit, Run, Send, Step, Stop, Wait, When
from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S

DEADLINE = "deadline"
"""Why a request is dropped that an aborting node gave up."""

OPEN, FINISHED, ENDED, AWAY = range(4)
"""What a step leaves behind: a plan that must be followed by another; one that may end here; one that ends
here; one that goes on after an event."""


def holds(when: When, scores: Scores) -> bool:
    """Whether an exit is sure enough."""
    if when.score == "entropy":
        return scores.entropy < when.threshold
    return getattr(scores, when.score) >= when.threshold


def struck(task: Task, step: Step) -> bool:
    """Whether the deadline stops a step that is due no sooner: at that very instant answers come first."""
    return task.t_s > task.abort_s + ON_TIME_TOLERANCE_S or not isinstance(step, Exit | Answer)


class Plans:
    """The part of the engine that walks through plans.

    A plan is walked at once, adding up its times, until the first moment at which somebody else could see or
    change something: a send, or its end.  A piece is not interrupted; an aborting device stops at the end of
    the piece during which the deadline strikes.
    """

    clock: Clock
    _schedule: Callable[[Any, int, float], None]
    servers: Mapping[str, Server]
    depths: Mapping[str, tuple[int, ...]]
    window: tuple[float, float]
    places: Mapping[str, Place]
    live: LiveExecution | None
    _on_leave: Callbacks
    _on_waited: Callbacks
    _on_cancel: Callbacks
    _on_device_done: Callbacks
    _on_served: Callbacks
    _on_ask_again: Callbacks
    _on_reply: Callbacks

    def __init__(self) -> None:
        self._handlers: dict[type, Callable[[Task, Any], int]] = {
            Answer: self._answer,
            Send: self._encode,
            Stop: self._stop,
            Cancel: self._send_cancel,
            Wait: self._wait,
        }

    def _carry_out(self, task: Task, now: float) -> None:
        """Walk through ``task.todo`` from ``task.t_s`` on; ``now`` is the clock's time."""
        node, abort_s = task.node, task.abort_s
        state = OPEN
        for step in task.todo:
            if task.t_s >= abort_s and struck(task, step):
                task.request.reason = DEADLINE
                state = ENDED
                break
            if task.given is not None:
                self._emit(task, now)
            kind = step.__class__
            if kind is Run:
                self._run(task, step.to_block)  # type: ignore[union-attr]
                state = OPEN
            elif kind is Exit:
                self._exit(task, step.exit)  # type: ignore[union-attr]
                state = OPEN
            else:
                handle = self._handlers.get(kind)
                if handle is None:
                    raise InputError(f"{node.name}: {step!r} is not a step")
                state = handle(task, step)
                if state >= ENDED:
                    break
        if node.is_device:
            self._account(task)
        if state == AWAY:
            return
        if state == OPEN:
            task.callbacks = self._on_ask_again
        else:
            task.callbacks = self._on_device_done if node.is_device else self._on_served
        self._schedule(task, NORMAL, task.t_s - now)

    def _run(self, task: Task, to: int) -> None:
        costs, done = task.costs, task.blocks
        if not done <= to <= costs.num_blocks:
            raise InputError(f"{task.node.name}: Run({to}), but {done} of {costs.num_blocks} blocks have been run")
        if to > done:
            row = task.row
            seconds = costs.overhead_s + row[to] - row[done]
            if done == 0:
                seconds += costs.preprocess_s(task.luck)
            seconds *= task.factor
            task.t_s += seconds
            task.compute_s += seconds
            task.blocks = to
            if self.live is not None:
                self.live.run(task.place.model, [task.live], to)

    def _exit(self, task: Task, index: int) -> None:
        self._see(task, index)
        seconds = task.branches[index] * task.factor
        task.t_s += seconds
        task.compute_s += seconds

    def _see(self, task: Task, index: int) -> None:
        """Let an exit answer; the node that holds the task sees its scores from here on."""
        exits = task.costs.exits
        if not 0 <= index < len(exits):
            raise InputError(f"{task.node.name}: Exit({index}), but the model has exits 0 to {len(exits) - 1}")
        if exits[index] != task.blocks:
            raise InputError(f"{task.node.name}: Exit({index}) sits after {exits[index]} blocks, not {task.blocks}")
        if self.live is not None:
            task.seen[index] = self.live.exit(task.place, task.live, index, task.request.sample)
        else:
            task.seen[index] = task.place.exits[index][task.request.sample]  # type: ignore[index]

    def _answer(self, task: Task, step: Answer) -> int:
        index, when = step.exit, step.when
        scores = task.seen.get(index)
        if scores is None:
            raise InputError(f"{task.node.name}: Answer({index}) before Exit({index})")
        if when is not None and not holds(when, scores):
            return OPEN
        answer = (task.t_s, self.depths[task.place.model][index], task.place.model, index, scores)
        if task.node.is_device:
            task.request.answers.append(answer)
        else:
            task.given = answer
        return FINISHED if when is None else ENDED

    def _encode(self, task: Task, step: Send) -> int:
        if not task.node.is_device:
            raise InputError(f"{task.node.name}: a server cannot send a request further")
        self._check_server(task, step)
        if step.payload == "image":
            model = step.model or task.place.model
            if model not in self.places:
                raise InputError(f"{task.node.name}: {step!r}, but the models are {', '.join(self.places)}")
            cut, place = 0, self.places[model]
        else:
            cut, place = task.blocks, task.place
            if cut == 0:
                raise InputError(f"{task.node.name}: no block has been run, send the image instead of the state")
        sizes, behind = place.behind(cut, step.codec)
        costs = task.costs if place.model == task.place.model else task.node.costs[place.model]
        seconds = costs.encode_s(step.codec, cut, task.luck) * task.factor
        task.t_s += seconds
        task.encode_s += seconds
        task.pending = (step, cut, behind, sizes[task.request.sample])
        task.callbacks = self._on_leave
        self._schedule(task, NORMAL, task.t_s - self.clock.now)
        return AWAY

    def _check_server(self, task: Task, step: Send | Cancel) -> None:
        if step.to not in self.servers:
            raise InputError(f"{task.node.name}: {step!r}, but the servers are {', '.join(self.servers) or 'none'}")

    def _stop(self, task: Task, step: Stop) -> int:
        task.request.reason = step.reason
        return ENDED

    def _send_cancel(self, task: Task, step: Cancel) -> int:
        if not task.node.is_device:
            raise InputError(f"{task.node.name}: {step!r}, but only a device can cancel")
        self._check_server(task, step)
        event = Event(Cancelling(task.request, self.servers[step.to]), self._on_cancel)
        self._schedule(event, NORMAL, task.t_s - self.clock.now)
        return FINISHED

    def _wait(self, task: Task, step: Wait) -> int:
        if not task.node.is_device:
            raise InputError(f"{task.node.name}: only a device can wait")
        task.ready_s = max(task.t_s, step.until_s)
        task.callbacks = self._on_waited
        self._schedule(task, NORMAL, task.t_s - self.clock.now)
        return AWAY

    def _account(self, task: Task) -> None:
        """Book what the device's processor has done for the request since the last time."""
        device: Device = task.node  # type: ignore[assignment]
        request = task.request
        sums = request.sums
        seconds = task.decide_s + task.compute_s + task.encode_s
        sums[DECIDE] += task.decide_s
        sums[COMPUTE] += task.compute_s
        sums[ENCODE] += task.encode_s
        sums[SPENT_S] += seconds
        sums[ENERGY] += device.compute_w * seconds
        task.decide_s = task.compute_s = task.encode_s = 0.0
        stop = task.t_s
        low, high = self.window
        if stop > low and stop - seconds < high:
            device.busy_s += min(stop, high) - max(stop - seconds, low)
        if stop > request.deadline_s:
            sums[WASTED_J] += device.compute_w * self._late(request, stop - seconds, stop, 1.0)

    def _late(self, request: Request, start: float, stop: float, share: float) -> float:
        """Book the part of some work that lies behind the request's deadline as wasted; its seconds."""
        late_s = share * (stop - max(start, request.deadline_s))
        if late_s <= 0:
            return 0.0
        request.sums[WASTED_S] += late_s
        return late_s

    def _emit(self, task: Task, now: float) -> None:
        """Let an answer leave the server while its request goes on."""
        twin = task.copy()
        task.given = None
        twin.callbacks = self._on_reply
        self._schedule(twin, NORMAL, task.t_s - now)
