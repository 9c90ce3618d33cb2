"""The cuts of a backbone: what would cross, and how much is done by then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from math import prod
from typing import NamedTuple

from edgesim.codecs.informative import has_informative, informative_spec
from edgesim.codecs.names import parse, tensor_bytes
from edgesim.models.backbones.base import Backbone
from edgesim.models.state import TensorSpec
from edgesim.profiling.macs import block_macs, head_macs

CODECS = ("fp32", "fp16", "int8", "int4")
INFORMATIVE = "int8+informative"


class Cut(NamedTuple):
    """The cut after a block.

    tensors: what crosses there; nothing after the last block.  sizes: their bytes by codec, as in ``CODECS``,
    without the payload's header.  informative: the same for ``INFORMATIVE``, None where it does not fit.
    macs_share: of the whole model's multiply-accumulates, its head included, those up to here.  bottleneck: whether
    fewer fp32 bytes cross than at every cut before, the uint8 image included.
    """

    block: str
    tensors: tuple[TensorSpec, ...]
    sizes: tuple[int, ...]
    informative: int | None
    macs_share: float
    bottleneck: bool


def image_bytes(backbone: Backbone) -> int:
    """Of the uint8 image that goes in."""
    return prod(backbone.input_size)


def cuts(backbone: Backbone) -> Iterator[Cut]:
    """The cut after each block, in order."""
    macs = block_macs(backbone.eval())
    total = sum(macs) + head_macs(backbone)
    smallest = image_bytes(backbone)
    for index, (block, done) in enumerate(zip(backbone.block_names, accumulate(macs), strict=True), 1):
        tensors = backbone.cut_spec(index)
        sizes = tuple(_body_bytes(codec, tensors) for codec in CODECS)
        chosen = _body_bytes(INFORMATIVE, informative_spec(tensors)) if has_informative(tensors) else None
        bottleneck = 0 < sizes[0] < smallest
        smallest = sizes[0] if bottleneck else smallest
        yield Cut(block, tensors, sizes, chosen, done / total, bottleneck)


def _body_bytes(codec: str, tensors: Iterable[TensorSpec]) -> int:
    return sum(tensor_bytes(parse(codec), tensor) for tensor in tensors)
