"""MLP-EE."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from edgesim.models.backbones.base import Tokens
from edgesim.models.branches.base import Branch, summary_token


class MLPBranch(Branch):
    """MLP-EE: LayerNorm on the class token, then Linear layers with GELU between.

    ``hidden=()`` is the single Linear(D, c), ``hidden=(4 * D, D)`` the MLP: independent re-implementations differ.
    """

    def __init__(self, width: int, num_classes: int, hidden: Sequence[int] = (), dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.LayerNorm(width)]
        before = width
        for units in hidden:
            layers += [nn.Linear(before, units), nn.GELU(), nn.Dropout(dropout)]
            before = units
        self.layers = nn.Sequential(*layers, nn.Linear(before, num_classes))

    def forward(self, tokens: Tokens) -> Tensor:
        return self.layers(summary_token(tokens))
