"""The parts of a measurement that time the model.  They need torch and nothing else.

Each gives plain lists and dicts, as they stand in a profile.  One rule for all: what is timed runs without gradients
on contiguous tensors, and the clock is read after the device has finished.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

from edgesim.errors import InputError
from edgesim.models.state import TensorSpec
from edgesim.profiling.sampling import Effort, Job, Row, Sampler

Value = Any
"""Images (a Tensor) before block 0, a state (named Tensors) after it."""
Section = dict[str, Any]

BLOCKS = (-1, -1)
"""Beside pieces (start, stop): the pass that times every block."""
SHARES = {"batch 1": 0.2, "piece batches": 0.42, "batches": 0.12, "branches": 0.06, "idle": 0.08, "codecs": 0.1}
"""Of the time budget; the rest is for what is small."""


class Chain(Protocol):
    """What can be measured: a multi-exit model, or its exported form."""

    @property
    def num_blocks(self) -> int: ...
    @property
    def exits(self) -> tuple[int, ...]: ...
    def run(self, images_or_state: Value, start: int, stop: int) -> Value: ...
    def exit(self, state: Value, index: int) -> Tensor: ...


class Stopwatch:
    """Runs pieces of a chain on a device and times them."""

    def __init__(self, chain: Chain, inputs: Tensor) -> None:
        self.chain, self.inputs = chain, inputs
        self.finish: Callable[[], None] = torch.cuda.synchronize if inputs.is_cuda else lambda: None

    def images(self, batch: int) -> Tensor:
        """(batch, C, H, W): the inputs, repeated as often as needed."""
        return self.inputs.repeat(-(-batch // len(self.inputs)), 1, 1, 1)[:batch].contiguous()

    def state(self, batch: int, cut: int) -> Value:
        return contiguous(self.chain.run(self.images(batch), 0, cut))

    def once(self, run: Callable[[], object]) -> Row:
        began = time.perf_counter()
        run()
        self.finish()
        return [time.perf_counter() - began]

    def each_block(self, images: Tensor) -> Row:
        chain, value, row = self.chain, images, []
        before = time.perf_counter()
        for index in range(chain.num_blocks):
            value = chain.run(value, index, index + 1)
            self.finish()
            now = time.perf_counter()
            row.append(now - before)
            before = now
        return row

    def each_branch(self, states: Sequence[Value]) -> Row:
        row = []
        before = time.perf_counter()
        for index, state in enumerate(states):
            self.chain.exit(state, index)
            self.finish()
            now = time.perf_counter()
            row.append(now - before)
            before = now
        return row

    def whole(self, images: Tensor) -> None:
        chain = self.chain
        chain.exit(chain.run(images, 0, chain.num_blocks), len(chain.exits) - 1)
        self.finish()


def contiguous(value: Value) -> Value:
    if isinstance(value, Tensor):
        return value.contiguous()
    return {name: tensor.contiguous() for name, tensor in value.items()}


def rounded(rows: Sequence[Row]) -> list[Row]:
    """To nanoseconds, and never to zero."""
    return [[max(round(seconds, 9), 1e-9) for seconds in row] for row in rows]


def column(rows: Sequence[Row], index: int = 0) -> Row:
    return [row[index] for row in rounded(rows)]


def chain_and_pieces(watch: Stopwatch, sampler: Sampler) -> Section:
    """Whole passes block by block at every batch size, and pieces in the same rounds where pieces are wanted."""
    effort, passes, pieces = sampler.effort, [], []
    for batch in effort.batches:
        jobs: dict[tuple[int, int], Job] = {BLOCKS: Job(partial(watch.each_block, watch.images(batch)))}
        if batch in effort.piece_batches:
            jobs |= _piece_jobs(watch, batch)
        rows = effort.first_rows if batch == 1 else effort.rows
        taken = sampler.collect(f"blocks, batch {batch}", jobs, rows, _share(effort, batch))
        passes.append({"batch": batch, "rows_s": rounded(taken.pop(BLOCKS))})
        pieces += [
            {"start": start, "stop": stop, "batch": batch, "seconds": column(rows)}
            for (start, stop), rows in taken.items()
        ]
    return {"chain": passes, "pieces": pieces}


def _share(effort: Effort, batch: int) -> float:
    if batch == 1:
        return SHARES["batch 1"]
    key = "piece batches" if batch in effort.piece_batches else "batches"
    alike = [size for size in effort.batches if size > 1 and (size in effort.piece_batches) == (key == "piece batches")]
    return SHARES[key] * batch / sum(alike)


def _piece_jobs(watch: Stopwatch, batch: int) -> dict[tuple[int, int], Job]:
    """Suffixes; at batch 1 prefixes too."""
    last = watch.chain.num_blocks
    ends = [(start, last) for start in range(last)]
    if batch == 1:
        ends += [(0, stop) for stop in range(1, last)]
    states = {start: watch.state(batch, start) for start, _ in ends}

    def job(start: int, stop: int) -> Job:
        return Job(partial(watch.once, partial(watch.chain.run, states[start], start, stop)))

    return {(start, stop): job(start, stop) for start, stop in ends}


def branches(watch: Stopwatch, sampler: Sampler) -> Section:
    """Every exit's branch, one after the other on kept states, at every batch size."""
    effort, passes = sampler.effort, []
    for batch in effort.batches:
        states = [watch.state(batch, after) for after in watch.chain.exits]
        rows = effort.first_rows if batch == 1 else effort.rows
        jobs = {0: Job(partial(watch.each_branch, states))}
        share = SHARES["branches"] / len(effort.batches)
        taken = sampler.collect(f"branches, batch {batch}", jobs, rows, share)
        passes.append({"batch": batch, "rows_s": rounded(taken[0])})
    return {"branches": passes}


def idle(watch: Stopwatch, sampler: Sampler) -> Section:
    """Whole passes, each after an untimed one and a gap in which nothing is done."""
    images = watch.images(1)
    watched = partial(watch.whole, images)

    def rest(gap_s: float) -> None:
        watched()
        if gap_s:
            time.sleep(gap_s)

    jobs = {gap_s: Job(partial(watch.once, watched), partial(rest, gap_s)) for gap_s in sampler.effort.gaps_s}
    taken = sampler.collect("idle gaps", jobs, sampler.effort.rows, SHARES["idle"])
    return {"idle": [{"gap_s": gap_s, "seconds": column(rows)} for gap_s, rows in taken.items()]}


def gather(watch: Stopwatch, sampler: Sampler) -> Section:
    """Every second sample picked out of a batch of the state after the stem, the largest in most backbones."""

    def pick(state: Mapping[str, Tensor], rows: Tensor) -> None:
        for value in state.values():
            value[rows]

    def job(batch: int) -> Job:
        state, rows = watch.state(2 * batch, 1), torch.arange(0, 2 * batch, 2, device=watch.inputs.device)
        return Job(partial(watch.once, partial(pick, state, rows)))

    taken = sampler.collect(
        "gather", {batch: job(batch) for batch in sampler.effort.batches}, sampler.effort.rows, 0.01
    )
    return {"gather": [{"batch": batch, "seconds": column(rows)} for batch, rows in taken.items()]}


def check_shapes(chain: Chain, inputs: Tensor, cuts: Sequence[Sequence[TensorSpec]]) -> None:
    """Raise InputError unless the state after every block is what the cuts say."""
    value: Value = inputs[:1]
    for cut in range(1, len(cuts) - 1):
        value = chain.run(value, cut - 1, cut)
        found = {name: tuple(tensor.shape[1:]) for name, tensor in value.items()}
        wanted = {spec.name: tuple(spec.shape) for spec in cuts[cut]}
        if found != wanted:
            raise InputError(f"the state at cut {cut} is {found}, the model's description says {wanted}")


def model_sections(watch: Stopwatch, sampler: Sampler, cuts: Sequence[Sequence[TensorSpec]]) -> Section:
    """Everything that needs the model and torch alone."""
    check_shapes(watch.chain, watch.inputs, cuts)
    taken = chain_and_pieces(watch, sampler) | branches(watch, sampler)
    return taken | idle(watch, sampler) | gather(watch, sampler)
