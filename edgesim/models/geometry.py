"""The shape of a multi-exit model, readable without torch: enough to build it, or to size its payloads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

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

    class_token_after_stem: ClassVar[bool] = True
    """Whether the state after the stem has a class token, which then is the same for every image."""

    img_size: Count = Field(description="side of the square image, in pixels")
    in_chans: Count
    num_classes: Count = Field(description="outputs: classes, or 1 for a number")
    drop_path: float = Field(default=0.0, ge=0, lt=1, description="stochastic depth of the last block")

    @property
    def num_blocks(self) -> int:
        """Blocks of the chain, the stem included."""
        raise NotImplementedError

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

    @property
    def num_blocks(self) -> int:
        return 1 + self.depth

    @model_validator(mode="after")
    def _consistent(self) -> SmallViT:
        _heads_divide((self.width,), (self.heads,))
        return self


class LeViTShape(BackboneShape):
    """A LeViT; the keys are the arguments of ``backbones.levit.small_levit``, lists have one value for each stage."""

    class_token_after_stem: ClassVar[bool] = False

    type: Literal["levit"]
    widths: Counts
    depths: Counts = Field(description="attention + MLP blocks")
    heads: Counts
    key_dim: Count = Field(description="of a query or key of one head; a value is twice as wide")
    stem_stride: Literal[8, 16] = Field(default=16, description="pixels of a token's side after the stem")

    @property
    def num_blocks(self) -> int:
        # Each stage but the first begins with a subsample.
        return 1 + sum(self.depths) + len(self.depths) - 1

    @model_validator(mode="after")
    def _consistent(self) -> LeViTShape:
        _one_each(widths=self.widths, depths=self.depths, heads=self.heads)
        if self.img_size % self.stem_stride:
            raise ValueError(f"img_size {self.img_size} is not a multiple of stem_stride {self.stem_stride}")
        if bad := [width for width in self.widths[:-1] if width % self.key_dim]:
            raise ValueError(f"width {bad[0]} is not a multiple of key_dim {self.key_dim}")
        return self


class CrossViTShape(BackboneShape):
    """A CrossViT; the keys are the arguments of ``backbones.crossvit.small_crossvit``.

    Pairs are for the branch of small patches and the branch of large patches, in this order.
    """

    type: Literal["crossvit"]
    branch_sizes: Pair | None = Field(
        default=None, description="side that the image is scaled to, in pixels; None: its own"
    )
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
        for size, patch in zip(self.branch_sizes or (self.img_size,) * 2, self.patch_sizes, strict=True):
            if size % patch:
                raise ValueError(f"the image of {size} pixels cannot be cut into patches of {patch}")
        if self.depths[0] > self.depths[1]:
            raise ValueError(f"depths {list(self.depths)}: the branch of large patches is the deeper one")
        if self.conv_patches and self.patch_sizes != (12, 16):
            raise ValueError(f"conv_patches needs patch_sizes [12, 16], found {list(self.patch_sizes)}")
        return self


AnyBackbone = Annotated[SmallViT | LeViTShape | CrossViTShape, Field(discriminator="type")]


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
        for branch in self.branches:
            # After the stem alone the class token is still the same for every image.
            first = 2 if branch.type == "mlp" and self.backbone.class_token_after_stem else 1
            if not all(first <= after <= last for after in branch.after):
                raise ValueError(f"{branch.type} branches sit after {first}..{last} blocks, found {list(branch.after)}")
            if twice := taken.intersection(branch.after):
                raise ValueError(f"one exit at most after a block, found several after {min(twice)}")
            taken.update(branch.after)
        return self
