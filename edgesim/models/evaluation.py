"""What a card says of a model's exits: accuracy with its interval, and multiply-accumulates."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from edgesim.models.multi_exit import MultiExit

Z95 = 1.959964


class Accuracy(NamedTuple):
    """A share of right answers, and its 95 % Wilson interval."""

    share: float
    low: float
    high: float


def wilson(right: int, count: int) -> Accuracy:
    """Wilson's score interval (E. B. Wilson, JASA 22, 1927): sound near 0 and 1, unlike the normal one.

    >>> [round(value, 3) for value in wilson(90, 100)]
    [0.9, 0.826, 0.945]
    """
    share, square = right / count, Z95**2
    centre = (share + square / (2 * count)) / (1 + square / count)
    half = Z95 / (1 + square / count) * sqrt(share * (1 - share) / count + square / (4 * count**2))
    return Accuracy(share, centre - half, centre + half)


@torch.inference_mode()
def macs_per_exit(model: MultiExit) -> tuple[int, ...]:
    """Multiply-accumulates of one image up to each exit: its blocks and its own branch, no earlier branch.

    Matrix products and convolutions are counted, as torch's flop counter does (at two flops each).
    """
    model.eval()
    images = torch.zeros(1, *model.backbone.input_size)
    counts = []
    for index, after in enumerate(model.exits):
        with FlopCounterMode(display=False) as counter:
            model.exit(model.run(images, 0, after), index)  # type: ignore[arg-type]
        counts.append(counter.get_total_flops() // 2)
    return tuple(counts)
