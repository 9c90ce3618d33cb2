"""Evo-ViT on DeiT (Xu et al., AAAI 2022): half of the patch tokens rest in each of the later stages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from timm.layers import DropPath, Mlp, PatchEmbed, trunc_normal_
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from edgesim.models.backbones.base import Backbone, State, Tokens, TokenShape
from edgesim.models.backbones.evo import average, in_image_order, kept_tokens, select, stage_spec
from edgesim.models.state import TensorSpec

EPS = 1e-6


class Attention(nn.Module):
    """Self-attention that also tells how much the class token attends to each other token, summed over heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        query, key, value = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).flatten(2)), self._class_attn(query[:, :, :1].detach(), key.detach())

    @staticmethod
    def _class_attn(query: Tensor, key: Tensor) -> Tensor:
        # One row a second time is cheaper than all rows outside the fused attention. It only ranks: no gradient.
        scores = (query * key.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        return scores.softmax(-1)[:, :, 0, 1:].sum(1)


class Block(nn.Module):
    """Attention and MLP, both residual with the norm first."""

    def __init__(self, width: int, heads: int, mlp_ratio: float, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, EPS)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, EPS)
        self.mlp = Mlp(width, int(width * mlp_ratio))
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        attended, class_attn = self.attn(self.norm1(tokens))
        tokens = tokens + self.drop_path(attended)
        return tokens + self.drop_path(self.mlp(self.norm2(tokens))), class_attn


class EvoDeiT(Backbone):
    """Evo-DeiT as a chain: block 0 embeds the patches, block i is ``blocks[i - 1]``; states as in :mod:`.evo`.

    A stage starts in each block of ``select_before`` and ends in the last block before the next one: there the
    placeholders, untouched since, are appended again.  As in the authors' released code there is no representative
    token and no fast update.  ``class_attn`` is the block's own up to the first stage, then a moving average of the
    informative tokens' entries with weight ``tradeoff`` for the new value.  The authors train with a selection in
    every block first: ``select_before=range(4, 12)``.  The head reads the mean of all patch tokens.

    Weights of timm's DeiT fit through :meth:`released`: no parameter is new.

    img_size: side of the square image, pixels.  depth: blocks besides the stem.  keep: share of the patch tokens that
    stays informative.  class_head: adds the classifier of the class token that the authors train along, see
    :meth:`class_logits`.  Raises ValueError for a ``keep`` that is no share, or stages that do not start in blocks
    1 .. depth - 1.
    """

    def __init__(
        self,
        *,
        img_size: int = 224,
        patch_size: int = 16,
        in_chans: int = 3,
        num_classes: int = 1000,
        width: int,
        depth: int = 12,
        heads: int,
        mlp_ratio: float = 4.0,
        keep: float = 0.5,
        tradeoff: float = 0.5,
        select_before: Sequence[int] = (4, 8),
        class_head: bool = False,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        starts = list(select_before)
        if starts != sorted(set(starts)) or not all(1 <= start < depth for start in starts):
            raise ValueError(f"select_before must increase within blocks 1..{depth - 1}, found {starts}")
        self.patch_embed = PatchEmbed(img_size, patch_size, in_chans, width)
        count = self.patch_embed.num_patches
        self.cls_token = nn.Parameter(trunc_normal_(torch.empty(1, 1, width), std=0.02))
        self.pos_embed = nn.Parameter(trunc_normal_(torch.empty(1, 1 + count, width), std=0.02))
        drops = torch.linspace(0, drop_path, depth, device="cpu").tolist()
        self.blocks = nn.ModuleList(Block(width, heads, mlp_ratio, drop) for drop in drops)
        self.norm = nn.LayerNorm(width, EPS)
        self.classifier = nn.Linear(width, num_classes)
        self.norm_cls = nn.LayerNorm(width, EPS) if class_head else None
        self.head_cls = nn.Linear(width, num_classes) if class_head else None
        self.apply(_init)
        self.grid: tuple[int, int] = tuple(self.patch_embed.grid_size)
        self._kept, self._count = kept_tokens(count, keep), count
        self.select_before = tuple(starts) if self._kept < count else ()
        self.tradeoff = tradeoff
        self._shape = TokenShape(self.grid, width, True, heads, mlp_ratio)
        self.block_names = ("stem", *(f"block{number}" for number in range(depth)))
        self.num_blocks, self.num_classes, self.width = 1 + depth, num_classes, width
        self.input_size = (in_chans, img_size, img_size)

    def stem(self, images: Tensor) -> State:
        patches = self.patch_embed(images)
        return {"tokens": torch.cat([self.cls_token.expand(images.shape[0], -1, -1), patches], 1) + self.pos_embed}

    def block(self, index: int, state: State) -> State:
        number = index - 1
        if number in self.select_before:
            state = select(state, self._kept)
        tokens, class_attn = self.blocks[number](state["tokens"])
        if self._has_order(index + 1):
            class_attn = average(state["class_attn"], class_attn, self.tradeoff)
        after = {**state, "tokens": tokens, "class_attn": class_attn}
        if "placeholders" in after and not self._in_stage(index + 1):
            after["tokens"] = torch.cat([tokens, after.pop("placeholders")], 1)
        if index + 1 == self.num_blocks:
            del after["class_attn"]
        return after

    def head(self, state: State) -> Tensor:
        return self.classifier(self.norm(state["tokens"][:, 1:].mean(1)))

    def class_logits(self, state: State) -> Tensor:
        """Logits (B, classes) of the class token after the last block, an auxiliary loss in training.

        Raises ValueError without ``class_head``.
        """
        if self.norm_cls is None or self.head_cls is None:
            raise ValueError("this model has no classifier of the class token: class_head=True adds one")
        return self.head_cls(self.norm_cls(state["tokens"][:, 0]))

    def tokens(self, state: State, token_set: str | None = None) -> Tokens:
        tokens = state["tokens"]
        patches = tokens[:, 1:]
        if "placeholders" in state:
            patches = torch.cat([patches, state["placeholders"]], 1)
        return Tokens(in_image_order(patches, state.get("order")), self.grid, tokens[:, 0])

    def token_shape(self, after: int, token_set: str | None = None) -> TokenShape:
        return self._shape

    def cut_spec(self, cut: int) -> tuple[TensorSpec, ...]:
        if cut == 0:
            return (TensorSpec("image", self.input_size),)
        if cut == self.num_blocks:
            return ()
        if cut == 1:
            return (TensorSpec("tokens", (1 + self._count, self.width)),)
        kept = self._kept if self._in_stage(cut) else self._count
        return stage_spec(self._count, kept, self.width, self._has_order(cut))

    def released(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """From the authors' names, or timm's for DeiT; a classifier of the class token only if there is one here."""
        own = {}
        for name, value in weights.items():
            if name.startswith(("norm_cls.", "head_cls.")) and self.norm_cls is None:
                continue
            if found := re.fullmatch(r"vs\.(\d+)\.v\.(\w+)", name):
                if f"qks.{found[1]}.qk.{found[2]}" in weights:
                    continue
            elif found := re.fullmatch(r"qks\.(\d+)\.qk\.(\w+)", name):
                rest = weights.get(f"vs.{found[1]}.v.{found[2]}")
                if rest is not None:
                    name, value = f"blocks.{found[1]}.attn.qkv.{found[2]}", torch.cat([value, rest])
            own[_own_name(name)] = value
        return own

    def _has_order(self, after: int) -> bool:
        """Whether the first stage has begun within so many blocks of the chain."""
        return bool(self.select_before) and after - 1 > self.select_before[0]

    def _in_stage(self, after: int) -> bool:
        """Whether placeholders rest in the state after so many blocks of the chain."""
        return self._has_order(after) and after < self.num_blocks and after - 1 not in self.select_before


def _own_name(name: str) -> str:
    name = re.sub(r"^norms\.(\d+)\.", r"blocks.\1.norm1.", name)
    name = re.sub(r"^projs\.(\d+)\.", r"blocks.\1.attn.proj.", name)
    return re.sub(r"^head\.", "classifier.", name)


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)


_SIZES: dict[str, dict[str, Any]] = {
    "evo_deit_tiny": {"width": 192, "heads": 3},
    "evo_deit_small": {"width": 384, "heads": 6},
    "evo_deit_base": {"width": 768, "heads": 12},
}
VARIANTS = {**_SIZES, **{f"{name}_patch16_224": arguments for name, arguments in _SIZES.items()}}
"""Each size under a short name and under the authors'."""
