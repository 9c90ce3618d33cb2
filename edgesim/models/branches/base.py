"""What the branches have in common."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from edgesim.models.backbones.base import Tokens, TokenShape


class Branch(nn.Module):
    """An exit: tokens to logits."""

    token_set: str | None = None
    """Which of the backbone's token sets it reads; None: the backbone's default."""

    @abstractmethod
    def forward(self, tokens: Tokens) -> Tensor:
        """Logits (B, classes)."""


def summary_token(tokens: Tokens) -> Tensor:
    """(B, D): the class token, or the mean of the patch tokens where there is none."""
    return tokens.patches.mean(1) if tokens.class_token is None else tokens.class_token


def all_tokens(tokens: Tokens) -> Tensor:
    """(B, N, D): the class token, where there is one, before the patch tokens."""
    if tokens.class_token is None:
        return tokens.patches
    return torch.cat((tokens.class_token[:, None], tokens.patches), 1)


def summary_of(sequence: Tensor, shape: TokenShape) -> Tensor:
    """:func:`summary_token` of tokens (B, N, D) in the order of :func:`all_tokens`."""
    return sequence[:, 0] if shape.class_token else sequence.mean(1)


def token_count(shape: TokenShape) -> int:
    """Tokens of :func:`all_tokens`."""
    return shape.grid[0] * shape.grid[1] + shape.class_token


def two_layers(inside: int, hidden: int) -> nn.Sequential:
    """The MLP of an encoder or Mixer layer."""
    return nn.Sequential(nn.Linear(inside, hidden), nn.GELU(), nn.Linear(hidden, inside))


def draw_weights(branch: nn.Module) -> None:
    """The initial weights of a vision transformer: a narrow truncated normal, no bias."""
    for module in branch.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)
