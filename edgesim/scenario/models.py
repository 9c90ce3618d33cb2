"""The models of a scenario."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from edgesim.scenario.durations import Durations, NumberOrNumbers
from edgesim.scenario.files import InputFile, InputFolder, ProfileFile
from edgesim.scenario.spec import Blocks, Count, Share, Shares, Sizes, Spec, earlier, increasing

_PATCHES = re.compile(r"patch(\d+).*?_(\d{3})(?!\d)")
"""What timm's names say of the patches' side and of the image's, in pixels."""
PROFILE = "Measured times: 'shipped', or the path of a profile file."


class ZooModel(Spec):
    """A model that ships with edgesim, weights and exits included."""

    source: Literal["zoo"] = Field(description="A model that ships with edgesim.")
    name: str = Field(min_length=1, description="Its name in the zoo, such as fashion_vit.")
    profile: ProfileFile = Field(default="shipped", description=PROFILE)


class TimmModel(Spec):
    """A backbone by name: a vision transformer of timm, or one of ``edgesim models list``."""

    source: Literal["timm"] = Field(
        description="A vision transformer of timm, or another backbone of `edgesim models list`."
    )
    name: str = Field(min_length=1, description="Its name, such as deit_tiny_patch16_224 or vil_tiny.")
    pretrained: bool = Field(default=True, description="Whether timm's own weights are loaded (timm downloads them).")
    weights: InputFile | None = Field(
        default=None, description="Path of a safetensors file with weights of backbone and branches, in timm's place."
    )
    profile: ProfileFile = Field(default="shipped", description=PROFILE)
    exits: Blocks = Field(default=(), description="Blocks run before each exit but the last, which is the whole model.")
    merge: int = Field(default=0, ge=0, description="Pairs of similar tokens that each block of a ViT or DeiT merges.")

    @property
    def variant(self) -> str:
        """The name, with ``+mergeN`` where tokens are merged: what a profile of it is called."""
        return f"{self.name}+merge{self.merge}" if self.merge else self.name

    @field_validator("exits")
    @classmethod
    def _rising(cls, exits: tuple[int, ...]) -> tuple[int, ...]:
        increasing(exits, "block counts of exits")
        return exits

    @field_validator("merge")
    @classmethod
    def _tokens_remain(cls, merge: int, info: ValidationInfo) -> int:
        name = earlier(info, "name") or ""
        if merge and not name.startswith(("vit_", "deit")):
            raise ValueError(f"found {merge}, allowed: 0, as only ViT and DeiT merge tokens")
        if sides := _PATCHES.search(name):
            most = (int(sides[2]) // int(sides[1])) ** 2 // 2
            if merge > most:
                raise ValueError(f"found {merge}, allowed: 0 to {most}, half of the patch tokens")
        return merge


class ImportedModel(Spec):
    """Outcomes that somebody else computed, imported with ``edgesim outcomes import``."""

    source: Literal["outcomes"] = Field(description="Imported outcomes.")
    folder: InputFolder = Field(description="Path of the folder with the imported outcome tables.")
    profile: InputFile = Field(description="Path of the profile file with the model's times.")


class SyntheticModel(Spec):
    """A made-up model for theory and teaching: everything that it yields is labelled synthetic."""

    source: Literal["synthetic"] = Field(description="A made-up model, labelled synthetic.")
    blocks_ms: Durations = Field(
        min_length=1, description="Time of each block at batch 1, ms: numbers or distributions."
    )
    branch_ms: NumberOrNumbers = Field(
        default=0.0, description="Time of each exit's branch or head, ms: one number for all exits or a list."
    )
    exits: Blocks = Field(min_length=1, description="Blocks run before each exit; the last is the number of blocks.")
    state_bytes: Sizes = Field(description="Bytes that cross at each cut, from cut 0 (the image) to the last but one.")
    accuracy: Shares = Field(description="Share of samples that each exit gets right, 0 to 1.")
    correlation: Share = Field(
        default=0.8, description="Gaussian-copula correlation of being right between exits, 0 to 1."
    )
    samples: Count = Field(default=2000, description="Number of made-up samples.")

    @property
    def num_blocks(self) -> int:
        return len(self.blocks_ms)

    @field_validator("exits")
    @classmethod
    def _reach_the_end(cls, exits: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        increasing(exits, "block counts of exits")
        blocks = earlier(info, "blocks_ms")
        if blocks and exits[-1] != len(blocks):
            raise ValueError(f"found {list(exits)}, allowed: the last exit after all {len(blocks)} blocks of blocks_ms")
        branches = earlier(info, "branch_ms")
        if isinstance(branches, tuple) and len(branches) != len(exits):
            raise ValueError(f"found {len(exits)} exits and {len(branches)} values of branch_ms, allowed: one for each")
        return exits

    @field_validator("state_bytes")
    @classmethod
    def _each_cut(cls, sizes: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        blocks = earlier(info, "blocks_ms")
        if blocks and len(sizes) != len(blocks):
            raise ValueError(f"found {len(sizes)} sizes, allowed: {len(blocks)}, for cuts 0 to {len(blocks) - 1}")
        return sizes

    @field_validator("accuracy")
    @classmethod
    def _each_exit(cls, accuracy: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        exits = earlier(info, "exits")
        if exits and len(accuracy) != len(exits):
            raise ValueError(f"found {len(accuracy)} values, allowed: one for each of the {len(exits)} exits")
        return accuracy


Model = Annotated[ZooModel | TimmModel | ImportedModel | SyntheticModel, Field(discriminator="source")]
