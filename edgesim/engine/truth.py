"""What only an oracle knows: true finishes and true labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from edgesim.compute.nodes import Node, Server
from edgesim.engine.places import Place
from edgesim.engine.request import Task
from edgesim.outcomes.path import Path, format_path
from edgesim.outcomes.scores import Scores
from edgesim.policies.steps import Exit, Run, Send, Step
from edgesim.profiling.costs import Costs


class Truth:
    """The truth about the request that a node decides on (``policies.base.Truth``).

    Exact where requests never meet: the keyed costs, the exogenous rates, and what the device's own FIFO links hold
    already.  What others will send is not known: a cell counts as if nobody else used it, and the wait at a server
    is its present expectation.  Nor is a link's luck: no packet counts as lost, no message as jittered.
    """

    def __init__(self, node: Node, places: Mapping[str, Place], servers: Mapping[str, Server]) -> None:
        self._node, self._places, self._servers = node, places, servers

    def finish_s(self, device_steps: Sequence[Step], server_steps: Sequence[Step]) -> float:
        """See ``policies.base.Truth``."""
        node, task = self._node, self._node.deciding
        costs = node.costs[task.place.model]
        t = node.now_s + _decision_s(node, task.luck)
        if not node.is_device:
            t += _decode_s(task)
            _, t = _walk(costs, task.luck, task.factor, task.blocks, server_steps, t)
            return self._answer_s(task, node, t)  # type: ignore[arg-type]
        cut, t = _walk(costs, task.luck, task.factor, task.blocks, device_steps, t)
        for step in device_steps:
            if isinstance(step, Send):
                return self._by_server(task, step, cut, server_steps, t)
        return t

    def correct(self, model: str, path: Path, exit: int) -> bool:
        """See ``policies.base.Truth``."""
        return self._scores(model, path, exit).correct

    def error(self, model: str, path: Path, exit: int) -> float:
        """See ``policies.base.Truth``."""
        return self._scores(model, path, exit).error

    def _scores(self, model: str, path: Path, exit: int) -> Scores:
        place = self._places[model]
        for hop in path:
            place = place.behind(*hop)[1]
        answers = place.exits[exit]
        if answers is None:
            raise ValueError(f"exit {exit} of {model!r} sits before the last cut of {format_path(path)}")
        return answers[self._node.deciding.request.sample]

    def _by_server(self, task: Task, step: Send, cut: int, steps: Sequence[Step], t: float) -> float:
        request, device, server = task.request, task.request.device, self._servers[step.to]
        place = task.place
        if step.payload == "image":
            cut, place = 0, self._places[step.model or place.model]
        t += device.costs[place.model].encode_s(step.codec, cut, task.luck) * task.factor
        nbytes = place.behind(cut, step.codec)[0][request.sample] + server.carried_bytes
        t = device.uplink.foreseen_s(t, nbytes)
        if t == inf:
            return inf
        t += server.batching.max_wait_s if server.batching is not None else server.expected_wait_s()
        costs, luck = server.costs[place.model], request.lucks[server.slot]
        factor = costs.idle_factor(t - server.last_end_s)
        t += _decision_s(server, luck) + costs.decode_s(step.codec, cut, luck) * factor
        return self._answer_s(task, server, _walk(costs, luck, factor, cut, steps, t)[1])

    def _answer_s(self, task: Task, server: Server, t: float) -> float:
        foreseen_s: float = task.request.device.downlink.foreseen_s(t, server.result_bytes)
        return foreseen_s


def _decision_s(node: Node, luck: float) -> float:
    return node.decision_s[int(luck * len(node.decision_s))]


def _decode_s(task: Task) -> float:
    if task.shipped is None or task.shipped.decode is None:
        return 0.0
    return task.shipped.decode(task.luck) * task.factor


def _walk(costs: Costs, luck: float, factor: float, blocks: int, steps: Sequence[Step], t: float) -> tuple[int, float]:
    """Blocks run and time after the runs and exits of ``steps``, as ``Plans`` counts them."""
    for step in steps:
        if isinstance(step, Run) and step.to_block > blocks:
            seconds = costs.piece(blocks, step.to_block)(luck)
            if blocks == 0:
                seconds += costs.preprocess_s(luck)
            t += seconds * factor
            blocks = step.to_block
        elif isinstance(step, Exit):
            branch = costs.branch(step.exit)
            t += branch(luck) * factor if branch else 0.0
    return blocks, t
