"""ViT and DeiT, wrapped around timm's ``VisionTransformer`` (Dosovitskiy et al. 2021, Touvron et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import timm
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from edgesim.models.backbones.base import Backbone, State, Tokens, TokenShape
from edgesim.models.backbones.evo import order_dtype, take
from edgesim.models.backbones.merging import attend, can_merge, count_sizes, match, merge_tokens, patch_counts
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


class MergingViT(ViT):
    """A ViT whose blocks each merge ``merge`` pairs of similar tokens between their attention and their MLP.

    Token merging of Bolya et al., ICLR 2023.  A block merges fewer where that would be more than half of its patch
    tokens.  After the first block a state holds

        tokens    (B, M, D)    what is left, class token first: each is the mean of the tokens that it stands for
        source    (B, N)       for each of the N tokens after the stem, the place of the one that stands for it now

    The paper's token sizes are counts of ``source``, so that they need not cross beside it.  Branches, and a head that
    pools patch tokens, read every token where it was in the image: those that were merged share one value.

    Raises ValueError for more pairs than the first block has, or where blocks are not timm's plain ones.
    """

    def __init__(self, vit: VisionTransformer, input_size: tuple[int, int, int], merge: int) -> None:
        super().__init__(vit, input_size)
        if not all(can_merge(block) for block in vit.blocks):
            raise ValueError("merge: only plain attention and MLP blocks can merge tokens")
        left = patch_counts(self.grid[0] * self.grid[1], merge, len(vit.blocks))
        self._counts = tuple(vit.num_prefix_tokens + patches for patches in left)

    def block(self, index: int, state: State) -> State:
        block: Any = self.vit.blocks[index - 1]  # finds its children by attribute, which no type describes
        tokens, source = state["tokens"], self._source(state)
        before, after = self._counts[index - 1 : index + 1]
        sizes = count_sizes(source, before)
        attended, keys = attend(block.attn, block.norm1(tokens), sizes)
        tokens = tokens + block.drop_path1(block.ls1(attended))
        targets = match(keys.detach(), before - after, self.vit.num_prefix_tokens)
        source = take(targets, source)
        tokens = merge_tokens(tokens, sizes, targets, count_sizes(source, after))
        tokens = tokens + block.drop_path2(block.ls2(block.mlp(block.norm2(tokens))))
        return {"tokens": tokens, "source": source.to(getattr(torch, order_dtype(after)))}

    def head(self, state: State) -> Tensor:
        tokens = self.vit.norm(state["tokens"])
        return self.vit.forward_head(tokens if self.vit.global_pool == "token" else take(tokens, self._source(state)))

    def tokens(self, state: State, token_set: str | None = None) -> Tokens:
        return super().tokens({"tokens": take(state["tokens"], self._source(state))})

    def cut_spec(self, cut: int) -> tuple[TensorSpec, ...]:
        if cut in (0, 1, self.num_blocks):
            return super().cut_spec(cut)
        count = self._counts[cut - 1]
        source = TensorSpec("source", self._counts[:1], order_dtype(count), "index")
        return TensorSpec("tokens", (count, self.width)), source

    def _source(self, state: State) -> Tensor:
        """(B, N) int64; after the stem every token stands for itself."""
        if "source" in state:
            return state["source"].long()
        tokens = state["tokens"]
        return torch.arange(tokens.shape[1], device=tokens.device).expand(tokens.shape[0], -1)


def small_vit(
    img_size: int,
    in_chans: int,
    num_classes: int,
    width: int,
    depth: int,
    heads: int,
    stem_channels: Sequence[int],
    mlp_ratio: float = 4.0,
    merge: int = 0,
    drop_path: float = 0.0,
) -> ViT:
    """A ViT with a convolutional stem, of any geometry.  merge: pairs of tokens that each block merges.

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
    return _chain(vit, (in_chans, img_size, img_size), merge)


def timm_vit(name: str, pretrained: bool = False, merge: int = 0, **options: Any) -> ViT:
    """Any plain ViT or DeiT of timm by its name; ``pretrained`` fetches weights with timm's own loader.

    merge: pairs of tokens that each block merges, see :class:`MergingViT`.
    Raises ValueError where the name is not a plain ViT (windows, distillation token, several prefix tokens).
    """
    vit = timm.create_model(name, pretrained=pretrained, **options)
    if type(vit) is not VisionTransformer:
        raise ValueError(f"{name} is a {type(vit).__name__} in timm, not a plain VisionTransformer")
    embed: Any = vit.patch_embed
    return _chain(vit, (embed.proj.in_channels, *embed.img_size), merge)


def _chain(vit: VisionTransformer, input_size: tuple[int, int, int], merge: int) -> ViT:
    return MergingViT(vit, input_size, merge) if merge else ViT(vit, input_size)
