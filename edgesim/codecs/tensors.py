"""States to bytes and back; the layout is in :mod:`edgesim.codecs.names`.

Scales belong to a sample (or to its tokens), never to the batch, so that what a sample becomes does not depend on
whom it travels with.  Rounding is to nearest, so an element is off by half a scale at most (and float32 rounding).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from edgesim.codecs.informative import complete, informative, informative_spec
from edgesim.codecs.names import HEADER_BYTES, Codec, groups, parse, tensor_bytes
from edgesim.models.state import TensorSpec

MAGIC, VERSION = 0xED, 1
LARGEST_HALF = 65504.0
State = dict[str, Tensor]


class Quantised(NamedTuple):
    """value = zero + code x scale.

    codes: (B, groups, elements of a group) uint8.  scale, zero: (B, groups, 1) float32.
    """

    codes: Tensor
    scale: Tensor
    zero: Tensor


def encode(name: str, state: Mapping[str, Tensor]) -> list[bytes]:
    """One payload for each sample of a batched state (B first on every tensor; a single sample is B = 1).

    Raises ValueError where a value to be quantised is not finite, or ``+informative`` finds no informative tokens.
    """
    codec = parse(name)
    if codec.informative:
        state = informative(state)
    body = np.concatenate([_pack(codec, state[key]) for key in sorted(state)], axis=1)
    header = bytes((MAGIC, VERSION, codec.number, len(state)))
    return [header + (zlib.compress(row) if codec.zlib else row.tobytes()) for row in body]


def decode(name: str, payloads: Sequence[bytes], specs: Sequence[TensorSpec]) -> State:
    """The batched state in ``payloads``, one sample each, for a cut whose tensors are ``specs``.

    Raises ValueError where a payload is not of that codec and cut.
    """
    codec = parse(name)
    specs = sorted(informative_spec(specs) if codec.informative else specs, key=lambda spec: spec.name)
    size = sum(tensor_bytes(codec, spec) for spec in specs)
    bodies = np.frombuffer(b"".join(_body(codec, payload, len(specs), size) for payload in payloads), np.uint8)
    parts = np.split(bodies.reshape(len(payloads), size), np.cumsum([tensor_bytes(codec, spec) for spec in specs]), 1)
    arrived = {spec.name: _unpack(codec, part, spec) for spec, part in zip(specs, parts, strict=False)}
    return complete(arrived) if codec.informative else arrived


def roundtrip(name: str, state: Mapping[str, Tensor]) -> tuple[State, np.ndarray]:
    """What :func:`decode` makes of :func:`encode`, bit for bit, and the payload bytes (B,), without making the bytes.

    Only ``+zlib`` has to make them, to count them.
    """
    codec = parse(name)
    sent = informative(state) if codec.informative else state
    arrived = {key: _through(codec, tensor.contiguous()) for key, tensor in sent.items()}
    if codec.informative:
        arrived = complete(arrived)
    if codec.zlib:
        return arrived, np.array([len(payload) for payload in encode(name, state)])
    size = HEADER_BYTES + sum(_bytes_of(codec, tensor) for tensor in sent.values())
    return arrived, np.full(len(next(iter(sent.values()))), size)


def quantise(codec: Codec, tensor: Tensor) -> Quantised:
    """Affine codes of a (B, ...) float tensor; a constant group has scale 0 and comes back exactly."""
    levels = 255 if codec.base == "int8" else 15
    rows = tensor.float().reshape(len(tensor), groups(codec, tuple(tensor.shape[1:])), -1)
    zero, high = rows.aminmax(dim=-1, keepdim=True)
    scale = (high - zero) / levels
    if not torch.isfinite(scale).all():
        raise ValueError(f"{codec.name} cannot carry a state with values that are not finite (or span all of float32)")
    codes = (rows - zero).div_(torch.where(scale > 0, scale, 1.0)).round_().clamp_(0, levels)
    return Quantised(codes.to(torch.uint8), scale, zero)


def dequantise(quantised: Quantised) -> Tensor:
    """(B, groups, elements of a group) float32."""
    # Two operations, not a fused one: a fused multiply-add rounds differently where the vector unit is not used.
    return quantised.codes.float().mul_(quantised.scale).add_(quantised.zero)


def _to_half(tensor: Tensor) -> Tensor:
    """float16; what is beyond its range is held at the largest value, not sent as infinity."""
    return tensor.clamp(-LARGEST_HALF, LARGEST_HALF).half()


def _through(codec: Codec, tensor: Tensor) -> Tensor:
    """The tensor after encoding and decoding."""
    if codec.base == "fp32" or not tensor.is_floating_point():
        return tensor
    if codec.base == "fp16":
        return _to_half(tensor).to(tensor.dtype)
    return dequantise(quantise(codec, tensor)).reshape(tensor.shape).to(tensor.dtype)


def _bytes_of(codec: Codec, tensor: Tensor) -> int:
    dtype = str(tensor.dtype).removeprefix("torch.")
    kind = "float" if tensor.is_floating_point() else "index"
    return tensor_bytes(codec, TensorSpec("", tuple(tensor.shape[1:]), dtype, kind))  # type: ignore[arg-type]


def _little(tensor: Tensor) -> np.ndarray:
    """(B, bytes) of a (B, ...) tensor, little-endian."""
    array = tensor.contiguous().numpy().reshape(len(tensor), -1)
    return array.astype(array.dtype.newbyteorder("<"), copy=False).view(np.uint8)


def _pack(codec: Codec, tensor: Tensor) -> np.ndarray:
    """(B, tensor_bytes) uint8."""
    if not tensor.is_floating_point():
        return _little(tensor)
    if not codec.is_quantised:
        return _little(tensor.float() if codec.base == "fp32" else _to_half(tensor))
    codes, scale, zero = quantise(codec, tensor)
    flat = codes.reshape(len(codes), -1).numpy()
    return np.concatenate(
        [_little(scale), _little(zero), flat if codec.base == "int8" else _pack_nibbles(flat)], axis=1
    )


def _pack_nibbles(codes: np.ndarray) -> np.ndarray:
    if codes.shape[1] % 2:
        codes = np.pad(codes, ((0, 0), (0, 1)))
    return codes[:, ::2] | codes[:, 1::2] << 4


def _unpack_nibbles(packed: np.ndarray, count: int) -> np.ndarray:
    return np.stack([packed & 15, packed >> 4], axis=-1).reshape(len(packed), -1)[:, :count]


def _body(codec: Codec, payload: bytes, tensors: int, size: int) -> bytes:
    header, body = payload[:HEADER_BYTES], payload[HEADER_BYTES:]
    if header != bytes((MAGIC, VERSION, codec.number, tensors)):
        raise ValueError(f"the payload's header {header.hex()} is not that of {codec.name} with {tensors} tensors")
    if codec.zlib:
        try:
            body = zlib.decompress(body)
        except zlib.error as error:
            raise ValueError(f"the payload of {codec.name} does not inflate: {error}") from error
    if len(body) != size:
        raise ValueError(f"the payload of {codec.name} holds {len(body)} bytes, the cut's tensors make {size}")
    return body


def _numbers(part: np.ndarray, dtype: str) -> Tensor:
    """(B, n) native numbers from (B, bytes) little-endian ones."""
    return torch.from_numpy(np.ascontiguousarray(part).view(np.dtype(dtype).newbyteorder("<")).astype(dtype))


def _unpack(codec: Codec, part: np.ndarray, spec: TensorSpec) -> Tensor:
    shape = (len(part), *spec.shape)
    if spec.kind == "index":
        return _numbers(part, spec.dtype).reshape(shape)
    if not codec.is_quantised:
        values = _numbers(part, "float32" if codec.base == "fp32" else "float16")
    else:
        count = groups(codec, spec.shape)
        scale, zero, codes = np.split(part, [4 * count, 8 * count], axis=1)
        if codec.base == "int4":
            codes = _unpack_nibbles(codes, spec.numel)
        grouped = _numbers(codes, "uint8").reshape(len(part), count, -1)
        values = dequantise(Quantised(grouped, *(_numbers(each, "float32")[..., None] for each in (scale, zero))))
    return values.reshape(shape).to(getattr(torch, spec.dtype))
