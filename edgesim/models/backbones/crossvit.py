"""CrossViT (Chen, Fan, Panda, ICCV 2021), wrapped around timm's ``CrossVit``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import timm
import torch
from timm.models.crossvit import CrossVit
from torch import Tensor

from edgesim.models.backbones.base import Backbone, State, Tokens, TokenShape
from edgesim.models.state import TensorSpec

Pair = tuple[int, int]
SETS = ("small", "large")
"""The two token sets, in timm's order: of small patches and of large patches."""


class CrossViT(Backbone):
    """timm's CrossViT as a chain; its state is two token sets, each with a class token before its patches.

    Block 0 embeds the image at two scales.  A multi-scale block is M blocks, one for each encoder of the branch of
    large patches (the N encoders of the other branch run beside the first N of them), and one for its fusion, in
    which the class token of each set reads the patches of the other.  After the last fusion only the two class
    tokens are left; the last block normalises them.  The head is the mean of the two classifiers.

    The stem scales the images (bicubic) to the sizes of the two branches, so that ``input_size`` is free.
    """

    token_sets = ("large", "small")

    def __init__(self, crossvit: CrossVit, input_size: tuple[int, int, int]) -> None:
        super().__init__()
        scales: Any = list(crossvit.blocks)  # modules find their children by attribute, which no type describes
        encoders = [len(branch) for branch in scales[0].blocks]
        self.crossvit = crossvit
        # Multi-scale block, and encoder or None for the fusion, of each block after the stem but the last.
        steps = (*range(encoders[1]), None)
        self._steps = [(scale, encoder) for scale in range(len(scales)) for encoder in steps]
        self.block_names = (
            "stem",
            *(f"msblock{s}." + ("fusion" if e is None else f"encoder{e}") for s, e in self._steps),
            "norm",
        )
        self.num_blocks = len(self.block_names)
        self.num_classes = crossvit.num_classes
        self.width = crossvit.embed_dim[1]
        self.input_size = input_size
        self._shapes = {name: _token_shape(crossvit, index) for index, name in enumerate(SETS)}

    def stem(self, images: Tensor) -> State:
        return dict(zip(SETS, self.crossvit._embed(images), strict=True))

    def block(self, index: int, state: State) -> State:
        if index == self.num_blocks - 1:
            return {name: norm(state[name]) for name, norm in zip(SETS, self.crossvit.norm, strict=True)}
        number, encoder = self._steps[index - 1]
        scale: Any = self.crossvit.blocks[number]
        if encoder is None:
            return _fused(scale, state, only_class_tokens=index == self.num_blocks - 2)
        return {
            name: branch[encoder](state[name]) if encoder < len(branch) else state[name]
            for name, branch in zip(SETS, scale.blocks, strict=True)
        }

    def head(self, state: State) -> Tensor:
        return self.crossvit.forward_head([state[name] for name in SETS])

    def tokens(self, state: State, token_set: str | None = None) -> Tokens:
        tokens = state[token_set or self.token_sets[0]]
        if tokens.shape[1] == 1:  # after the last fusion the class token stands for the whole image
            return Tokens(tokens, (1, 1), tokens[:, 0])
        return Tokens(tokens[:, 1:], self._shapes[token_set or self.token_sets[0]].grid, tokens[:, 0])

    def token_shape(self, after: int, token_set: str | None = None) -> TokenShape:
        shape = self._shapes[token_set or self.token_sets[0]]
        return shape._replace(grid=(1, 1)) if after >= self.num_blocks - 1 else shape

    def cut_spec(self, cut: int) -> tuple[TensorSpec, ...]:
        if cut == 0:
            return (TensorSpec("image", self.input_size),)
        if cut == self.num_blocks:
            return ()
        patches = cut < self.num_blocks - 1
        shapes = ((name, self._shapes[name]) for name in SETS)
        return tuple(
            TensorSpec(name, (1 + patches * shape.grid[0] * shape.grid[1], shape.width)) for name, shape in shapes
        )

    def released(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The authors number position tables and class tokens with a dot (``pos_embed.0``), timm with ``_``."""
        return {
            "crossvit." + re.sub(r"^(pos_embed|cls_token)\.", r"\1_", name): value for name, value in weights.items()
        }


def _token_shape(crossvit: Any, index: int) -> TokenShape:
    embed, encoder = crossvit.patch_embed[index], crossvit.blocks[0].blocks[index][0]
    height, width = (size // patch for size, patch in zip(embed.img_size, embed.patch_size, strict=True))
    channels = crossvit.embed_dim[index]
    return TokenShape((height, width), channels, True, encoder.attn.num_heads, encoder.mlp.fc1.out_features / channels)


def _fused(scale: Any, state: State, only_class_tokens: bool) -> State:
    """Cross attention in both directions, each from the tokens before the fusion."""
    fused = {}
    for index, (own, other) in enumerate((SETS, SETS[::-1])):
        query = scale.projs[index](state[own][:, :1])
        token = scale.revert_projs[index](scale.fusion[index](torch.cat((query, state[other][:, 1:]), 1)))
        fused[own] = token if only_class_tokens else torch.cat((token, state[own][:, 1:]), 1)
    return fused


def small_crossvit(
    img_size: int,
    in_chans: int,
    num_classes: int,
    patch_sizes: Pair,
    widths: Pair,
    depths: Pair,
    heads: Pair,
    fusions: int = 3,
    branch_sizes: Pair | None = None,
    mlp_ratio: float = 4.0,
    conv_patches: bool = False,
    drop_path: float = 0.0,
) -> CrossViT:
    """A CrossViT of any geometry; pairs are for the small and the large patches.

    branch_sizes: to which the image is scaled for each branch, img_size where None.  fusions: multi-scale blocks.
    conv_patches: patches of 12 and 16 pixels by three convolutions (the authors' dagger).

    >>> [spec.shape for spec in small_crossvit(64, 1, 10, (8, 16), (32, 64), (1, 2), (2, 2)).cut_spec(1)]
    [(65, 32), (17, 64)]
    """
    sizes = branch_sizes or (img_size, img_size)
    if any(size % patch for size, patch in zip(sizes, patch_sizes, strict=True)):
        raise ValueError(f"images of {list(sizes)} pixels cannot be cut into patches of {list(patch_sizes)}")
    if conv_patches and tuple(patch_sizes) != (12, 16):
        raise ValueError(f"patches by convolutions are of 12 and 16 pixels, found {list(patch_sizes)}")
    if depths[0] > depths[1]:
        raise ValueError(f"the branch of large patches is the deeper one, found depths {list(depths)}")
    crossvit = CrossVit(
        img_size=img_size,
        # timm rounds the scaled size down.
        img_scale=tuple((size + 0.5) / img_size for size in sizes),
        patch_size=patch_sizes,
        in_chans=in_chans,
        num_classes=num_classes,
        embed_dim=widths,
        depth=((*depths, 0),) * fusions,
        num_heads=heads,
        mlp_ratio=(mlp_ratio, mlp_ratio, 1.0),
        multi_conv=conv_patches,
        drop_path_rate=drop_path,
    )
    return CrossViT(crossvit, (in_chans, img_size, img_size))


def timm_crossvit(name: str, pretrained: bool = False, img_size: int | None = None, **options: Any) -> CrossViT:
    """A CrossViT of timm by its name (``crossvit_tiny_240`` ... ``crossvit_18_dagger_408``).

    img_size: of the images it is fed, 240 (or 408) where None; the token grids stay, since the stem scales the images.
    """
    crossvit: Any = timm.create_model(name, pretrained=pretrained, **options)
    if not isinstance(crossvit, CrossVit):
        raise ValueError(f"{name} is a {type(crossvit).__name__} in timm, not a CrossViT")
    size = img_size or crossvit.img_size[0]
    return CrossViT(crossvit, (crossvit.in_chans, size, size))
