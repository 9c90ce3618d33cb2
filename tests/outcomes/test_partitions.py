"""A chain run in pieces gives the numbers of the whole, bit for bit at one batch size."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch

from edgesim.codecs.tensors import decode, encode
from edgesim.data.dataset import Dataset
from edgesim.data.images import Preprocess
from edgesim.models.multi_exit import MultiExit


@pytest.fixture(params=["small_model", "deit_model"])
def model(request: pytest.FixtureRequest) -> MultiExit:
    return request.getfixturevalue(request.param)


@torch.inference_mode()
def test_every_partition_equals_the_whole(model: MultiExit, images: Dataset, preprocess: Preprocess) -> None:
    pixels = preprocess(images.images[:8])
    whole = model(pixels)
    inner = range(1, model.num_blocks)
    for count in range(model.num_blocks):
        for cuts in combinations(inner, count):
            value, bounds = pixels, (0, *cuts, model.num_blocks)
            for start, stop in zip(bounds, bounds[1:], strict=False):
                value = model.run(value, start, stop)
            assert torch.equal(model.exit(value, len(model.exits) - 1), whole)


@torch.inference_mode()
@pytest.mark.parametrize("codec", ["fp32", "fp32+zlib"])
def test_a_lossless_hop_at_any_cut_changes_nothing(
    codec: str, model: MultiExit, images: Dataset, preprocess: Preprocess
) -> None:
    pixels = preprocess(images.images[:8])
    whole = model(pixels)
    for cut in range(1, model.num_blocks):
        state = model.run(pixels, 0, cut)
        arrived = decode(codec, encode(codec, state), model.backbone.cut_spec(cut))
        end = model.run(arrived, cut, model.num_blocks)
        assert torch.equal(model.exit(end, len(model.exits) - 1), whole)


@torch.inference_mode()
def test_all_exits_equal_exits_one_by_one(model: MultiExit, images: Dataset, preprocess: Preprocess) -> None:
    pixels = preprocess(images.images[:8])
    for index, logits in enumerate(model.all_exits(pixels)):
        assert torch.equal(model.exit(model.run(pixels, 0, model.exits[index]), index), logits)
