"""ViT and DeiT, wrapped around timm's ``VisionTransformer`` (Dosovitskiy et al. 2021, Touvron et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import timm
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from edgesim.models.backbones.base import Backbone, State, Tokens, TokenShape
from edgesim.models.state import TensorSpec


class ConvStem(nn.Module):
    """A few 3x3 convolutions in place of one patch projection, as in Xiao et al. 2021.

    The channels grow as ``channels``; every layer but the first halves the map.  It stands in for
    timm's ``PatchEmbed``: (B, C, H, W) images to (B, N, D) tokens.
    """

    def __init__(self, img_size: int, in_chans: int, embed_dim: int, channels: Sequence[int]) -> None:
        super().__init__()
        widths = (*channels, embed_dim)
        layers: list[nn.Module] = []
        before = in_chans
        for position, width in enumerate(widths):
            stride = 1 if position == 0 else 2
            layers += [nn.Conv2d(before, width, 3, stride, padding=1, bias=False), nn.BatchNorm2d(width), nn.GELU()]
            before = width
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, embed_dim, 1))
        side = img_size
        for _ in channels:
            side = (side + 1) // 2
        self.grid_size = (side, side)
        self.num_patches = side * side

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).flatten(2).transpose(1, 2)


class ViT(Backbone):
    """A timm ``VisionTransformer`` as a chain: block 0 embeds the patches, block i is ``vit.blocks[i - 1]``."""

    def __init__(self, vit: VisionTransformer, input_size: tuple[int, int, int]) -> None:
        super().__init__()
        if vit.num_prefix_tokens > 1:
            raise ValueError(
                f"one class token at most is supported, this model has {vit.num_prefix_tokens} prefix tokens"
            )
        self.vit = vit
        self.num_blocks = 1 + len(vit.blocks)
        self.num_classes = vit.num_classes
        self.width = vit.embed_dim
        self.input_size = input_size
        self.grid: tuple[int, int] = tuple(vit.patch_embed.grid_size)
        self.block_names = ("stem", *(f"block{index}" for index in range(len(vit.blocks))))

    def stem(self, images: Tensor) -> State:
        vit = self.vit
        return {"tokens": vit.norm_pre(vit.patch_drop(vit._pos_embed(vit.patch_embed(images))))}

    def block(self, index: int, state: State) -> State:
        return {"tokens": self.vit.blocks[index - 1](state["tokens"])}

    def head(self, state: State) -> Tensor:
        return self.vit.forward_head(self.vit.norm(state["tokens"]))

    def tokens(self, state: State, token_set: str | None = None) -> Tokens:
        tokens, prefix = state["tokens"], self.vit.num_prefix_tokens
        return Tokens(tokens[:, prefix:], self.grid, tokens[:, 0] if prefix else None)

    def token_shape(self, after: int, token_set: str | None = None) -> TokenShape:
        block: Any = self.vit.blocks[0]
        ratio = block.mlp.fc1.out_features / self.width
        return TokenShape(self.grid, self.width, bool(self.vit.num_prefix_tokens), block.attn.num_heads, ratio)

    def cut_spec(self, cut: int) -> tuple[TensorSpec, ...]:
        if cut == 0:
            return (TensorSpec("image", self.input_size),)
        if cut == self.num_blocks:
            return ()
        count = self.grid[0] * self.grid[1] + self.vit.num_prefix_tokens
        return (TensorSpec("tokens", (count, self.width)),)

    def released(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """timm took over the authors' names."""
        return {f"vit.{name}": value for name, value in weights.items()}


def small_vit(
    img_size: int,
    in_chans: int,
    num_classes: int,
    width: int,
    depth: int,
    heads: int,
    stem_channels: Sequence[int],
    mlp_ratio: float = 4.0,
    drop_path: float = 0.0,
) -> ViT:
    """A ViT with a convolutional stem, of any geometry.

    >>> small_vit(28, 1, 10, width=32, depth=2, heads=2, stem_channels=(8, 16)).cut_spec(1)[0].shape
    (50, 32)
    """

    def embed(img_size: int, in_chans: int, embed_dim: int, **_: object) -> ConvStem:
        return ConvStem(img_size, in_chans, embed_dim, stem_channels)

    vit = VisionTransformer(
        img_size=img_size,
        in_chans=in_chans,
        num_classes=num_classes,
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        mlp_ratio=mlp_ratio,
        drop_path_rate=drop_path,
        embed_layer=embed,
    )
    return ViT(vit, (in_chans, img_size, img_size))


def timm_vit(name: str, pretrained: bool = False, **options: Any) -> ViT:
    """Any plain ViT or DeiT of timm by its name; ``pretrained`` fetches weights with timm's own loader.

    Raises ValueError where the name is not a plain ViT (windows, distillation token, several prefix tokens).
    """
    vit = timm.create_model(name, pretrained=pretrained, **options)
    if type(vit) is not VisionTransformer:
        raise ValueError(f"{name} is a {type(vit).__name__} in timm, not a plain VisionTransformer")
    embed: Any = vit.patch_embed
    return ViT(vit, (embed.proj.in_channels, *embed.img_size))
