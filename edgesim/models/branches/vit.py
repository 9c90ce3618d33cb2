"""ViT-EE."""

from __future__ import annotations

from timm.models.vision_transformer import Block
from torch import Tensor, nn

from edgesim.models.backbones.base import Tokens, TokenShape
from edgesim.models.branches.base import Branch, all_tokens, draw_weights, summary_of


class ViTBranch(Branch):
    """ViT-EE: one more encoder layer of the backbone's shape on all tokens, LayerNorm, class token, Linear.

    Where the backbone's heads do not divide the width (LeViT has key and value widths of its own), the largest
    smaller number of heads that does is taken.
    """

    def __init__(self, shape: TokenShape, num_classes: int) -> None:
        super().__init__()
        self.shape = shape
        heads = next(count for count in range(shape.heads, 0, -1) if shape.width % count == 0)
        self.encoder = Block(shape.width, heads, shape.mlp_ratio, qkv_bias=True)
        self.norm = nn.LayerNorm(shape.width)
        self.head = nn.Linear(shape.width, num_classes)
        draw_weights(self)

    def forward(self, tokens: Tokens) -> Tensor:
        return self.head(summary_of(self.norm(self.encoder(all_tokens(tokens))), self.shape))
