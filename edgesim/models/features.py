"""What a branch reads of a whole data set, computed once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from edgesim.errors import InputError
from edgesim.models.backbones.base import Tokens
from edgesim.models.multi_exit import MultiExit

LIMIT_BYTES = 6 << 30


class Features(NamedTuple):
    """The tokens of N images at one exit, and the answers of the final exit, (N, classes or 1), where asked for."""

    tokens: Tokens
    final: Tensor | None

    def take(self, rows: np.ndarray | slice) -> Tokens:
        """The tokens of some images, in single precision."""
        patches, grid, summary = self.tokens
        return Tokens(patches[rows].float(), grid, None if summary is None else summary[rows].float())


@torch.no_grad()
def read_features(
    model: MultiExit, exit: int, batches: Iterable[Tensor], count: int, dtype: torch.dtype, final: bool = False
) -> Features:
    """Run the model, in ``eval`` mode, on ``count`` images in batches (B, C, H, W) up to an early exit.

    final: run it to its end too, for the answers of the final exit.  Raises InputError where an activation is beyond
    the range of ``dtype``.
    """
    model.eval()
    after, start = model.exits[exit], 0
    kept: list[Tensor] = []
    answers = []
    for images in batches:
        state = model.run(images, 0, after)
        patches, grid, summary = model.exit_tokens(state, exit)  # type: ignore[arg-type]
        found = [patches] if summary is None else [patches, summary]
        # Joining parts at the end would need twice the memory.
        kept = kept or [torch.empty(count, *part.shape[1:], dtype=dtype) for part in found]
        for whole, part in zip(kept, found, strict=True):
            whole[start : start + len(images)] = part
        if final:
            answers.append(model.backbone.head(model.run(state, after, model.num_blocks)))  # type: ignore[arg-type]
        start += len(images)
    if not all(part.isfinite().all() for part in kept):
        raise InputError(f"the states at exit {exit} are not finite, or too large for {dtype}")
    return Features(Tokens(kept[0], grid, kept[1] if len(kept) > 1 else None), torch.cat(answers) if final else None)


def check_memory(model: MultiExit, exit: int, images: int) -> None:
    """InputError where the features of so many images, in half precision, would not be held."""
    after = model.exits[exit]
    shape = model.backbone.token_shape(after, model.branch(exit).token_set)
    needed = 2 * images * (shape.grid[0] * shape.grid[1] + shape.class_token) * shape.width
    if needed > LIMIT_BYTES:
        raise InputError(
            f"classifier_wise: the features of {images:,} images at exit {exit} take {needed / 2**30:.1f} GiB, "
            f"allowed: {LIMIT_BYTES / 2**30:g}; use fewer `views` or images"
        )
