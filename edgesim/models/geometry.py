"""The shape of a multi-exit model, readable without torch: enough to build it, or to size its payloads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=1)]
# YAML and JSON have lists where the models keep tuples, so that a geometry cannot change.
Counts = Annotated[tuple[Count, ...], Field(strict=False)]


class Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class SmallViT(Shape):
    """A ViT with a convolutional stem; the keys are the arguments of ``backbones.vit.small_vit``."""

    type: Literal["small_vit"]
    img_size: Count = Field(description="side of the square image, in pixels")
    in_chans: Count
    num_classes: Annotated[int, Field(ge=2)]
    width: Count = Field(description="of a token")
    depth: Count = Field(description="transformer blocks, besides the stem")
    heads: Count
    stem_channels: Counts = Field(description="of the stem's convolutions; each but the first halves the map")
    mlp_ratio: float = Field(4.0, gt=0)
    drop_path: float = Field(0.0, ge=0, lt=1, description="stochastic depth of the last block")

    @property
    def num_blocks(self) -> int:
        return 1 + self.depth

    @property
    def input_size(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.in_chans, self.img_size, self.img_size

    @model_validator(mode="after")
    def _heads_divide_width(self) -> SmallViT:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self


class MLPBranches(Shape):
    """The same MLP branch after several blocks."""

    type: Literal["mlp"]
    after: Counts = Field(description="blocks run before each branch: 2 .. number of blocks - 1")
    hidden: Counts = Field((), description="widths of hidden layers; empty for LayerNorm and one Linear")

    @model_validator(mode="after")
    def _increasing(self) -> MLPBranches:
        if list(self.after) != sorted(set(self.after)):
            raise ValueError(f"after must increase, found {list(self.after)}")
        return self


class Geometry(Shape):
    """A backbone and its branches."""

    backbone: SmallViT
    branches: MLPBranches

    @property
    def exits(self) -> tuple[int, ...]:
        """Blocks run before each exit."""
        return (*self.branches.after, self.backbone.num_blocks)

    @model_validator(mode="after")
    def _branches_within(self) -> Geometry:
        # After the stem alone the class token is still the same for every image.
        last = self.backbone.num_blocks - 1
        if not all(2 <= after <= last for after in self.branches.after):
            raise ValueError(f"branches sit after 2..{last} blocks, found {list(self.branches.after)}")
        return self
