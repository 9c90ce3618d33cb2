"""The shape of a multi-exit model, readable without torch: enough to build it, or to size its payloads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from itertools import accumulate
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=1)]
# YAML and JSON have lists where the models keep tuples, so that a geometry cannot change.
Counts = Annotated[tuple[Count, ...], Field(strict=False)]
Pair = Annotated[tuple[Count, Count], Field(strict=False)]


class Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def _heads_divide(widths: tuple[int, ...], heads: tuple[int, ...]) -> None:
    for width, count in zip(widths, heads, strict=True):
        if width % count:
            raise ValueError(f"width {width} is not a multiple of heads {count}")


def _one_each(**lists: tuple[int, ...]) -> None:
    if len({len(values) for values in lists.values()}) > 1:
        counts = ", ".join(f"{len(values)} {name}" for name, values in lists.items())
        raise ValueError(f"one value for each stage, found {counts}")


class BackboneShape(Shape):
    """What every backbone has; the other keys are the arguments of the function or class that builds it."""

    img_size: Count = Field(description="side of the square image, in pixels")
    in_chans: Count
    num_classes: Count = Field(description="outputs: classes, or 1 for a number")
    drop_path: float = Field(default=0.0, ge=0, lt=1, description="stochastic depth of the last block")

    @property
    @abstractmethod
    def num_blocks(self) -> int:
        """Blocks of the chain, the stem included."""

    @property
    def fresh_class_tokens(self) -> frozenset[int]:
        """Blocks run where there is a class token that is still the same for every image."""
        return frozenset({1})

    @property
    def input_size(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.in_chans, self.img_size, self.img_size


class SmallViT(BackboneShape):
    """A ViT with a convolutional stem; the keys are the arguments of ``backbones.vit.small_vit``."""

    type: Literal["small_vit"]
    width: Count = Field(description="of a token")
    depth: Count = Field(description="transformer blocks, besides the stem")
    heads: Count
    stem_channels: Counts = Field(description="of the stem's convolutions; each but the first halves the map")
    mlp_ratio: float = Field(default=4.0, gt=0)
    merge: int = Field(default=0, ge=0, description="pairs of similar tokens that each transformer block merges")

    @property
    def num_blocks(self) -> int:
        return 1 + self.depth

    @model_validator(mode="after")
    def _consistent(self) -> SmallViT:
        _heads_divide((self.width,), (self.heads,))
        return self


class LeViTShape(BackboneShape):
    """A LeViT; the keys are the arguments of ``backbones.levit.small_levit``, lists have one value for each stage."""

    type: Literal["levit"]
    widths: Counts
    depths: Counts = Field(description="attention + MLP blocks")
    heads: Counts
    key_dim: Count = Field(description="of a query or key of one head; a value is twice as wide")
    stem_stride: Literal[8, 16] = Field(default=16, description="pixels of a token's side after the stem")

    @property
    def num_blocks(self) -> int:
        # Stem, and a subsample before each stage but the first.
        return sum(self.depths) + len(self.depths)

    @property
    def fresh_class_tokens(self) -> frozenset[int]:
        return frozenset()

    @model_validator(mode="after")
    def _consistent(self) -> LeViTShape:
        _one_each(widths=self.widths, depths=self.depths, heads=self.heads)
        return self


class CrossViTShape(BackboneShape):
    """A CrossViT; the keys are the arguments of ``backbones.crossvit.small_crossvit``.

    Pairs are for the branch of small patches and the branch of large patches, in this order.
    """

    type: Literal["crossvit"]
    branch_sizes: Pair | None = Field(default=None, description="sides the image is scaled to, pixels; None: its own")
    patch_sizes: Pair
    widths: Pair
    depths: Pair = Field(description="encoder blocks in each multi-scale block")
    heads: Pair
    fusions: Count = Field(default=3, description="multi-scale blocks, each of which ends with a fusion")
    mlp_ratio: float = Field(default=4.0, gt=0)
    conv_patches: bool = Field(default=False, description="patches of 12 and 16 pixels by three convolutions")

    @property
    def num_blocks(self) -> int:
        # Stem and last norms; an encoder of the small branch runs beside one of the large branch.
        return 2 + self.fusions * (self.depths[1] + 1)

    @model_validator(mode="after")
    def _consistent(self) -> CrossViTShape:
        _heads_divide(self.widths, self.heads)
        return self


class EvoDeiTShape(BackboneShape):
    """An Evo-ViT on DeiT; the keys are the arguments of ``backbones.evo_deit.EvoDeiT``."""

    type: Literal["evo_deit"]
    patch_size: Count
    width: Count = Field(description="of a token")
    depth: Count = Field(description="transformer blocks, besides the stem")
    heads: Count
    mlp_ratio: float = Field(default=4.0, gt=0)
    keep: float = Field(default=0.5, gt=0, le=1, description="share of the patch tokens that stays informative")
    tradeoff: float = Field(default=0.5, ge=0, le=1, description="of the newest class attention in its moving average")
    select_before: Counts = Field(
        default=(4, 8), description="transformer blocks, from 0, before which tokens are chosen"
    )

    @property
    def num_blocks(self) -> int:
        return 1 + self.depth

    @model_validator(mode="after")
    def _consistent(self) -> EvoDeiTShape:
        _heads_divide((self.width,), (self.heads,))
        return self


class EvoLeViTShape(BackboneShape):
    """An Evo-ViT on LeViT; the keys are the arguments of ``backbones.evo_levit.EvoLeViT``."""

    type: Literal["evo_levit"]
    widths: Counts
    depths: Counts = Field(description="attention + MLP blocks")
    heads: Counts
    key_dim: Count = Field(description="of a query or key of one head")
    stem_stride: Literal[8, 16] = Field(default=16, description="pixels of a token's side after the stem")
    keep: float = Field(default=0.5, gt=0, le=1, description="share of the patch tokens that stays informative")
    ordinary: int = Field(default=2, ge=0, description="first attention + MLP blocks, which take all tokens")

    @property
    def num_blocks(self) -> int:
        # Stem, and a subsample before each stage but the first.
        return sum(self.depths) + len(self.depths)

    @model_validator(mode="after")
    def _consistent(self) -> EvoLeViTShape:
        _one_each(widths=self.widths, depths=self.depths, heads=self.heads)
        return self


class ViLShape(BackboneShape):
    """A Vision Longformer; the keys are the arguments of ``backbones.vil.ViL``, lists have one value for each stage."""

    type: Literal["vil"]
    widths: Counts
    depths: Counts = Field(description="attention + MLP blocks")
    heads: Counts
    patch_sizes: Counts = Field(default=(4, 2, 2, 2), description="pixels, then tokens of the stage before, of a side")
    global_tokens: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False)] = (1, 1, 1, 0)
    sparse_stages: int = Field(default=2, ge=0, description="first stages, whose attention is in sliding chunks")
    window: Count = Field(default=7, description="side of a chunk, in tokens")
    relative: bool = Field(default=False, description="relative position biases in place of absolute positions")
    mlp_ratio: float = Field(default=4.0, gt=0)

    @property
    def num_blocks(self) -> int:
        # An embedding before each stage; the first is the stem.
        return sum(self.depths) + len(self.depths)

    @property
    def fresh_class_tokens(self) -> frozenset[int]:
        # Every stage has new global tokens.
        starts = accumulate((1 + depth for depth in self.depths[:-1]), initial=1)
        return frozenset(start for start, count in zip(starts, self.global_tokens, strict=True) if count)

    @model_validator(mode="after")
    def _consistent(self) -> ViLShape:
        _one_each(
            widths=self.widths,
            depths=self.depths,
            heads=self.heads,
            patch_sizes=self.patch_sizes,
            global_tokens=self.global_tokens,
        )
        _heads_divide(self.widths, self.heads)
        return self


class ShuffleShape(BackboneShape):
    """A Shuffle Transformer; the keys are the arguments of ``backbones.shuffle.ShuffleTransformer``."""

    type: Literal["shuffle"]
    width: Count = Field(description="of the first stage; it doubles from stage to stage")
    depths: Counts = Field(description="blocks of each stage")
    heads: Counts = Field(description="of each stage")
    window: Count = Field(default=7, description="side of a window, in tokens")
    mlp_ratio: float = Field(default=4.0, gt=0)
    stem_channels: Count = Field(default=32, description="of the stem's first convolution")

    @property
    def num_blocks(self) -> int:
        # Stem, and a merge before each stage but the first.
        return sum(self.depths) + len(self.depths)

    @property
    def fresh_class_tokens(self) -> frozenset[int]:
        return frozenset()

    @model_validator(mode="after")
    def _consistent(self) -> ShuffleShape:
        _one_each(depths=self.depths, heads=self.heads)
        _heads_divide(tuple(self.width * 2**stage for stage in range(len(self.depths))), self.heads)
        return self


AnyBackbone = Annotated[
    SmallViT | LeViTShape | CrossViTShape | EvoDeiTShape | EvoLeViTShape | ViLShape | ShuffleShape,
    Field(discriminator="type"),
]


def _as_list(value: Any) -> Any:
    return (value,) if isinstance(value, int) else value


class BranchesShape(Shape):
    """The same branch after one or several blocks."""

    after: Annotated[Counts, BeforeValidator(_as_list)] = Field(description="blocks run before each branch")
    token_set: str | None = Field(default=None, description="which tokens it reads where the backbone has several sets")

    @model_validator(mode="after")
    def _increasing(self) -> BranchesShape:
        if list(self.after) != sorted(set(self.after)):
            raise ValueError(f"after must increase, found {list(self.after)}")
        return self


class MLPBranches(BranchesShape):
    """MLP-EE: LayerNorm and Linear layers on the class token."""

    type: Literal["mlp"]
    hidden: Counts = Field(default=(), description="widths of hidden layers; empty for LayerNorm and one Linear")
    dropout: float = Field(default=0.0, ge=0, lt=1)


class CNNBranches(BranchesShape):
    """CNN-EE: the class token ignored, added to every patch token, or projected onto it; then a convolution."""

    type: Literal["cnn_ignore", "cnn_add", "cnn_project"]
    filters: Count = 16


class ViTBranches(BranchesShape):
    """ViT-EE: one more encoder layer of the backbone's own shape there."""

    type: Literal["vit"]


class MLPMixerBranches(BranchesShape):
    """MLP-Mixer-EE: one Mixer layer."""

    type: Literal["mlp_mixer"]
    token_hidden: Count | None = Field(default=None, description="of the token-mixing MLP; None: 4 x tokens")
    channel_hidden: Count | None = Field(default=None, description="of the channel-mixing MLP; None: 4 x width")


class ResMLPBranches(BranchesShape):
    """ResMLP-EE: one ResMLP layer on the patch tokens."""

    type: Literal["resmlp"]


AnyBranch = Annotated[
    MLPBranches | CNNBranches | ViTBranches | MLPMixerBranches | ResMLPBranches,
    Field(discriminator="type"),
]


class Geometry(Shape):
    """A backbone and its branches, one exit at most after a block."""

    backbone: AnyBackbone
    branches: Annotated[tuple[AnyBranch, ...], Field(strict=False)] = ()

    @property
    def exits(self) -> tuple[int, ...]:
        """Blocks run before each exit."""
        return (*sorted(after for after, _ in self.placed()), self.backbone.num_blocks)

    def placed(self) -> Iterator[tuple[int, AnyBranch]]:
        """Each branch with the blocks run before it, in the order of ``branches``."""
        return ((after, branch) for branch in self.branches for after in branch.after)

    @model_validator(mode="after")
    def _branches_within(self) -> Geometry:
        last = self.backbone.num_blocks - 1
        taken: set[int] = set()
        for after, branch in self.placed():
            if not 1 <= after <= last:
                raise ValueError(f"branches sit after 1..{last} blocks, found {after}")
            if branch.type == "mlp" and after in self.backbone.fresh_class_tokens:
                raise ValueError(f"after {after} blocks the class token of mlp is still the same for every image")
            if after in taken:
                raise ValueError(f"one exit at most after a block, found several after {after}")
            taken.add(after)
        return self
