"""ResMLP-EE."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgesim.models.backbones.base import Tokens, TokenShape
from edgesim.models.branches.base import Branch, draw_weights, two_layers


class Affine(nn.Module):
    """A scale and a shift for each channel, in place of a norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, values: Tensor) -> Tensor:
        return values * self.scale + self.shift


class ResMLPBranch(Branch):
    """ResMLP-EE: one ResMLP layer (Touvron et al. 2021, without layer scale) on the patch tokens, mean, Linear."""

    def __init__(self, shape: TokenShape, num_classes: int) -> None:
        super().__init__()
        width, count = shape.width, shape.grid[0] * shape.grid[1]
        self.patch_affine = Affine(width)
        self.cross_patch = nn.Linear(count, count)
        self.channel_affine = Affine(width)
        self.channel_mlp = two_layers(width, 4 * width)
        self.head = nn.Linear(width, num_classes)
        draw_weights(self)

    def forward(self, tokens: Tokens) -> Tensor:
        mixed = tokens.patches
        mixed = mixed + self.cross_patch(self.patch_affine(mixed).transpose(1, 2)).transpose(1, 2)
        mixed = mixed + self.channel_mlp(self.channel_affine(mixed))
        return self.head(mixed.mean(1))
