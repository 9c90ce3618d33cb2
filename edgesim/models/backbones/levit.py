"""LeViT (Graham et al., ICCV 2021), wrapped around timm's ``Levit``."""

from __future__ import annotations

from typing import Any, NamedTuple

import timm
from timm.models.levit import Levit
from torch import Tensor, nn

from edgesim.models.backbones.base import Backbone, State, Tokens, TokenShape
from edgesim.models.state import TensorSpec


class Link(NamedTuple):
    """A block of the chain after the stem, and the token grid, width and heads of its stage."""

    name: str
    module: Any  # finds its children by attribute, which no type describes
    grid: tuple[int, int]
    width: int
    heads: int


def _links(levit: Levit) -> list[Link]:
    """Each subsample (with its MLP) and each attention + MLP block, in order."""
    links = []
    stage: Any  # modules find their children by attribute, which no type describes
    for number, (stage, width) in enumerate(zip(levit.stages, levit.embed_dim, strict=True), 1):
        # The grid shrinks in the subsample, so that all blocks of a stage share one.
        grid: tuple[int, int] = tuple(stage.blocks[0].attn.resolution)
        heads: int = stage.blocks[0].attn.num_heads
        if not isinstance(stage.downsample, nn.Identity):
            links.append(Link(f"stage{number}.subsample", stage.downsample, grid, width, heads))
        for index, block in enumerate(stage.blocks):
            links.append(Link(f"stage{number}.{index}", block, grid, width, heads))
    return links


class LeViT(Backbone):
    """timm's LeViT with linear layers as a chain: block 0 is the convolutional stem.

    Every later block is a subsample with its MLP, or one attention with its MLP, so that the cuts shrink from stage
    to stage (196 x 128, 49 x 256, 16 x 384 for LeViT-128S).  There is no class token.  The head averages the two
    classifiers, as the authors do at inference.  Batch norms are not folded into the layers before them.
    """

    def __init__(self, levit: Levit, input_size: tuple[int, int, int]) -> None:
        super().__init__()
        if levit.use_conv:
            raise ValueError("the form with 1x1 convolutions is not supported, use the one with linear layers")
        links = _links(levit)
        self.levit = levit
        # Not registered a second time: the modules belong to ``levit``.
        self._modules_of_blocks = [link.module for link in links]
        ratio = links[0].module.mlp.ln1.linear.out_features / links[0].width
        self._shapes = [TokenShape(link.grid, link.width, False, link.heads, ratio) for link in (links[0], *links)]
        self.block_names = ("stem", *(link.name for link in links))
        self.num_blocks = 1 + len(links)
        self.num_classes = levit.num_classes
        self.width = levit.embed_dim[-1]
        self.input_size = input_size

    def stem(self, images: Tensor) -> State:
        return {"tokens": self.levit.stem(images).flatten(2).transpose(1, 2).contiguous()}

    def block(self, index: int, state: State) -> State:
        return {"tokens": self._modules_of_blocks[index - 1](state["tokens"])}

    def head(self, state: State) -> Tensor:
        return self.levit.forward_head(state["tokens"])

    def tokens(self, state: State, token_set: str | None = None) -> Tokens:
        patches = state["tokens"]
        grids = {shape.grid[0] * shape.grid[1]: shape.grid for shape in self._shapes}
        return Tokens(patches, grids[patches.shape[1]], None)

    def token_shape(self, after: int, token_set: str | None = None) -> TokenShape:
        return self._shapes[after - 1]

    def cut_spec(self, cut: int) -> tuple[TensorSpec, ...]:
        if cut == 0:
            return (TensorSpec("image", self.input_size),)
        if cut == self.num_blocks:
            return ()
        (height, width), channels, *_ = self._shapes[cut - 1]
        return (TensorSpec("tokens", (height * width, channels)),)


def timm_levit(name: str, pretrained: bool = False, **options: Any) -> LeViT:
    """A LeViT of timm by its name (``levit_128s`` ... ``levit_384``).

    Raises ValueError where the name is no LeViT with linear layers.
    """
    levit: Any = timm.create_model(name, pretrained=pretrained, **options)
    size = tuple(levit.pretrained_cfg["input_size"])
    if not isinstance(levit, Levit):
        raise ValueError(f"{name} is a {type(levit).__name__} in timm, not a LeViT")
    return LeViT(levit, size)
