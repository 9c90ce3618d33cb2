"""CNN-Ignore-EE, CNN-Add-EE and CNN-Project-EE."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from edgesim.models.backbones.base import Tokens, TokenShape
from edgesim.models.branches.base import Branch, summary_token

Readout = Literal["ignore", "add", "project"]


def token_map(patches: Tensor, grid: tuple[int, int]) -> Tensor:
    """Patch tokens (B, H*W, D) in image order as a map (B, D, H, W)."""
    # Without the transpose the reshape would run as well, and scramble channels with space.
    return patches.transpose(1, 2).reshape(len(patches), -1, *grid)


class CNNBranch(Branch):
    """The patch tokens as a map: 3x3 convolution, ELU, 2x2 max-pooling (an odd last row or column falls away), Linear.

    readout: what becomes of the class token before, named as in dense prediction transformers (Ranftl et al. 2021):
    ``ignore`` drops it, ``add`` adds it to every patch token, ``project`` concatenates it to every patch token and
    halves the channels again with Linear and GELU (the form of "project" is our reading).
    """

    def __init__(self, shape: TokenShape, num_classes: int, readout: Readout, filters: int = 16) -> None:
        super().__init__()
        self.grid, self.readout = shape.grid, readout
        if readout == "project":
            self.project = nn.Sequential(nn.Linear(2 * shape.width, shape.width), nn.GELU())
        # A map that is one token high or wide is pooled along its other side alone.
        pool = tuple(min(2, side) for side in shape.grid)
        height, width = (side // step for side, step in zip(shape.grid, pool, strict=True))
        self.layers = nn.Sequential(
            nn.Conv2d(shape.width, filters, 3, padding=1),
            nn.ELU(),
            nn.MaxPool2d(pool),
            nn.Flatten(),
            nn.Linear(filters * height * width, num_classes),
        )

    def forward(self, tokens: Tokens) -> Tensor:
        return self.layers(token_map(self._read(tokens), self.grid))

    def _read(self, tokens: Tokens) -> Tensor:
        if self.readout == "ignore":
            return tokens.patches
        summary = summary_token(tokens)[:, None]
        if self.readout == "add":
            return tokens.patches + summary
        return self.project(torch.cat((tokens.patches, summary.expand_as(tokens.patches)), -1))
