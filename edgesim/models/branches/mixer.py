"""MLP-Mixer-EE."""

from __future__ import annotations

from torch import Tensor, nn

from edgesim.models.backbones.base import Tokens, TokenShape
from edgesim.models.branches.base import Branch, all_tokens, draw_weights, summary_of, token_count, two_layers


class MixerBranch(Branch):
    """MLP-Mixer-EE: one Mixer layer (Tolstikhin et al. 2021) on all tokens, LayerNorm, class token, Linear.

    token_hidden, channel_hidden: hidden widths of the MLPs over tokens and over channels; four times what they mix
    where None (the paper's are not confirmed).
    """

    def __init__(
        self, shape: TokenShape, num_classes: int, token_hidden: int | None = None, channel_hidden: int | None = None
    ) -> None:
        super().__init__()
        self.shape = shape
        width, count = shape.width, token_count(shape)
        self.token_norm = nn.LayerNorm(width)
        self.token_mixing = two_layers(count, token_hidden or 4 * count)
        self.channel_norm = nn.LayerNorm(width)
        self.channel_mixing = two_layers(width, channel_hidden or 4 * width)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, num_classes)
        draw_weights(self)

    def forward(self, tokens: Tokens) -> Tensor:
        mixed = all_tokens(tokens)
        mixed = mixed + self.token_mixing(self.token_norm(mixed).transpose(1, 2)).transpose(1, 2)
        mixed = mixed + self.channel_mixing(self.channel_norm(mixed))
        return self.head(summary_of(self.norm(mixed), self.shape))
