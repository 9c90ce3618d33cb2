"""Codec names, what they mean, and how many bytes they make; importable without torch.

A *state codec* crosses cuts 1 .. L-1.  ``fp32``, ``fp16``, ``int8`` and ``int4`` have one scale per tensor and
sample; ``int8_token`` and ``int4_token`` one per token (per row of the last axis).  ``+informative`` leaves out the
resting tokens of Evo-ViT, see :mod:`edgesim.codecs.informative`.  ``+zlib`` deflates the body.
An *image codec* crosses cut 0: ``raw`` (uint8 pixels), ``png``, ``jpegQ`` with quality Q of 1 .. 100.

Layout of a state payload, for one sample, little-endian::

    0xED, version 1, codec number (|0x20 informative, |0x80 zlib), number of tensors      4 bytes, HEADER_BYTES
    body, deflated with zlib's default level where the name says so; tensors in the order of their names:
        index tensor        its elements as they are
        fp32, fp16          its elements
        int8, int4          groups x float32 scales, groups x float32 zero points, the codes
                            (int4: two a byte, the first in the low half, an odd count padded with zero)

Shapes are not sent: both ends know the model and the cut.  An image payload has no header of ours: pixels, or
the PNG or JPEG file as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Literal

from edgesim.codecs.informative import has_informative, informative_spec
from edgesim.errors import InputError
from edgesim.models.state import TensorSpec

HEADER_BYTES = 4
SCALE_BYTES = 8
"""A float32 scale and a float32 zero point, for each group of quantised elements."""

Base = Literal["fp32", "fp16", "int8", "int4", "raw", "png", "jpeg"]
STATE_BASES: tuple[Base, ...] = ("fp32", "fp16", "int8", "int4")
QUANTISED = ("int8", "int4")
ALLOWED = (
    "fp32, fp16, int8, int4, int8_token, int4_token (each also with +zlib, and inside a stage of Evo-ViT with "
    "+informative before it) at a cut inside the model; "
    "raw, png, jpeg1 .. jpeg100 at cut 0"
)
_STATE = re.compile(r"(fp32|fp16|int8|int4)(_token)?(\+informative)?(\+zlib)?")
_IMAGE = re.compile(r"(raw|png|jpeg)([1-9]\d{0,2})?")


@dataclass(frozen=True, slots=True)
class Codec:
    """A parsed codec name.  quality is JPEG's, 0 for every other codec."""

    name: str
    base: Base
    per_token: bool = False
    informative: bool = False
    zlib: bool = False
    quality: int = 0

    @property
    def is_image(self) -> bool:
        return self.base not in STATE_BASES

    @property
    def is_quantised(self) -> bool:
        return self.base in QUANTISED

    @property
    def is_lossless(self) -> bool:
        """The receiver gets the very numbers that were sent, so that the answer cannot change."""
        return self.base in ("fp32", "raw", "png") and not self.informative

    @property
    def number(self) -> int:
        """The third byte of a state payload."""
        return STATE_BASES.index(self.base) | self.per_token << 4 | self.informative << 5 | self.zlib << 7


@lru_cache(maxsize=1024)
def parse(name: str) -> Codec:
    """The codec of that name; InputError names what is allowed.

    >>> parse("int8_token+zlib").per_token, parse("jpeg75").quality
    (True, 75)
    """
    if match := _STATE.fullmatch(name):
        base, token, chosen, zlib = match.groups()
        if not (token and base not in QUANTISED):
            return Codec(name, base, bool(token), bool(chosen), bool(zlib))  # type: ignore[arg-type]
    elif match := _IMAGE.fullmatch(name):
        base, quality = match.group(1), int(match.group(2) or 0)
        if (base == "jpeg") == bool(quality) and quality <= 100:
            return Codec(name, base, quality=quality)  # type: ignore[arg-type]
    raise InputError(f"no codec is called {name!r}; allowed: {ALLOWED}")


def is_lossless(name: str) -> bool:
    """See :attr:`Codec.is_lossless`."""
    return parse(name).is_lossless


def fits(name: str, cut: int, specs: Iterable[TensorSpec]) -> bool:
    """Whether the codec can carry what crosses at ``cut``, the tensors ``specs``."""
    codec = parse(name)
    return codec.is_image == (cut == 0) and (not codec.informative or has_informative(specs))


def groups(codec: Codec, shape: tuple[int, ...]) -> int:
    """Scales for one tensor of one sample: one, or one for each row of the last axis."""
    return prod(shape[:-1]) if codec.per_token else 1


def code_bytes(codec: Codec, numel: int) -> int:
    """Bytes of ``numel`` float elements, scales apart."""
    return {"fp32": 4 * numel, "fp16": 2 * numel, "int8": numel, "int4": (numel + 1) // 2}[codec.base]


def tensor_bytes(codec: Codec, spec: TensorSpec) -> int:
    """Bytes of one tensor in a state payload before deflating."""
    if spec.kind == "index":
        return spec.nbytes
    scales = SCALE_BYTES * groups(codec, spec.shape) if codec.is_quantised else 0
    return scales + code_bytes(codec, spec.numel)


def payload_bytes(name: str, specs: Iterable[TensorSpec]) -> int | None:
    """Exact bytes of a sample's payload, header included; None where they vary by sample (zlib, png, jpeg).

    specs: the tensors at the cut, ``Backbone.cut_spec``.  For ``raw`` they are the image (C, H, W), a byte a value.

    >>> payload_bytes("int8", [TensorSpec("tokens", (50, 128))])
    6412
    """
    codec = parse(name)
    if codec.informative:
        specs = informative_spec(specs)
    if codec.zlib or codec.base in ("png", "jpeg"):
        return None
    if codec.base == "raw":
        return sum(spec.numel for spec in specs)
    return HEADER_BYTES + sum(tensor_bytes(codec, spec) for spec in specs)
