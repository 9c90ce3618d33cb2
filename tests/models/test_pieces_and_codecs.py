"""Every backbone in pieces, with codecs between them, however cuts, codecs and batches are mixed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import lru_cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_backbones import BACKBONE, geometry
from torch import Tensor

from edgesim.codecs.names import HEADER_BYTES, payload_bytes
from edgesim.codecs.tensors import decode, encode, roundtrip
from edgesim.models.backbones.base import Backbone, State
from edgesim.models.build import build
from edgesim.profiling.sections import contiguous

LOSSLESS = ("fp32", "fp32+zlib")
LOSSY = ("fp16", "int8", "int8_token", "int4", "int4_token")
CODECS = (*LOSSLESS, *LOSSY, *(f"{name}+zlib" for name in LOSSY))
GEOMETRIES = {
    **{kind: geometry(kind) for kind in BACKBONE},
    "merging small_vit": geometry("small_vit", depth=3, merge=20),
}
every_backbone = pytest.mark.parametrize("kind", GEOMETRIES)
batches = st.integers(1, 5)
seeds = st.integers(0, 2**31)


@lru_cache
def backbone(kind: str) -> Backbone:
    """A small one whose every tensor matters."""
    model = build(GEOMETRIES[kind]).backbone.eval()
    torch.manual_seed(0)
    for parameter in model.parameters():  # the last batch norm of a residual begins at zero
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def images(batch: int, seed: int) -> Tensor:
    """Noise whose range differs from sample to sample."""
    ranges = torch.logspace(-2, 2, batch).reshape(-1, 1, 1, 1)
    return torch.randn(batch, 1, 64, 64, generator=torch.Generator().manual_seed(seed)) * ranges


def cut_codecs(kind: str, codecs: tuple[str, ...]) -> st.SearchStrategy[dict[int, str]]:
    """Some cuts, none and all of them included, each with a codec."""
    cuts = st.integers(1, backbone(kind).num_blocks - 1)
    return st.dictionaries(cuts, st.sampled_from(codecs))


def cross(model: Backbone, cut: int, codec: str, state: State) -> State:
    """The state behind a cut, by its bytes, which are checked."""
    payloads = encode(codec, state)
    arrived = decode(codec, payloads, model.cut_spec(cut))
    assert arrived.keys() == state.keys()
    for name, sent in state.items():
        exact = codec in LOSSLESS or not sent.is_floating_point()
        assert arrived[name].dtype == sent.dtype and arrived[name].shape == sent.shape
        assert not exact or torch.equal(arrived[name], sent)
    plain = codec.removesuffix("+zlib")
    unpacked = [payload[HEADER_BYTES:] for payload in payloads]
    if plain != codec:
        unpacked = [zlib.decompress(body) for body in unpacked]
    assert {HEADER_BYTES + len(body) for body in unpacked} == {payload_bytes(plain, model.cut_spec(cut))}
    there, sizes = roundtrip(codec, state)
    assert sizes.tolist() == [len(payload) for payload in payloads]
    assert all(torch.equal(there[name], arrived[name]) for name in state)
    return arrived


def answer(model: Backbone, inputs: Tensor, path: Mapping[int, str]) -> Tensor:
    """Logits behind the cuts of a path, each with its codec."""
    value: Tensor | State = inputs
    start = 0
    for cut, codec in sorted(path.items()):
        value = cross(model, cut, codec, contiguous(model.run(value, start, cut)))
        start = cut
    return model.head(model.run(value, start, model.num_blocks))


@every_backbone
@settings(max_examples=12)
@given(data=st.data(), batch=batches, seed=seeds)
@torch.inference_mode()
def test_partitions_equal_the_whole(kind: str, data: st.DataObject, batch: int, seed: int) -> None:
    model, inputs = backbone(kind), images(batch, seed)
    path = data.draw(cut_codecs(kind, LOSSLESS), label="path")
    assert torch.equal(answer(model, inputs, path), model(inputs))


@every_backbone
@settings(max_examples=12)
@given(data=st.data(), batch=batches, seed=seeds)
@torch.inference_mode()
def test_lossless_cuts_change_nothing_on_a_lossy_path(kind: str, data: st.DataObject, batch: int, seed: int) -> None:
    model, inputs = backbone(kind), images(batch, seed)
    path = data.draw(cut_codecs(kind, CODECS), label="path")
    more = data.draw(cut_codecs(kind, LOSSLESS), label="more cuts")
    assert torch.equal(answer(model, inputs, {**more, **path}), answer(model, inputs, path))


@every_backbone
@settings(max_examples=30)
@given(data=st.data(), batch=batches, seed=seeds, codec=st.sampled_from(CODECS))
@torch.inference_mode()
def test_what_arrives_of_a_sample_does_not_depend_on_its_batch(
    kind: str, data: st.DataObject, batch: int, seed: int, codec: str
) -> None:
    model = backbone(kind)
    cut = data.draw(st.integers(1, model.num_blocks - 1), label="cut")
    state = contiguous(model.run(images(batch, seed), 0, cut))
    rows = st.lists(st.integers(0, batch - 1), min_size=1, unique=True)
    chosen = data.draw(rows, label="another batch, in another order")
    apart = {name: tensor[chosen] for name, tensor in state.items()}
    payloads, payloads_apart = encode(codec, state), encode(codec, apart)
    assert payloads_apart == [payloads[row] for row in chosen]
    together, arrived = (decode(codec, sent, model.cut_spec(cut)) for sent in (payloads, payloads_apart))
    assert all(torch.equal(arrived[name], together[name][chosen]) for name in state)
