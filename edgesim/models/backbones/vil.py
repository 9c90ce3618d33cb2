"""Vision Longformer, ViL (Zhang et al., ICCV 2021): four stages, sliding-chunk attention in the first ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from timm.layers import DropPath, Mlp, trunc_normal_
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

from edgesim.models.backbones.base import Backbone, State, Tokens, TokenShape
from edgesim.models.backbones.relative_bias import GlobalBias, window_bias
from edgesim.models.backbones.sliding_chunk import SlidingChunkAttention
from edgesim.models.state import TensorSpec

EPS = 1e-6


class FullAttention(nn.Module):
    """Every token attends to every token; ``relative`` adds a bias per head and offset on the grid."""

    def __init__(self, width: int, heads: int, grid: tuple[int, int], global_tokens: int, relative: bool) -> None:
        super().__init__()
        self.heads, self.patches = heads, grid[0] * grid[1]
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.bias = window_bias(grid, heads) if relative else None
        self.global_bias = GlobalBias(heads, global_tokens) if relative and global_tokens else None

    def forward(self, tokens: Tensor) -> Tensor:
        query, key, value = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(query, key, value, self._bias())
        return self.proj(mixed.transpose(1, 2).flatten(2))

    def _bias(self) -> Tensor | None:
        """(1, heads, G + N, G + N)"""
        if self.bias is None or self.global_bias is None:
            return None if self.bias is None else self.bias()
        of_patches = self.global_bias.of_patches(self.bias())
        return torch.cat([self.global_bias.of_globals(self.patches), of_patches], 2)


class Layer(nn.Module):
    """Attention and MLP, both residual with the norm first."""

    def __init__(self, width: int, attention: nn.Module, mlp_ratio: float, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, EPS)
        self.attn = attention
        self.norm2 = nn.LayerNorm(width, EPS)
        self.mlp = Mlp(width, int(width * mlp_ratio))
        self.drop_path = DropPath(drop_path)

    def attend(self, tokens: Tensor) -> Tensor:
        return tokens + self.drop_path(self.attn(self.norm1(tokens)))

    def mix(self, tokens: Tensor) -> Tensor:
        return tokens + self.drop_path(self.mlp(self.norm2(tokens)))

    def forward(self, tokens: Tensor) -> Tensor:
        return self.mix(self.attend(tokens))


class Embed(nn.Module):
    """A map to the tokens of a stage: patches, LayerNorm, new global tokens in front, absolute positions.

    A map that the patch does not divide is padded with zeros at the right and the bottom, and the patches that hold
    padding are tokens like any other.
    """

    def __init__(
        self, channels: int, width: int, patch: int, grid: tuple[int, int], global_tokens: int, positions: bool
    ) -> None:
        super().__init__()
        self.patch, self.grid = patch, grid
        self.proj = nn.Conv2d(channels, width, patch, patch)
        self.norm = nn.LayerNorm(width, EPS)
        self.global_tokens = _embedding(global_tokens, width) if global_tokens else None
        self.global_positions = _embedding(global_tokens, width) if global_tokens and positions else None
        self.row_positions = _embedding(grid[0], width // 2) if positions else None
        self.column_positions = _embedding(grid[1], width // 2) if positions else None

    def forward(self, image: Tensor) -> Tensor:
        (height, width), side = image.shape[-2:], self.patch
        image = pad(image, (0, -width % side, 0, -height % side))
        tokens = self.norm(self.proj(image).flatten(2).transpose(1, 2))
        if self.row_positions is not None and self.column_positions is not None:
            rows = self.row_positions[0, :, None].expand(*self.grid, -1)
            columns = self.column_positions[0].expand(*self.grid, -1)
            tokens = tokens + torch.cat([rows, columns], -1).flatten(0, 1)
        if self.global_tokens is None:
            return tokens
        first = self.global_tokens if self.global_positions is None else self.global_tokens + self.global_positions
        return torch.cat([first.expand(len(tokens), -1, -1), tokens], 1)


class Stage(nn.Module):
    """An embedding and its layers on one grid."""

    def __init__(self, embed: Embed, layers: Sequence[Layer], shape: TokenShape, global_tokens: int) -> None:
        super().__init__()
        self.embed = embed
        self.layers = nn.ModuleList(layers)
        self.shape, self.global_tokens = shape, global_tokens

    @property
    def count(self) -> int:
        """Tokens, the global ones included."""
        return self.global_tokens + self.shape.grid[0] * self.shape.grid[1]

    def to_map(self, tokens: Tensor) -> Tensor:
        """(B, G + H*W, D) to (B, D, H, W), without the global tokens."""
        return tokens[:, self.global_tokens :].transpose(1, 2).unflatten(2, self.shape.grid).contiguous()


class ViL(Backbone):
    """Vision Longformer as a chain: each stage is an embedding (the first is the stem) and its layers.

    Inside a stage ``tokens`` (B, G + H*W, D) cross, with the global tokens first; at its end only the ``map``
    (B, D, H, W) does, because the next stage makes global tokens of its own.  The first global token serves as the
    class token.  The head reads it after the last stage, or the mean token where that stage has none.

    img_size: side of a square image, or (height, width).  widths, depths, heads, patch_sizes, global_tokens: of each
    stage.  sparse_stages: how many of the first stages use sliding chunks of ``window``.  relative: relative position
    biases instead of absolute position embeddings.  Any image size is allowed: see :class:`Embed`.
    """

    def __init__(
        self,
        *,
        img_size: int | tuple[int, int] = 224,
        in_chans: int = 3,
        num_classes: int = 1000,
        widths: Sequence[int],
        depths: Sequence[int],
        heads: Sequence[int],
        patch_sizes: Sequence[int] = (4, 2, 2, 2),
        global_tokens: Sequence[int] = (1, 1, 1, 0),
        sparse_stages: int = 2,
        window: int = 7,
        relative: bool = False,
        mlp_ratio: float = 4.0,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        height, width = (img_size, img_size) if isinstance(img_size, int) else img_size
        drops = iter(torch.linspace(0, drop_path, sum(depths), device="cpu").tolist())
        grid, channels = (height, width), in_chans
        stages = []
        geometry = zip(widths, depths, heads, patch_sizes, global_tokens, strict=True)
        for number, (dim, depth, head_count, patch, tokens) in enumerate(geometry):
            grid = (-(-grid[0] // patch), -(-grid[1] // patch))
            embed = Embed(channels, dim, patch, grid, tokens, not relative)
            layers = []
            for _ in range(depth):
                if number < sparse_stages:
                    attention: nn.Module = SlidingChunkAttention(dim, head_count, grid, window, tokens, relative)
                else:
                    attention = FullAttention(dim, head_count, grid, tokens, relative)
                layers.append(Layer(dim, attention, mlp_ratio, next(drops)))
            stages.append(Stage(embed, layers, TokenShape(grid, dim, tokens > 0, head_count, mlp_ratio), tokens))
            channels = dim
        self.stages = nn.ModuleList(stages)
        self._stages = stages  # the same ones, for type checkers
        self.norm = nn.LayerNorm(channels, EPS)
        self.classifier = nn.Linear(channels, num_classes)
        self.apply(_init)
        # Stage and layer of each block; the embedding comes before layer 0.
        self._places = [(stage, layer) for stage, depth in enumerate(depths) for layer in range(-1, depth)]
        self.block_names = tuple(
            f"stage{stage + 1}.{layer}" if layer >= 0 else f"stage{stage + 1}.embed" if stage else "stem"
            for stage, layer in self._places
        )
        self.num_blocks, self.num_classes, self.width = len(self._places), num_classes, channels
        self.input_size = (in_chans, height, width)

    def stem(self, images: Tensor) -> State:
        return {"tokens": self._stages[0].embed(images)}

    def block(self, index: int, state: State) -> State:
        place, layer = self._places[index]
        stage = self._stages[place]
        if layer < 0:
            return {"tokens": stage.embed(state["map"])}
        tokens = stage.layers[layer](state["tokens"])
        return {"map": stage.to_map(tokens)} if self._ends_stage(index + 1) else {"tokens": tokens}

    def head(self, state: State) -> Tensor:
        tokens = self.norm(state["tokens"])
        return self.classifier(tokens[:, 0] if self._stages[-1].global_tokens else tokens.mean(1))

    def tokens(self, state: State, token_set: str | None = None) -> Tokens:
        if "map" in state:
            image = state["map"]
            return Tokens(image.flatten(2).transpose(1, 2), (image.shape[2], image.shape[3]), None)
        tokens = state["tokens"]
        stage = next(s for s in self._stages if (s.count, s.shape.width) == tokens.shape[1:])
        first = stage.global_tokens
        return Tokens(tokens[:, first:], stage.shape.grid, tokens[:, 0] if first else None)

    def token_shape(self, after: int, token_set: str | None = None) -> TokenShape:
        shape = self._stages[self._places[after - 1][0]].shape
        return shape._replace(class_token=False) if self._ends_stage(after) else shape

    def cut_spec(self, cut: int) -> tuple[TensorSpec, ...]:
        if cut == 0:
            return (TensorSpec("image", self.input_size),)
        if cut == self.num_blocks:
            return ()
        stage = self._stages[self._places[cut - 1][0]]
        if self._ends_stage(cut):
            return (TensorSpec("map", (stage.shape.width, *stage.shape.grid)),)
        return (TensorSpec("tokens", (stage.count, stage.shape.width)),)

    def released(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """As in the base; empty tensors, indices and second names of shared projections have no place here."""
        kept = {name: value for name, value in weights.items() if value.numel() and not _NOT_OURS.search(name)}
        return {_own_name(name): value for name, value in kept.items()}

    def _ends_stage(self, after: int) -> bool:
        """Whether the state after so many blocks is a map on its way to the next stage."""
        return after < self.num_blocks and self._places[after][1] < 0


def _embedding(tokens: int, width: int) -> nn.Parameter:
    return nn.Parameter(trunc_normal_(torch.empty(1, tokens, width), std=0.02))


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)


_OWN_NAMES = {
    "cls_token": "global_tokens",
    "cls_pos_embed": "global_positions",
    "x_pos_embed": "row_positions",
    "y_pos_embed": "column_positions",
    "norm_embed": "norm",
    "local_relative_position_bias_table": "bias.table",
    "g2l_relative_position_bias": "global_bias.to_patches",
    "g2g_relative_position_bias": "global_bias.to_globals",
}
# The global projections are the others under a second name.
_NOT_OURS = re.compile(r"\.(query|kv|proj)_global\.|\.relative_position_index$")


def _own_name(name: str) -> str:
    """The authors count the embedding, attentions and MLPs of a stage in one row: layer1.0, layer1.1, layer1.2, ..."""
    if name.startswith("head."):
        return name.replace("head.", "classifier.", 1)
    if not (found := re.fullmatch(r"layer(\d+)\.(\d+)\.(.+)", name)):
        return name
    stage, place = int(found[1]) - 1, int(found[2])
    inner = ".".join(_OWN_NAMES.get(part, part) for part in found[3].split("."))
    if place == 0:
        return f"stages.{stage}.embed.{inner}"
    half = "norm1" if place % 2 else "norm2"
    return f"stages.{stage}.layers.{(place - 1) // 2}.{re.sub(r'^norm(?=[.])', half, inner)}"


def _variant(widths: Sequence[int], depths: Sequence[int], heads: Sequence[int]) -> dict[str, Any]:
    return {"widths": tuple(widths), "depths": tuple(depths), "heads": tuple(heads)}


_SMALL = (96, 192, 384, 768), (3, 3, 6, 12)
_ABSOLUTE = {
    "vil_tiny": _variant((48, 96, 192, 384), (1, 1, 9, 1), (1, 3, 3, 6)),
    "vil_small": _variant(_SMALL[0], (1, 2, 8, 1), _SMALL[1]),
    "vil_medium_deep": _variant(_SMALL[0], (1, 4, 16, 1), _SMALL[1]),
    "vil_medium_wide": _variant((192, 384, 512, 768), (1, 2, 8, 1), (3, 6, 8, 12)),
    "vil_base_deep": _variant(_SMALL[0], (1, 8, 24, 1), _SMALL[1]),
    "vil_base_wide": _variant((192, 384, 768, 1024), (1, 2, 8, 1), (3, 6, 12, 16)),
}
VARIANTS: dict[str, dict[str, Any]] = {
    **_ABSOLUTE,
    **{f"{name}_rpb": {**arguments, "relative": True} for name, arguments in _ABSOLUTE.items()},
}
