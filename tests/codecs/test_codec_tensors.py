"""States to bytes and back: exact sizes, error bounds, independence of the batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from edgesim.codecs.names import HEADER_BYTES, groups, parse, payload_bytes
from edgesim.codecs.tensors import decode, encode, quantise, roundtrip
from edgesim.models.state import TensorSpec

PLAIN = ["fp32", "fp16", "int8", "int4", "int8_token", "int4_token"]
ALL = [*PLAIN, *(f"{name}+zlib" for name in PLAIN)]
QUANTISED = ["int8", "int4", "int8_token", "int4_token"]


def a_state(batch: int, shape: tuple[int, ...] = (11, 7), seed: int = 0, spread: float = 1.0) -> dict[str, Tensor]:
    """A float tensor whose samples have very different ranges, another, and indices; not in the order of the names."""
    draw = torch.Generator().manual_seed(seed)
    ranges = torch.logspace(-3, 3, batch).reshape(-1, *[1] * len(shape))
    return {
        "tokens": torch.randn(batch, *shape, generator=draw) * ranges * spread,
        "attention": torch.rand(batch, 5, generator=draw),
        "order": torch.randint(-(2**40), 2**40, (batch, 9), generator=draw),
    }


def specs_of(state: dict[str, Tensor]) -> list[TensorSpec]:
    return [
        TensorSpec(
            name,
            tuple(tensor.shape[1:]),
            str(tensor.dtype).removeprefix("torch."),
            "float" if tensor.is_floating_point() else "index",
        )
        for name, tensor in state.items()
    ]


def half_a_scale(name: str, tensor: Tensor) -> Tensor:
    """The bound on each element's error, (B, ...): half a scale, and float32's rounding of value and product."""
    codec = parse(name)
    rows = tensor.reshape(len(tensor), groups(codec, tuple(tensor.shape[1:])), -1)
    spread = rows.amax(-1, keepdim=True) - rows.amin(-1, keepdim=True)
    rounding = 4 * torch.finfo(torch.float32).eps * rows.abs().amax(-1, keepdim=True)
    return (spread / (255 if codec.base == "int8" else 15) / 2 + rounding).expand_as(rows).reshape(tensor.shape)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("batch", [1, 6])
def test_roundtrip_is_encode_then_decode_bit_for_bit(name: str, batch: int) -> None:
    state = a_state(batch)
    payloads = encode(name, state)
    there, sizes = roundtrip(name, state)
    back = decode(name, payloads, specs_of(state))
    assert sizes.tolist() == [len(payload) for payload in payloads]
    assert there.keys() == back.keys() == state.keys()
    for key in state:
        assert torch.equal(there[key], back[key])
        assert there[key].dtype == back[key].dtype == state[key].dtype
        assert there[key].is_contiguous()


@pytest.mark.parametrize("name", PLAIN)
def test_payloads_have_the_stated_bytes(name: str) -> None:
    state = a_state(3)
    assert {len(payload) for payload in encode(name, state)} == {payload_bytes(name, specs_of(state))}


@pytest.mark.parametrize("name", PLAIN)
def test_zlib_loses_nothing_and_only_packs_the_body(name: str) -> None:
    state = a_state(4)
    plain, packed = roundtrip(name, state)[0], decode(f"{name}+zlib", encode(f"{name}+zlib", state), specs_of(state))
    assert all(torch.equal(plain[key], packed[key]) for key in state)
    constant = {"tokens": torch.zeros(1, 500)}
    assert len(encode(f"{name}+zlib", constant)[0]) < len(encode(name, constant)[0]) / 4


@pytest.mark.parametrize("name", ALL)
def test_what_a_sample_becomes_does_not_depend_on_its_batch(name: str) -> None:
    state = a_state(6)
    together, sizes = roundtrip(name, state)
    for row in range(6):
        alone, size = roundtrip(name, {key: tensor[row : row + 1] for key, tensor in state.items()})
        assert size[0] == sizes[row]
        assert all(torch.equal(alone[key][0], together[key][row]) for key in state)


def test_a_scale_over_the_batch_would_be_seen_by_the_test_above() -> None:
    tokens = a_state(6)["tokens"]
    as_one = tokens.reshape(1, -1)
    over_batch = roundtrip("int8", {"tokens": as_one})[0]["tokens"].reshape(tokens.shape)
    assert not torch.equal(over_batch[0], roundtrip("int8", {"tokens": tokens[:1]})[0]["tokens"][0])


@pytest.mark.parametrize("name", QUANTISED)
@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple),
    spread=st.floats(1e-6, 1e6),
    centre=st.floats(-1e3, 1e3),
    seed=st.integers(0, 2**31),
)
def test_the_error_is_at_most_half_a_scale(
    name: str, shape: tuple[int, ...], spread: float, centre: float, seed: int
) -> None:
    tensor = torch.randn(3, *shape, generator=torch.Generator().manual_seed(seed)) * spread + centre
    arrived = roundtrip(name, {"x": tensor})[0]["x"]
    assert ((arrived - tensor).abs() <= half_a_scale(name, tensor)).all()


def test_truncating_instead_of_rounding_would_break_the_bound() -> None:
    tensor = torch.randn(3, 400, generator=torch.Generator().manual_seed(1))
    codes, scale, zero = quantise(parse("int8"), tensor)
    truncated = zero + ((tensor[:, None] - zero) / scale).floor() * scale
    assert ((truncated[:, 0] - tensor).abs() > half_a_scale("int8", tensor)).any()


@pytest.mark.parametrize("name", QUANTISED)
def test_constant_and_extreme_values_come_back(name: str) -> None:
    constant = torch.full((2, 4, 3), -0.3)
    assert torch.equal(roundtrip(name, {"x": constant})[0]["x"], constant)
    ends = torch.tensor([[-2.5, 0.1, 7.5]])
    assert roundtrip("int8", {"x": ends})[0]["x"][0, 0] == -2.5


def test_every_code_is_used_and_packed_where_it_belongs() -> None:
    levels = torch.arange(16.0).reshape(1, 16)
    payload = encode("int4", {"x": levels})[0]
    codes = np.frombuffer(payload[HEADER_BYTES + 8 :], np.uint8)
    assert codes.tolist() == [low | (low + 1) << 4 for low in range(0, 16, 2)]


def test_the_layout_is_the_documented_one() -> None:
    state = {"b": torch.tensor([[1, 2]], dtype=torch.int16), "a": torch.tensor([[0.0, 255.0]])}
    expected = "ed010202" + "0000803f" + "00000000" + "00ff" + "01000200"
    assert encode("int8", state)[0].hex() == expected


def test_half_precision_saturates_instead_of_overflowing() -> None:
    arrived = roundtrip("fp16", {"x": torch.tensor([[1e6, -1e6, 0.1]])})[0]["x"]
    assert arrived.tolist() == [[65504.0, -65504.0, pytest.approx(0.1, rel=1e-3)]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", QUANTISED)
def test_values_that_are_not_finite_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        encode(name, {"x": torch.tensor([[1.0, value]])})


@pytest.mark.parametrize(
    "damage, what",
    [
        (lambda payload: b"\0" + payload[1:], "header"),
        (lambda payload: payload[:2] + b"\x07" + payload[3:], "header"),
        (lambda payload: payload[:-1], "bytes"),
        (lambda payload: payload + b"\0", "bytes"),
        (lambda payload: b"", "header"),
    ],
)
def test_damaged_payloads_are_refused(damage, what: str) -> None:
    state = a_state(1)
    with pytest.raises(ValueError, match=what):
        decode("int8", [damage(encode("int8", state)[0])], specs_of(state))


def test_a_payload_that_does_not_inflate_is_refused() -> None:
    state = a_state(1)
    payload = encode("int8+zlib", state)[0]
    with pytest.raises(ValueError, match="inflate"):
        decode("int8+zlib", [payload[:4] + b"garbage" + payload[11:]], specs_of(state))
