"""Shuffle Transformer (Huang et al., arXiv 2106.03650): windows of neighbours and of far tokens in turn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from timm.layers import DropPath, trunc_normal_
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from edgesim.models.backbones.base import Backbone, State, Tokens, TokenShape
from edgesim.models.backbones.relative_bias import window_bias
from edgesim.models.state import TensorSpec


class WindowAttention(nn.Module):
    """Attention within W x W windows of a map (B, C, H, W), with a relative bias.

    A window holds neighbours, or with ``shuffle`` tokens that lie H / W rows and columns apart.
    """

    def __init__(self, width: int, heads: int, window: int, shuffle: bool) -> None:
        super().__init__()
        self.heads, self.window, self.shuffle = heads, window, shuffle
        self.to_qkv = nn.Conv2d(width, 3 * width, 1, bias=False)
        self.proj = nn.Conv2d(width, width, 1)
        self.bias = window_bias((window, window), heads)

    def forward(self, image: Tensor) -> Tensor:
        query, key, value = self._windows(self.to_qkv(image))
        return self.proj(self._image(scaled_dot_product_attention(query, key, value, self.bias()), image))

    def _windows(self, qkv: Tensor) -> Tensor:
        """(B, 3*C, H, W) to (3, B * windows, heads, W*W, C / heads)"""
        side = self.window
        rows, columns = qkv.shape[2] // side, qkv.shape[3] // side
        image = qkv.permute(0, 2, 3, 1)
        if self.shuffle:  # the place within a window changes slowest along each axis
            parts = image.unflatten(2, (side, columns)).unflatten(1, (side, rows)).permute(0, 2, 1, 4, 3, 5)
        else:
            parts = image.unflatten(2, (columns, side)).unflatten(1, (rows, side))
        # from (B, rows, W, columns, W, 3, heads, C / heads)
        parts = parts.unflatten(5, (3, self.heads, -1)).permute(5, 0, 1, 3, 6, 2, 4, 7)
        return parts.flatten(5, 6).flatten(1, 3)

    def _image(self, mixed: Tensor, image: Tensor) -> Tensor:
        """The inverse: (B * windows, heads, W*W, C / heads) to (B, C, H, W)."""
        batch, channels, height, width = image.shape
        side = self.window
        parts = mixed.unflatten(2, (side, side)).unflatten(0, (batch, height // side, width // side))
        parts = parts.permute(0, 1, 4, 2, 5, 3, 6)
        if self.shuffle:
            parts = parts.permute(0, 2, 1, 4, 3, 5, 6)
        return parts.reshape(batch, height, width, channels).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Window attention, a depthwise convolution as wide as a window, and an MLP, all residual with a norm first.

    The paper writes the convolution without a norm; the released code, which this follows, has one.
    """

    def __init__(self, width: int, heads: int, window: int, shuffle: bool, mlp_ratio: float, drop_path: float) -> None:
        super().__init__()
        hidden = int(width * mlp_ratio)
        self.norm1 = nn.BatchNorm2d(width)
        self.attn = WindowAttention(width, heads, window, shuffle)
        self.norm2 = nn.BatchNorm2d(width)
        self.local = nn.Conv2d(width, width, window, padding=window // 2, groups=width)
        self.norm3 = nn.BatchNorm2d(width)
        self.mlp = nn.Sequential(nn.Conv2d(width, hidden, 1), nn.ReLU6(), nn.Conv2d(hidden, width, 1))
        self.drop_path = DropPath(drop_path)

    def forward(self, image: Tensor) -> Tensor:
        # Convolutions, depthwise ones above all, and windows are quicker with the channels last.
        image = image.contiguous(memory_format=torch.channels_last)
        image = image + self.drop_path(self.attn(self.norm1(image)))
        image = image + self._nearby(self.norm2(image))
        return (image + self.drop_path(self.mlp(self.norm3(image)))).contiguous()

    def _nearby(self, image: Tensor) -> Tensor:
        """The depthwise convolution; an even window gives a row and a column too many, at the far sides."""
        return self.local(image)[..., : image.shape[2], : image.shape[3]]


class Merge(nn.Module):
    """Halves the sides of a map."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(before)
        self.reduction = nn.Conv2d(before, width, 2, 2, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.reduction(self.norm(image))


def _stem(in_chans: int, channels: int, width: int) -> nn.Sequential:
    """A quarter of the sides."""
    return nn.Sequential(
        nn.Conv2d(in_chans, channels, 3, 2, 1),
        nn.BatchNorm2d(channels),
        nn.ReLU6(),
        nn.Conv2d(channels, width, 3, 2, 1),
        nn.BatchNorm2d(width),
        nn.ReLU6(),
        nn.Conv2d(width, width, 1),
    )


class ShuffleTransformer(Backbone):
    """Shuffle Transformer as a chain: a stem, then in each stage a merge (not in the first) and its blocks.

    The blocks of a stage attend in windows of neighbours and in shuffled windows in turn.  The state is a ``map``
    (B, C, H, W); there is no class token, and no norm before the head, which averages the map.

    img_size: side of a square image, or (height, width).  width: of the first stage, doubled at each merge.
    depths, heads: of each stage.  window: side, in tokens.  stem_channels: of the stem's first convolution.
    Raises ValueError for an image whose maps the windows do not tile: sides must be multiples of
    ``4 * 2 ** (stages - 1) * window``.
    """

    def __init__(
        self,
        *,
        img_size: int | tuple[int, int] = 224,
        in_chans: int = 3,
        num_classes: int = 1000,
        width: int,
        depths: Sequence[int],
        heads: Sequence[int],
        window: int = 7,
        mlp_ratio: float = 4.0,
        stem_channels: int = 32,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        rows, columns = (img_size, img_size) if isinstance(img_size, int) else img_size
        _check_tiles((rows, columns), 4 * 2 ** (len(depths) - 1) * window, window)
        drops = iter(torch.linspace(0, drop_path, sum(depths), device="cpu").tolist())
        chain: list[nn.Module] = [_stem(in_chans, stem_channels, width)]
        shapes, names = [], ["stem"]
        for stage, (depth, head_count) in enumerate(zip(depths, heads, strict=True)):
            dim, stride = width * 2**stage, 4 * 2**stage
            if stage:
                chain.append(Merge(dim // 2, dim))
                names.append(f"stage{stage + 1}.merge")
            for index in range(depth):
                chain.append(Block(dim, head_count, window, index % 2 == 1, mlp_ratio, next(drops)))
                names.append(f"stage{stage + 1}.{index}")
            shape = TokenShape((rows // stride, columns // stride), dim, False, head_count, mlp_ratio)
            shapes += [shape] * (depth + 1)
        self.chain = nn.ModuleList(chain)
        self.classifier = nn.Linear(dim, num_classes)
        self.apply(_init)
        self._shapes = shapes
        self.block_names = tuple(names)
        self.num_blocks, self.num_classes, self.width = len(chain), num_classes, dim
        self.input_size = (in_chans, rows, columns)

    def stem(self, images: Tensor) -> State:
        return {"map": self.chain[0](images)}

    def block(self, index: int, state: State) -> State:
        return {"map": self.chain[index](state["map"])}

    def head(self, state: State) -> Tensor:
        return self.classifier(state["map"].mean((2, 3)))

    def tokens(self, state: State, token_set: str | None = None) -> Tokens:
        image = state["map"]
        return Tokens(image.flatten(2).transpose(1, 2), (image.shape[2], image.shape[3]), None)

    def token_shape(self, after: int, token_set: str | None = None) -> TokenShape:
        return self._shapes[after - 1]

    def cut_spec(self, cut: int) -> tuple[TensorSpec, ...]:
        if cut == 0:
            return (TensorSpec("image", self.input_size),)
        if cut == self.num_blocks:
            return ()
        shape = self._shapes[cut - 1]
        return (TensorSpec("map", (shape.width, *shape.grid)),)

    def released(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """As in the base; tensors that this model has no place for keep the authors' names."""
        places = {name: index for index, name in enumerate(self.block_names)}
        return {_own_name(name, places): value for name, value in weights.items() if not name.endswith(_NOT_OURS)}


_NOT_OURS = ".relative_position_index"
_OWN_NAMES = {
    "attn.relative_position_bias_table": "attn.bias.table",
    "mlp.fc1.weight": "mlp.0.weight",
    "mlp.fc1.bias": "mlp.0.bias",
    "mlp.fc2.weight": "mlp.2.weight",
    "mlp.fc2.bias": "mlp.2.bias",
}


def _own_name(name: str, places: Mapping[str, int]) -> str:
    """The authors number pairs of blocks: stage3.layers.1.0 is the third block of stage 3."""
    if name.startswith("head."):
        return name.replace("head.", "classifier.", 1)
    if found := re.fullmatch(r"to_token\.conv([123])\.(?:(\d)\.)?(\w+)", name):
        return f"chain.0.{3 * (int(found[1]) - 1) + int(found[2] or 0)}.{found[3]}"
    if found := re.fullmatch(r"(stage\d+)\.patch_partition\.(.+)", name):
        block, inner = f"{found[1]}.merge", found[2]
    elif found := re.fullmatch(r"(stage\d+)\.layers\.(\d+)\.([01])\.(.+)", name):
        block, inner = f"{found[1]}.{2 * int(found[2]) + int(found[3])}", _OWN_NAMES.get(found[4], found[4])
    else:
        return name
    return f"chain.{places[block]}.{inner}" if block in places else name


def _check_tiles(size: tuple[int, int], multiple: int, window: int) -> None:
    if any(side % multiple for side in size):
        found = f"{size[0]}x{size[1]}"
        fits = ", ".join(str(multiple * times) for times in (1, 2, 3))
        raise ValueError(
            f"an image of {found} has maps that windows of {window}x{window} tokens do not tile; "
            f"sides must be multiples of {multiple}: {fits}, ..."
        )


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d):
        trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


VARIANTS: dict[str, dict[str, Any]] = {
    "shuffle_t": {"width": 96, "depths": (2, 2, 6, 2), "heads": (3, 6, 12, 24)},
    "shuffle_s": {"width": 96, "depths": (2, 2, 18, 2), "heads": (3, 6, 12, 24)},
    "shuffle_b": {"width": 128, "depths": (2, 2, 18, 2), "heads": (4, 8, 16, 32)},
}
