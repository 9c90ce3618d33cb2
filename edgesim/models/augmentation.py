"""Random changes of training images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from edgesim.models.recipe import Recipe


def augment(images: Tensor, recipe: Recipe, rng: np.random.Generator) -> Tensor:
    """Shift, flip and erase a batch of (B, C, H, W) images, each with draws of its own."""
    count, _, height, width = images.shape
    padded = functional.pad(images, [recipe.shift] * 4, value=float(images.min()))
    top, left = torch.from_numpy(rng.integers(0, 2 * recipe.shift + 1, (2, count)))
    rows, columns = torch.arange(height), torch.arange(width).expand(count, -1)
    if recipe.flip:
        mirrored = torch.from_numpy(rng.random(count) < 0.5)
        columns = torch.where(mirrored[:, None], width - 1 - columns, columns)
    rows = (top[:, None] + rows)[:, :, None]
    columns = (left[:, None] + columns)[:, None, :]
    moved = padded[torch.arange(count)[:, None, None], :, rows, columns].permute(0, 3, 1, 2).contiguous()
    blank = float(images.min())
    for index in np.flatnonzero(rng.random(count) < recipe.erase):
        side_y, side_x = rng.integers(2, recipe.erase_size + 1, 2)
        y, x = rng.integers(0, height - side_y + 1), rng.integers(0, width - side_x + 1)
        moved[index, :, y : y + side_y, x : x + side_x] = blank
    return moved
