"""Runs the model inside the simulation, request by request, at the batch that the simulation forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edgesim.data.dataset import Dataset
from edgesim.models.multi_exit import MultiExit
from edgesim.outcomes.execute import Value, check_outputs, run_piece, through
from edgesim.outcomes.scores import Scores, judge, read_out


@dataclass(slots=True)
class Handle:
    """What one node holds of one request.

    sample: its row in the data.  blocks: how many have been run.  value: the image (1, H, W, C) uint8 if none has, else
    the state.  image: the image as this node has it, None where only a state was sent here.
    """

    sample: int
    blocks: int
    value: Value
    image: np.ndarray | None


class LiveExecutor:
    """Executes pieces, exits and transfers for real; the engine says when and with whom.

    The answers agree with the tables of :mod:`edgesim.outcomes.execute` but for the last bits that another batch size
    rounds differently.  The model is put into ``eval`` mode.  Raises InputError where it does not answer with the
    data's classes, or with one value for regression.
    """

    def __init__(self, model: MultiExit, dataset: Dataset, preprocess: Callable[[np.ndarray], Tensor]) -> None:
        check_outputs(model, dataset)
        self.model, self.dataset, self.preprocess = model.eval(), dataset, preprocess

    def begin(self, sample: int) -> Handle:
        """A request for that sample at the node that took the image."""
        image = np.ascontiguousarray(self.dataset.images[sample : sample + 1])
        return Handle(sample, 0, image, image)

    @torch.inference_mode()
    def run(self, handles: Sequence[Handle], stop: int) -> None:
        """Run the blocks up to ``stop`` as one batch; all handles have the same number of blocks behind them."""
        start = self._blocks(handles)
        if start == stop:
            return
        value = run_piece(self.model, self.preprocess, _join([handle.value for handle in handles]), start, stop)
        for row, handle in enumerate(handles):
            # A copy, so that one slow request does not keep the states of its whole batch in memory.
            handle.value = {name: tensor[row : row + 1].clone() for name, tensor in value.items()}  # type: ignore[union-attr]
            handle.blocks = stop

    @torch.inference_mode()
    def exit(self, handles: Sequence[Handle], index: int) -> list[Scores]:
        """What exit ``index`` says to each; the handles have just run the blocks before it."""
        if self._blocks(handles) != self.model.exits[index]:
            raise ValueError(f"exit {index} sits after {self.model.exits[index]} blocks, {handles[0].blocks} were run")
        outputs = self.model.exit(_join([handle.value for handle in handles]), index).numpy()  # type: ignore[arg-type]
        labels = self.dataset.labels[[handle.sample for handle in handles]]
        found = read_out(outputs, self.dataset.task)
        judged = judge(found.prediction, labels, self.dataset.task)
        columns = (array.tolist() for array in (*found, *judged) if array is not None)
        return [Scores(float(prediction), *rest) for prediction, *rest in zip(*columns, strict=True)]

    @torch.inference_mode()
    def send(self, handle: Handle, codec: str, as_image: bool) -> tuple[Handle, int]:
        """What the receiver holds, and the payload bytes; the sender keeps what it has.

        as_image: send the image, whatever has been run here, instead of the state.
        """
        if not as_image:
            if handle.blocks == 0:
                raise ValueError("no block has run: there is no state to send, only the image")
            value, sizes = through(codec, handle.value)
            return Handle(handle.sample, handle.blocks, value, None), int(sizes[0])
        if handle.image is None:
            raise ValueError("this node was sent a state and does not have the image")
        image, sizes = through(codec, handle.image)
        assert isinstance(image, np.ndarray)
        return Handle(handle.sample, 0, image, image), int(sizes[0])

    @staticmethod
    def _blocks(handles: Sequence[Handle]) -> int:
        blocks = {handle.blocks for handle in handles}
        if len(blocks) != 1:
            raise ValueError(f"a batch starts at one block, found {sorted(blocks)}")
        return blocks.pop()


def _join(values: Sequence[Value]) -> Value:
    """A batch of one-sample values, all images or all states."""
    states = [value for value in values if isinstance(value, dict)]
    if states:
        return {name: torch.cat([state[name] for state in states]) for name in states[0]}
    return np.concatenate(values)  # type: ignore[arg-type]
