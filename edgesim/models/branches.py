"""Exit branches: what turns the state after a block into an answer (Bakhtiarnia et al., BMVC 2021)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from edgesim.models.backbones.base import Tokens


def summary_token(tokens: Tokens) -> Tensor:
    """(B, D): the class token, or the mean of the patch tokens where there is none."""
    return tokens.patches.mean(1) if tokens.class_token is None else tokens.class_token


class MLPBranch(nn.Module):
    """MLP-EE: LayerNorm on the class token, then Linear layers with GELU between.

    ``hidden=()`` is the single Linear(D, c).  The paper's own layer list is not confirmed: independent
    re-implementations differ between one Linear and an MLP, so the hidden widths are a parameter.
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
