"""LeViT (Graham et al., ICCV 2021), wrapped around timm's ``Levit``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import timm
from timm.models.levit import Attention, AttentionDownsample, Levit, LevitDistilled
from torch import Tensor, nn

from edgesim.models.backbones.base import Backbone, State, Tokens, TokenShape
from edgesim.models.state import TensorSpec

# What the authors call the parts of a layer, and what timm does.
_PARTS = (
    (r"^proj\.1\.", "proj.ln."),
    (r"^q\.1\.", "q.ln."),
    (r"^0\.", "ln1."),
    (r"^2\.", "ln2."),
    (r"(^|\.)c\.", r"\1linear."),
)


class Link(NamedTuple):
    """A block of the chain after the stem, where it is in ``levit``, and its stage's token grid, width and heads."""

    name: str
    path: str
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
            links.append(
                Link(
                    f"stage{number}.subsample", f"stages.{number - 1}.downsample", stage.downsample, grid, width, heads
                )
            )
        for index, block in enumerate(stage.blocks):
            path = f"stages.{number - 1}.blocks.{index}"
            links.append(Link(f"stage{number}.{index}", path, block, grid, width, heads))
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
        self._paths = [link.path for link in links]
        ratio = links[0].module.mlp.ln1.linear.out_features / links[0].width
        self._shapes = [TokenShape(link.grid, link.width, False, link.heads, ratio) for link in (links[0], *links)]
        self.block_names = ("stem", *(link.name for link in links))
        self.num_blocks = 1 + len(links)
        self.num_classes = levit.num_classes
        self.width = levit.embed_dim[-1]
        self.input_size = input_size
        self.register_load_state_dict_post_hook(_forget_biases)

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

    def released(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The authors count attentions and MLPs through all stages; their index tables are computed here."""
        layers = []
        for path in self._paths:
            subsample = path.endswith("downsample")
            layers += [f"{path}.attn_downsample." if subsample else f"{path}.attn.", f"{path}.mlp."]
        own = {}
        for name, value in weights.items():
            if not name.endswith("attention_bias_idxs"):
                own["levit." + _timms_name(name, layers)] = value
        return own


def _timms_name(name: str, layers: Sequence[str]) -> str:
    """The name in timm of one of the authors' tensors; timm's names stay.

    layers: where each attention, subsample and MLP is in timm, in order.
    """
    if found := re.match(r"patch_embed\.(\d+)\.(c\.)?(?:bn\.)?(\w+)$", name):
        position, convolution, tensor = found.groups()
        return f"stem.conv{int(position) // 2 + 1}.{'linear' if convolution else 'bn'}.{tensor}"
    if found := re.match(r"blocks\.(\d+)\.(?:m\.)?(.+)$", name):
        index, rest = int(found[1]), found[2]
        for pattern, replacement in _PARTS:
            rest = re.sub(pattern, replacement, rest)
        return layers[index] + rest if index < len(layers) else name
    return re.sub(r"^(head|head_dist)\.l\.", r"\1.linear.", name)


def _forget_biases(levit: nn.Module, _: object) -> None:
    """timm keeps the gathered attention biases of the weights before, unless the mode is set anew."""
    for module in levit.modules():
        if isinstance(module, Attention | AttentionDownsample):
            module.attention_bias_cache = {}


def small_levit(
    img_size: int,
    in_chans: int,
    num_classes: int,
    widths: Sequence[int],
    depths: Sequence[int],
    heads: Sequence[int],
    key_dim: int,
    stem_stride: Literal[8, 16] = 16,
    drop_path: float = 0.0,
) -> LeViT:
    """A LeViT of any geometry, with one width, depth and number of heads for each stage.

    >>> small = small_levit(64, 1, 10, (32, 64), (1, 1), (2, 4), key_dim=8, stem_stride=8)
    >>> [small.cut_spec(cut)[0].shape for cut in (1, 3)]
    [(64, 32), (16, 64)]
    """
    if img_size % stem_stride:
        raise ValueError(f"img_size {img_size} is not a multiple of stem_stride {stem_stride}")
    levit = LevitDistilled(
        img_size=img_size,
        in_chans=in_chans,
        num_classes=num_classes,
        embed_dim=tuple(widths),
        key_dim=key_dim,
        depth=tuple(depths),
        num_heads=tuple(heads),
        stem_type=f"s{stem_stride}",
        drop_path_rate=drop_path,
    )
    return LeViT(levit, (in_chans, img_size, img_size))


def timm_levit(name: str, pretrained: bool = False, **options: Any) -> LeViT:
    """A LeViT of timm by its name (``levit_128s`` ... ``levit_384``).

    Raises ValueError where the name is no LeViT with linear layers, or for an img_size that is no multiple of its
    stem's stride.
    """
    levit: Any = timm.create_model(name, pretrained=pretrained, **options)
    if not isinstance(levit, Levit):
        raise ValueError(f"{name} is a {type(levit).__name__} in timm, not a LeViT")
    config: Any = levit.pretrained_cfg
    size = options.get("img_size", config["input_size"][-1])
    if size % levit.stem.stride:
        raise ValueError(f"img_size {size} is not a multiple of the stem's stride {levit.stem.stride}")
    return LeViT(levit, (levit.in_chans, size, size))
