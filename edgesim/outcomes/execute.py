"""Executes a multi-exit model along paths: a prefix tree of pieces, each run once for each batch of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from edgesim.codecs.names import parse
from edgesim.codecs.tensors import State, encode, roundtrip
from edgesim.data.dataset import Dataset
from edgesim.data.images import encode_image, roundtrip_images
from edgesim.errors import InputError
from edgesim.models.multi_exit import MultiExit
from edgesim.outcomes.path import Path, check_path, format_path
from edgesim.outcomes.scores import empty_scores, judge, read_out
from edgesim.outcomes.table import OutcomeTable

BATCH_SIZE = 128
Progress = Callable[[int, int], None]
"""progress(done, total), both in images x blocks."""
Value = np.ndarray | State
"""What is held after some blocks: at 0 the (B, H, W, C) uint8 images, later the state."""


class Executed(NamedTuple):
    """tables: by canonical path.  payloads: by path as sent, the bytes (samples,) of its last hop's payload."""

    tables: dict[Path, OutcomeTable]
    payloads: dict[Path, np.ndarray]


class Node:
    """One canonical path: its answers, and the hops that leave from it.

    sends: the paths as declared whose last hop leaves here, by (cut, codec) of that hop.  onwards: the nodes that lossy
    hops lead to, by the same with ``+zlib`` taken off.
    """

    def __init__(self, path: Path, exits: tuple[int, ...]) -> None:
        self.path = path
        self.cut = path[-1][0] if path else 0
        self.exits = tuple(index for index, after in enumerate(exits) if after >= self.cut)
        self.sends: dict[tuple[int, str], list[Path]] = {}
        self.onwards: dict[tuple[int, str], Node] = {}

    def grow(self, path: Path, exits: tuple[int, ...]) -> None:
        """Add ``path`` and its prefixes below this root."""
        node = self
        for length, (cut, name) in enumerate(path, start=1):
            sent = node.sends.setdefault((cut, name), [])
            if path[:length] not in sent:
                sent.append(path[:length])
            if not parse(name).is_lossless:
                hop = (cut, name.removesuffix("+zlib"))
                node = node.onwards.setdefault(hop, Node((*node.path, hop), exits))

    def walk(self) -> Iterable[Node]:
        yield self
        for node in self.onwards.values():
            yield from node.walk()


@torch.inference_mode()
def execute(
    model: MultiExit,
    dataset: Dataset,
    preprocess: Callable[[np.ndarray], Tensor],
    paths: Iterable[Path],
    progress: Progress = lambda done, total: None,
    batch_size: int = BATCH_SIZE,
) -> Executed:
    """Every exit's answers along ``paths`` and all their prefixes, the local path included.

    The model is put into ``eval`` mode.  A piece that several paths share is run once; lossless hops share the answers
    of the path without them.  Raises InputError for a path that the model does not have, or a model that does not
    answer with the data's classes (or with one value, for regression), or whose answers are not finite.
    """
    check_outputs(model, dataset)
    root = Node((), model.exits)
    for path in paths:
        check_path(path, model.num_blocks)
        root.grow(path, model.exits)
    run = _Execution(model.eval(), dataset, preprocess, root, progress)
    for start in range(0, len(dataset), batch_size):
        run.batch(slice(start, min(start + batch_size, len(dataset))))
    return Executed({node.path: run.table(node) for node in root.walk()}, run.payloads)


def check_outputs(model: MultiExit, dataset: Dataset) -> None:
    """Raise InputError where a model has not one output for each class of the data, or one for its targets."""
    outputs = model.backbone.num_classes
    if outputs == dataset.outputs:
        return
    if dataset.task == "regression":
        raise InputError(f"the model answers with {outputs} values, {dataset.name} has one target for each image")
    raise InputError(f"the model answers with {outputs} classes, {dataset.name} has {dataset.outputs}")


class _Execution:
    """The run of a tree, batch by batch, and what it has found so far."""

    def __init__(
        self,
        model: MultiExit,
        dataset: Dataset,
        preprocess: Callable[[np.ndarray], Tensor],
        root: Node,
        progress: Progress,
    ) -> None:
        self.model, self.dataset, self.preprocess, self.root, self.progress = model, dataset, preprocess, root, progress
        nodes, count = list(root.walk()), len(dataset)
        self.scores = {node.path: empty_scores(dataset.task, len(node.exits), count) for node in nodes}
        sent = [path for node in nodes for paths in node.sends.values() for path in paths]
        self.payloads = {path: np.empty(count, np.int64) for path in sent}
        self.done, self.total = 0, count * sum(model.num_blocks - node.cut for node in nodes)

    def batch(self, rows: slice) -> None:
        self._run(self.root, np.ascontiguousarray(self.dataset.images[rows]), rows)

    def _run(self, node: Node, value: Value, rows: slice) -> None:
        """Run ``value``, held after ``node.cut`` blocks, to the end, and every path that leaves on the way."""
        for cut in range(node.cut, self.model.num_blocks):
            self._send(node, cut, value, rows)
            self._answer(node, cut, value, rows)
            value = run_piece(self.model, self.preprocess, value, cut, cut + 1)
            self.done += rows.stop - rows.start
            self.progress(self.done, self.total)
        self._answer(node, self.model.num_blocks, value, rows)

    def _send(self, node: Node, cut: int, value: Value, rows: slice) -> None:
        """Count the payloads that leave ``node`` at ``cut``, and run on what arrives where a codec loses something."""
        arriving = {hop: through(hop[1], value) for hop in node.onwards if hop[0] == cut}
        for hop, paths in node.sends.items():
            if hop[0] == cut:
                sizes = arriving[hop][1] if hop in arriving else payload_sizes(hop[1], value)
                for path in paths:
                    self.payloads[path][rows] = sizes
        for hop, (arrived, _) in arriving.items():
            self._run(node.onwards[hop], arrived, rows)

    def _answer(self, node: Node, blocks: int, value: Value, rows: slice) -> None:
        """Score the exit after ``blocks`` blocks, where there is one."""
        for row, index in enumerate(node.exits):
            if self.model.exits[index] != blocks:
                continue
            outputs = self.model.exit(value, index).numpy()  # type: ignore[arg-type]
            if not np.isfinite(outputs).all():
                raise InputError(f"exit {index} along path {format_path(node.path)} answers with numbers not finite")
            for kept, found in zip(self.scores[node.path], read_out(outputs, self.dataset.task), strict=True):
                kept[row, rows] = found

    def table(self, node: Node) -> OutcomeTable:
        found = self.scores[node.path]
        correct, error = judge(found.prediction, self.dataset.labels, self.dataset.task)
        return OutcomeTable(node.exits, *found, correct=correct, error=error)


def run_piece(
    model: MultiExit, preprocess: Callable[[np.ndarray], Tensor], value: Value, start: int, stop: int
) -> Value:
    """Run blocks start .. stop-1 on images or state; what comes back is contiguous."""
    if start == stop:
        return value
    before = preprocess(value) if isinstance(value, np.ndarray) else value
    state: State = model.run(before, start, stop)  # type: ignore[assignment]
    return {name: tensor.contiguous() for name, tensor in state.items()}


def through(name: str, value: Value) -> tuple[Value, np.ndarray]:
    """What arrives of images or a state sent with a codec, and the payload bytes (B,)."""
    return roundtrip_images(name, value) if isinstance(value, np.ndarray) else roundtrip(name, value)


def payload_sizes(name: str, value: Value) -> np.ndarray:
    """The payload bytes (B,) alone."""
    if isinstance(value, np.ndarray):
        return np.array([len(encode_image(name, image)) for image in value])
    if parse(name).zlib:
        return np.array([len(payload) for payload in encode(name, value)])
    return roundtrip(name, value)[1]
