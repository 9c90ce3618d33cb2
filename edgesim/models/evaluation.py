"""What a card says of a model's exits: accuracy or error with its interval, and multiply-accumulates."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import sqrt
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from edgesim.data.dataset import Dataset
from edgesim.models.multi_exit import MultiExit
from edgesim.profiling.macs import count_macs, one_image

Z95 = 1.959964


class Score(NamedTuple):
    """A share of right answers or a mean absolute error, and its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(right: int, count: int) -> Score:
    """Wilson's score interval (E. B. Wilson, JASA 22, 1927): sound near 0 and 1, unlike the normal one.

    >>> [round(value, 3) for value in wilson(90, 100)]
    [0.9, 0.826, 0.945]
    """
    share, square = right / count, Z95**2
    centre = (share + square / (2 * count)) / (1 + square / count)
    half = Z95 / (1 + square / count) * sqrt(share * (1 - share) / count + square / (4 * count**2))
    return Score(share, centre - half, centre + half)


def mean_error(errors: np.ndarray) -> Score:
    """The mean of (N,) absolute errors with the normal interval of a mean.

    >>> mean_error(np.array([1.0, 1.0, 1.0]))
    Score(value=1.0, low=1.0, high=1.0)
    """
    mean, half = float(errors.mean()), Z95 * float(errors.std(ddof=1)) / sqrt(len(errors))
    return Score(mean, mean - half, mean + half)


@torch.inference_mode()
def outputs(
    model: MultiExit, images: np.ndarray, preprocess: Callable[[np.ndarray], Tensor], batch_size: int = 250
) -> np.ndarray:
    """(exits, N, outputs): the logits, or the one value, of every exit for (N, H, W, C) uint8 images."""
    model.eval()
    parts = [model.all_exits(preprocess(images[at : at + batch_size])) for at in range(0, len(images), batch_size)]
    return torch.cat(parts, dim=1).numpy()


def scores(outputs: np.ndarray, data: Dataset) -> list[Score]:
    """Of each exit the accuracy, or the mean absolute error, over ``data``, whose (exits, N, outputs) are given."""
    if data.task == "regression":
        return [mean_error(np.abs(values[:, 0] - data.labels)) for values in outputs]
    return [wilson(int((logits.argmax(-1) == data.labels).sum()), len(data)) for logits in outputs]


def macs_per_exit(model: MultiExit) -> tuple[int, ...]:
    """Multiply-accumulates of one image up to each exit: its blocks and its own branch, no earlier branch.

    What is counted is said at ``profiling.macs.count_macs``.
    """
    model.eval()
    image = one_image(model.backbone)

    def run(index: int) -> None:
        model.exit(model.run(image, 0, model.exits[index]), index)  # type: ignore[arg-type]

    return tuple(count_macs(partial(run, index)) for index in range(len(model.exits)))
