"""Evo-ViT on LeViT (Xu et al., AAAI 2022): slow and fast updates of tokens in a pyramid."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from timm.layers import DropPath, trunc_normal_
from torch import Tensor, nn
from torch.nn.functional import hardswish

from edgesim.models.backbones.base import Backbone, State, Tokens, TokenShape
from edgesim.models.backbones.evo import average, in_image_order, kept_tokens, select, stage_spec
from edgesim.models.state import TensorSpec

MLP_RATIO = 2
TINY = 1e-20
"""Lost in any weight but those that were rounded to zero on their way, which then leave a plain mean."""


class LinearNorm(nn.Module):
    """Linear without bias, and batch norm over all tokens of the batch; ``scale`` is the norm's first weight."""

    def __init__(self, before: int, width: int, scale: float = 1.0) -> None:
        super().__init__()
        self.linear = nn.Linear(before, width, bias=False)
        self.bn = nn.BatchNorm1d(width)
        nn.init.constant_(self.bn.weight, scale)

    def forward(self, tokens: Tensor) -> Tensor:
        mapped = self.linear(tokens)
        return self.bn(mapped.flatten(0, 1)).view_as(mapped)


class NormLinear(nn.Module):
    """Batch norm and a linear classifier."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm1d(width)
        self.linear = nn.Linear(width, classes)
        trunc_normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear(self.bn(features))


class Mlp(nn.Sequential):
    def __init__(self, width: int) -> None:
        hidden = MLP_RATIO * width
        super().__init__(LinearNorm(width, hidden), nn.Hardswish(), LinearNorm(hidden, width, scale=0.0))


class Mixed(NamedTuple):
    """What attention makes of its tokens.

    tokens: (B, queries, D).  class_attn: (B, keys - 1), how much the first query attends to each key but the first,
    the mean over heads.
    """

    tokens: Tensor
    class_attn: Tensor


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Mixed:
    """query, key, value: (B, tokens, heads, dim of each)."""
    scaled = query.transpose(1, 2) * query.shape[-1] ** -0.5
    attention = (scaled @ key.permute(0, 2, 3, 1)).softmax(-1)
    mixed = (attention @ value.transpose(1, 2)).transpose(1, 2).flatten(2)
    return Mixed(hardswish(mixed), attention[:, :, 0, 1:].mean(1))


def _tradeoff() -> nn.Parameter:
    """Through a sigmoid, the weight of new class attention in the moving average."""
    return nn.Parameter(torch.zeros(1))


class Block(nn.Module):
    """Attention without position bias, and an MLP, both residual; a value is twice as wide as a key."""

    def __init__(self, width: int, heads: int, key_dim: int, drop_path: float) -> None:
        super().__init__()
        self.heads, self.dims = heads, (key_dim, key_dim, 2 * key_dim)
        self.tradeoff = _tradeoff()
        self.qkv = LinearNorm(width, heads * sum(self.dims))
        self.proj = LinearNorm(2 * key_dim * heads, width, scale=0.0)
        self.mlp = Mlp(width)
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tensor) -> Mixed:
        query, key, value = self.qkv(tokens).unflatten(-1, (self.heads, -1)).split(self.dims, -1)
        mixed = _attend(query, key, value)
        tokens = tokens + self.drop_path(self.proj(mixed.tokens))
        return Mixed(tokens + self.drop_path(self.mlp(tokens)), mixed.class_attn)


class Subsample(nn.Module):
    """The class token and every second row and column attend to all tokens; then a residual MLP.

    Absolute positions of the full grid are added first.  A value is four times as wide as a key.
    """

    def __init__(self, before: int, width: int, key_dim: int, grid: tuple[int, int], drop_path: float) -> None:
        super().__init__()
        self.grid, self.heads, self.dims = grid, before // key_dim, (key_dim, 4 * key_dim)
        self.tradeoff = _tradeoff()
        self.positions = _embedding(1 + grid[0] * grid[1], before)
        self.kv = LinearNorm(before, self.heads * sum(self.dims))
        self.q = LinearNorm(before, self.heads * key_dim)
        self.proj = LinearNorm(4 * key_dim * self.heads, width)
        self.mlp = Mlp(width)
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tensor, class_attn: Tensor) -> Mixed:
        """tokens, class_attn: of all patches, in image order."""
        tokens = tokens + self.positions
        fewer = torch.cat([tokens[:, :1], self._thin(tokens[:, 1:])], 1)
        key, value = self.kv(tokens).unflatten(-1, (self.heads, -1)).split(self.dims, -1)
        mixed = _attend(self.q(fewer).unflatten(-1, (self.heads, -1)), key, value)
        fresh = torch.lerp(self._thin(class_attn), self._thin(mixed.class_attn), self.tradeoff.sigmoid())
        fresh = fresh * (class_attn.sum(1, keepdim=True) / fresh.sum(1, keepdim=True))
        tokens = self.proj(mixed.tokens)
        return Mixed(tokens + self.drop_path(self.mlp(tokens)), fresh)

    def _thin(self, patches: Tensor) -> Tensor:
        """(B, H*W, ...) to (B, ceil(H/2) * ceil(W/2), ...)"""
        return patches.unflatten(1, self.grid)[:, ::2, ::2].flatten(1, 2)


def representative(state: State) -> Tensor:
    """(B, 1, D): the mean of the placeholders weighted with their class attention, as at the start of the stage.

    Neither changes within a stage, so that it need not be carried along.
    """
    placeholders = state["placeholders"]
    weights = state["class_attn"][:, -placeholders.shape[1] :] + TINY
    return ((weights / weights.sum(1, keepdim=True))[..., None] * placeholders).sum(1, keepdim=True)


def fast_update(state: State) -> Tensor:
    """The placeholders, moved as far as the representative token has moved since the start of the stage."""
    return state["placeholders"] + (state["representative"] - representative(state))


class Link(NamedTuple):
    """A block of the chain after the stem.

    number: of its stage, from 0.  selected: whether placeholders rest while it runs.  starts, ends: whether it is the
    first or last such block of its stage.
    """

    name: str
    number: int
    selected: bool = False
    starts: bool = False
    ends: bool = False


def _links(depths: Sequence[int], ordinary: int, selects: Sequence[bool]) -> Iterator[Link]:
    """selects: whether there are placeholders to be had, of each stage."""
    seen = 0
    for number, depth in enumerate(depths):
        if number:
            yield Link(f"stage{number + 1}.subsample", number)
        first = max(0, ordinary - seen) if selects[number] else depth
        for index in range(depth):
            selected = index >= first
            yield Link(f"stage{number + 1}.{index}", number, selected, index == first, selected and index == depth - 1)
        seen += depth


class EvoLeViT(Backbone):
    """Evo-LeViT as a chain: the convolutional stem, then blocks of attention and MLP, and subsamples with their MLP.

    From the attention block ``ordinary`` on, counted through all stages, patch tokens are selected once in a stage:
    the informative ones run through its blocks along with the class token and the ``representative`` (B, 1, D), the
    mean of the placeholders weighted with their class attention.  At the stage's end each placeholder moves as far as
    the representative has moved.  Besides ``representative``, states are as in :mod:`.evo`; ``tokens`` moves the
    placeholders as far as the representative is by then.  A subsample puts the tokens back in image order and brings
    the class attention to the new grid.

    The head averages two classifiers of the mean patch token.  Our reading, unconfirmed: the first attention has
    nothing to average with; the weights of the representative add up to 1 over the placeholders; trade-offs start at
    0, before the sigmoid; the class token has a place in every table of positions (this one follows from the number
    of parameters); stage-wise selection in training too, with trade-offs learned from the start.

    img_size: side of the square image, pixels.  widths, depths, heads: of each stage.  key_dim: of one head.
    stem_stride: pixels of a token's side after the stem.  keep: share of the patch tokens that stays informative.
    class_head: adds the classifiers of the class token that the authors train along, see :meth:`class_logits`.
    drop_path: of every residual.  Raises ValueError for an image that is no multiple of ``stem_stride``, a ``keep``
    that is no share, or no ``ordinary`` block, because only attention tells what is informative.
    """

    def __init__(
        self,
        *,
        img_size: int = 224,
        in_chans: int = 3,
        num_classes: int = 1000,
        widths: Sequence[int],
        depths: Sequence[int],
        heads: Sequence[int],
        key_dim: int,
        stem_stride: Literal[8, 16] = 16,
        keep: float = 0.5,
        ordinary: int = 2,
        class_head: bool = False,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        if img_size % stem_stride:
            raise ValueError(f"img_size {img_size} is not a multiple of stem_stride {stem_stride}")
        if ordinary < 1:
            raise ValueError(f"ordinary blocks come first, one at least, found {ordinary}")
        sides = [img_size // stem_stride]
        for _ in depths[1:]:
            sides.append((sides[-1] + 1) // 2)
        kept = [kept_tokens(side**2, keep) for side in sides]
        self.cls_token = _embedding(1, widths[0])
        self.pos_embed = _embedding(1 + sides[0] ** 2, widths[0])
        self.patch_embed = _conv_stem(in_chans, widths[0], stem_stride)
        self._links = list(_links(depths, ordinary, [count < side**2 for count, side in zip(kept, sides, strict=True)]))
        self.blocks = nn.ModuleList(
            Subsample(widths[n - 1], widths[n], key_dim, (sides[n - 1], sides[n - 1]), drop_path)
            if link.name.endswith("subsample")
            else Block(widths[n], heads[n], key_dim, drop_path)
            for link in self._links
            for n in [link.number]
        )
        self.classifier = NormLinear(widths[-1], num_classes)
        self.classifier_dist = NormLinear(widths[-1], num_classes)
        self.head_cls = NormLinear(widths[-1], num_classes) if class_head else None
        self.head_cls_dist = NormLinear(widths[-1], num_classes) if class_head else None
        self._kept = kept
        self._shapes = [
            TokenShape((side, side), width, True, count, MLP_RATIO)
            for side, width, count in zip(sides, widths, heads, strict=True)
        ]
        self.block_names = ("stem", *(link.name for link in self._links))
        self.num_blocks, self.num_classes, self.width = len(self.block_names), num_classes, widths[-1]
        self.input_size = (in_chans, img_size, img_size)

    def stem(self, images: Tensor) -> State:
        patches = self.patch_embed(images).flatten(2).transpose(1, 2)
        return {"tokens": torch.cat([self.cls_token.expand(images.shape[0], -1, -1), patches], 1) + self.pos_embed}

    def block(self, index: int, state: State) -> State:
        link = self._links[index - 1]
        block: Any = self.blocks[index - 1]  # either class, which no type tells apart
        if isinstance(block, Subsample):
            state = self._subsample(block, state)
        elif link.selected:
            state = self._slow_fast(link, block, state)
        else:
            state = self._ordinary(block, state)
        if index + 1 == self.num_blocks:
            del state["class_attn"]
        return state

    def _subsample(self, block: Subsample, state: State) -> State:
        order = state.get("order")
        patches = in_image_order(state["tokens"][:, 1:], order)
        tokens = torch.cat([state["tokens"][:, :1], patches], 1)
        return block(tokens, in_image_order(state["class_attn"], order))._asdict()

    def _ordinary(self, block: Block, state: State) -> State:
        tokens, class_attn = block(state["tokens"])
        if "class_attn" in state:
            class_attn = average(state["class_attn"], class_attn, block.tradeoff.sigmoid())
        return {"tokens": tokens, "class_attn": class_attn}

    def _slow_fast(self, link: Link, block: Block, state: State) -> State:
        if link.starts:
            state = select(state, self._kept[link.number])
            state["representative"] = representative(state)
        tokens, class_attn = block(torch.cat([state["tokens"], state["representative"]], 1))
        state = {
            **state,
            "tokens": tokens[:, :-1].contiguous(),
            "representative": tokens[:, -1:].contiguous(),
            "class_attn": average(state["class_attn"], class_attn[:, :-1], block.tradeoff.sigmoid()),
        }
        if not link.ends:
            return state
        tokens = torch.cat([state["tokens"], fast_update(state)], 1)
        return {"tokens": tokens, "class_attn": state["class_attn"], "order": state["order"]}

    def head(self, state: State) -> Tensor:
        mean = state["tokens"][:, 1:].mean(1)
        return (self.classifier(mean) + self.classifier_dist(mean)) / 2

    def class_logits(self, state: State) -> Tensor:
        """Logits (B, classes) of the class token after the last block, an auxiliary loss in training.

        The average of two classifiers.  Raises ValueError without ``class_head``.
        """
        if self.head_cls is None or self.head_cls_dist is None:
            raise ValueError("this model has no classifiers of the class token: class_head=True adds them")
        token = state["tokens"][:, 0]
        return (self.head_cls(token) + self.head_cls_dist(token)) / 2

    def tokens(self, state: State, token_set: str | None = None) -> Tokens:
        tokens = state["tokens"]
        patches = tokens[:, 1:]
        if "placeholders" in state:
            patches = torch.cat([patches, fast_update(state)], 1)
        grid = next(shape.grid for shape in self._shapes if shape.grid[0] ** 2 == patches.shape[1])
        return Tokens(in_image_order(patches, state.get("order")), grid, tokens[:, 0])

    def token_shape(self, after: int, token_set: str | None = None) -> TokenShape:
        return self._shapes[self._links[after - 2].number if after > 1 else 0]

    def cut_spec(self, cut: int) -> tuple[TensorSpec, ...]:
        if cut == 0:
            return (TensorSpec("image", self.input_size),)
        if cut == self.num_blocks:
            return ()
        shape = self.token_shape(cut)
        count = shape.grid[0] * shape.grid[1]
        if cut == 1:
            return (TensorSpec("tokens", (1 + count, shape.width)),)
        link = self._links[cut - 2]
        if not link.selected or link.ends:
            return stage_spec(count, count, shape.width, link.selected)
        specs = stage_spec(count, self._kept[link.number], shape.width, True)
        return (*specs, TensorSpec("representative", (1, shape.width)))

    def released(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """From the authors' checkpoint, whose names inside the blocks are not confirmed here.

        Classifiers go by name; any other tensor to the next one of its shape, both in the order of registration.
        ``stage_blocks.*`` are second names of ``blocks.*``.  What has no place keeps its name; our own names stay.
        """
        expected = self.state_dict()
        if weights.keys() <= expected.keys():
            return weights
        places: defaultdict[Any, deque[str]] = defaultdict(deque)
        for name, value in expected.items():
            if not name.startswith(("classifier", "head_cls")):
                places[_kind(value)].append(name)
        own = {}
        for name, value in weights.items():
            if name.startswith("stage_blocks.") or (self.head_cls is None and re.match(r"head\w*_cls", name)):
                continue
            if name.startswith("head"):
                own[_own_head(name)] = value
            elif found := places[_kind(value)]:
                place = found.popleft()
                own[place] = value.reshape(expected[place].shape)
            else:
                own[name] = value
        return own


def _kind(value: Tensor) -> tuple[bool, tuple[int, ...]]:
    """What tells tensors apart but for the order; axes of length one do not."""
    return value.is_floating_point(), tuple(length for length in value.shape if length > 1)


def _own_head(name: str) -> str:
    name = re.sub(r"\.l\.", ".linear.", name)
    name = re.sub(r"^head_dist_cls\.", "head_cls_dist.", name)
    return re.sub(r"^head(_dist)?\.", r"classifier\1.", name)


def _embedding(tokens: int, width: int) -> nn.Parameter:
    return nn.Parameter(trunc_normal_(torch.empty(1, tokens, width), std=0.02))


def _conv_stem(in_chans: int, width: int, stride: int) -> nn.Sequential:
    """Convolutions that each halve the sides; the last one has ``width`` channels, the others half of the next."""
    layers: list[nn.Module] = []
    before, steps = in_chans, stride.bit_length() - 1
    for step in range(steps):
        channels = width // 2 ** (steps - 1 - step)
        layers += [nn.Conv2d(before, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels), nn.Hardswish()]
        before = channels
    return nn.Sequential(*layers[:-1])


def _variant(widths: Sequence[int], depths: Sequence[int], heads: Sequence[int], key_dim: int) -> dict[str, Any]:
    return {"widths": tuple(widths), "depths": tuple(depths), "heads": tuple(heads), "key_dim": key_dim}


VARIANTS: dict[str, dict[str, Any]] = {
    "evo_levit_128s": _variant((128, 256, 384), (2, 3, 4), (4, 6, 8), 16),
    "evo_levit_128": _variant((128, 256, 384), (4, 4, 4), (4, 8, 12), 16),
    "evo_levit_192": _variant((192, 288, 384), (4, 4, 4), (3, 5, 6), 32),
    "evo_levit_256": _variant((256, 384, 512), (4, 4, 4), (4, 6, 8), 32),
    "evo_levit_384": _variant((384, 512, 768), (4, 4, 4), (6, 9, 12), 32),
}
