"""Token merging against a rewrite with one token at a time, and what it must keep (Bolya et al. 2023)."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_backbones import BRANCHES, geometry
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from edgesim.codecs.names import payload_bytes
from edgesim.codecs.tensors import roundtrip
from edgesim.errors import InputError
from edgesim.models import create
from edgesim.models.backbones.evo import take
from edgesim.models.backbones.merging import count_sizes, match, merge_tokens
from edgesim.models.backbones.vit import MergingViT, ViT
from edgesim.models.build import build
from edgesim.profiling.exporting import export_model
from edgesim.profiling.macs import block_macs
from edgesim.profiling.subjects import with_all_branches


def small(merge: int, **changes: Any) -> MergingViT:
    """A ViT of 16 patches whose every tensor matters."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"img_size": 16, "patch_size": 4, "in_chans": 1, "num_classes": 3}
    vit = VisionTransformer(**{**sizes, "embed_dim": 8, "depth": 3, "num_heads": 2, **changes}).eval()
    for parameter in vit.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return MergingViT(vit, (1, 16, 16), merge)


def images(count: int = 3) -> Tensor:
    return torch.randn(count, 1, 16, 16, generator=torch.Generator().manual_seed(1))


def match_one_by_one(keys: Tensor, merged: int, protected: int) -> list[list[int]]:
    """Of one sample: for every token that remains, in order, the tokens that it is made of."""
    tokens = range(len(keys))
    first, second = [each for each in tokens if each % 2 == 0], [each for each in tokens if each % 2]
    pairs = []
    for one in first[protected:]:
        alike = [float(torch.cosine_similarity(keys[one], keys[other], dim=0)) for other in second]
        best = max(alike)
        pairs.append((best, one, second[alike.index(best)]))
    pairs.sort(key=lambda pair: -pair[0])  # stable: the first of equals stays the first
    into = {one: other for _, one, other in pairs[:merged]}
    groups = [[one] for one in first if one not in into]
    return groups + [[other] + [one for one in first if into.get(one) == other] for other in second]


@given(count=st.integers(2, 14), protected=st.integers(0, 1), share=st.floats(0, 1), seed=st.integers(0, 2**31))
def test_the_matching_is_that_of_one_token_at_a_time(count: int, protected: int, share: float, seed: int) -> None:
    merged = int(share * ((count - protected) // 2))
    keys = torch.randn(2, count, 5, generator=torch.Generator().manual_seed(seed))
    for places, own in zip(match(keys, merged, protected), keys, strict=True):
        found = [set((places == place).nonzero()[:, 0].tolist()) for place in range(count - merged)]
        assert found == [set(group) for group in match_one_by_one(own, merged, protected)]
        assert not protected or found[0] == {0}


def test_ties_go_to_the_first() -> None:
    keys = torch.eye(3)[[0, 1, 1, 1, 1, 2, 2, 1]][None]  # tokens 2 and 4 are as near to 1, 3 and 7 as can be
    assert match(keys, 1, 1).tolist() == [[0, 3, 3, 4, 1, 5, 2, 6]]
    assert match(keys, 2, 1).tolist() == [[0, 2, 2, 3, 2, 4, 1, 5]]


def test_the_matching_of_a_sample_does_not_depend_on_its_batch() -> None:
    keys = torch.randn(6, 50, 16, generator=torch.Generator().manual_seed(0)).round(decimals=1)
    together = match(keys, 20, 1)
    assert all(torch.equal(match(keys[row : row + 1], 20, 1)[0], together[row]) for row in range(6))
    assert torch.equal(match(keys.flip(0), 20, 1), together.flip(0))


def block_one_by_one(vit: Any, tokens: Tensor, groups: list[list[int]], merged: int) -> tuple[Tensor, list[list[int]]]:
    """A block of ``vit`` on the tokens (M, D) of one image: what comes out, and what each token is made of now."""
    block = vit.blocks[0]
    heads, normed = block.attn.num_heads, block.norm1(tokens)
    query, key, value = (part.unflatten(-1, (heads, -1)) for part in block.attn.qkv(normed).chunk(3, -1))
    rows = []
    for one in range(len(tokens)):
        mixed = []
        for head in range(heads):
            scores = key[:, head] @ query[one, head] * query.shape[-1] ** -0.5
            weights = scores.exp() * torch.tensor([float(len(group)) for group in groups])  # as often as it stands for
            mixed.append((weights / weights.sum()) @ value[:, head])
        rows.append(tokens[one] + block.attn.proj(torch.cat(mixed)))
    after, made_of = [], []
    for parts in match_one_by_one(key.mean(1), merged, 1):
        images_tokens = [token for part in parts for token in groups[part]]
        after.append(sum(rows[part] * len(groups[part]) for part in parts) / len(images_tokens))
        made_of.append(images_tokens)
    tokens = torch.stack(after)
    return tokens + block.mlp(block.norm2(tokens)), made_of


@torch.inference_mode()
def test_one_token_at_a_time() -> None:
    model = small(merge=5, depth=1)
    state = model.stem(images())
    groups = [[[token] for token in range(17)] for _ in range(3)]
    expected = list(state["tokens"])
    for merged in (5, 5, 3):  # half of the six patch tokens that are left at last
        model._counts = (state["tokens"].shape[1], state["tokens"].shape[1] - merged)
        state = model.block(1, state)
        for row in range(3):
            expected[row], groups[row] = block_one_by_one(model.vit, expected[row], groups[row], merged)
            torch.testing.assert_close(state["tokens"][row], expected[row], rtol=1e-4, atol=1e-5)
            for place, group in enumerate(groups[row]):
                assert set((state["source"][row] == place).nonzero()[:, 0].tolist()) == set(group)


@torch.inference_mode()
def test_every_token_stays_somewhere() -> None:
    model = small(merge=6)
    for after, left in ((1, 16), (2, 10), (3, 5), (4, 3)):
        state = model.run(images(), 0, after)
        assert state["tokens"].shape == (3, 1 + left, 8)
        if after > 1:
            sizes = count_sizes(state["source"].long(), 1 + left)
            assert sizes.sum(1).tolist() == [17] * 3 and (sizes >= 1).all() and (sizes[:, 0] == 1).all()


def test_the_sum_of_all_tokens_is_kept_and_equal_ones_come_back_in_place() -> None:
    draw = torch.Generator().manual_seed(0)
    tokens, sizes = torch.randn(2, 9, 4, generator=draw), torch.randint(1, 5, (2, 9), generator=draw).float()
    targets = match(tokens, 3, 1)
    merged_sizes = torch.zeros(2, 6).scatter_add(1, targets, sizes)
    merged = merge_tokens(tokens, sizes, targets, merged_sizes)
    torch.testing.assert_close((merged * merged_sizes[..., None]).sum(1), (tokens * sizes[..., None]).sum(1))
    pairs = tokens[:, [0, 1, 1, 3, 3, 5, 5, 7, 8]]
    targets = match(pairs, 3, 1)
    found = merge_tokens(pairs, torch.ones(2, 9), targets, count_sizes(targets, 6))
    torch.testing.assert_close(take(found, targets), pairs)


@torch.inference_mode()
def test_patch_tokens_are_read_in_image_order() -> None:
    model = small(merge=4)
    state = model.run(images(), 0, 3)
    found = model.tokens(state)
    assert found.grid == (4, 4) and torch.equal(found.class_token, state["tokens"][:, 0])
    for row in range(3):
        for patch in range(16):
            assert torch.equal(found.patches[row, patch], state["tokens"][row, state["source"][row, 1 + patch].long()])


@torch.inference_mode()
def test_without_merging_it_is_the_plain_model() -> None:
    plain = small(merge=4).vit
    torch.testing.assert_close(small(merge=0)(images()), ViT(plain, (1, 16, 16))(images()))
    torch.manual_seed(0)
    made = create("deit_tiny_patch16_224", img_size=32, merge=0).eval()
    torch.manual_seed(0)
    expected = create("deit_tiny_patch16_224", img_size=32).eval()
    assert type(made) is type(expected) is ViT
    assert torch.equal(made(torch.ones(1, 3, 32, 32)), expected(torch.ones(1, 3, 32, 32)))


@pytest.mark.parametrize("pooled", ["token", "avg"])
@torch.inference_mode()
def test_a_head_that_pools_counts_tokens_as_often_as_they_stand_for(pooled: str) -> None:
    model = small(merge=4, global_pool=pooled)
    state = model.run(images(), 0, model.num_blocks)
    normed = model.vit.norm(state["tokens"])
    sizes = count_sizes(state["source"].long(), normed.shape[1])[:, 1:, None]
    mean = model.vit.fc_norm((normed[:, 1:] * sizes).sum(1) / 16)
    torch.testing.assert_close(model(images()), model.vit.head(normed[:, 0] if pooled == "token" else mean))


def test_work_falls_with_the_tokens() -> None:
    width, hidden = 192, 768
    left = [196 - 13 * number for number in range(13)]
    expected = []
    for before, after in zip(left, left[1:], strict=False):
        count = before + 1
        attention = 4 * count * width**2 + 2 * count**2 * width
        pairs = (count + 1) // 2 * (count // 2) * 64
        expected.append(attention + pairs + 2 * (after + 1) * width * hidden)
    assert list(block_macs(create("deit_tiny_patch16_224+merge13").eval())[1:]) == expected
    assert sum(expected) < 0.6 * sum(block_macs(create("deit_tiny_patch16_224").eval())[1:])


def test_cuts_shrink() -> None:
    model = create("deit_tiny_patch16_224", merge=16)
    assert [model.cut_spec(cut)[0].shape[0] for cut in range(1, 13)] == [197 - 16 * block for block in range(12)]
    assert model._counts[-1] == 1 + 20 - 10  # half of what is left
    large = small(merge=1, img_size=68, patch_size=4)  # 290 tokens
    assert [large.cut_spec(cut)[1].dtype for cut in (2, 3)] == ["int16"] * 2
    assert large.cut_spec(3)[1].kind == "index" and large.cut_spec(3)[1].shape == (290,)


@torch.inference_mode()
def test_all_seven_branches_sit_on_it() -> None:
    for branch in BRANCHES:
        model = build(geometry("small_vit", {"type": branch, "after": [2, 3]}, depth=3, merge=20)).eval()
        assert isinstance(model.backbone, MergingViT)
        assert model.all_exits(torch.randn(2, 1, 64, 64)).isfinite().all()


@torch.inference_mode()
def test_it_is_quantised_and_exported_like_any_other() -> None:
    model = small(merge=4)
    state = model.run(images(), 0, 2)
    arrived, sizes = roundtrip("int4", state)
    assert set(sizes) == {payload_bytes("int4", model.cut_spec(2))} == {4 + 8 + 13 * 8 // 2 + 17}
    assert torch.equal(arrived["source"], state["source"]) and model.run(arrived, 2, 4)["tokens"].isfinite().all()
    export_model(with_all_branches(model))  # compares the answers itself


def test_a_model_that_merges_learns() -> None:
    model = small(merge=4).train()
    model(images()).square().sum().backward()
    assert all(value.grad is not None for value in model.parameters())


@pytest.mark.parametrize(
    ("name", "merge", "message"),
    [
        ("deit_tiny_patch16_224", 99, "merge: found 99, allowed: 0 to 98, half of the patch tokens"),
        ("deit_tiny_patch16_224", -1, "merge: found -1"),
        ("levit_128s", 1, "merge: found 1, allowed: 0, as only ViT and DeiT merge tokens"),
        ("evo_deit_tiny", 1, "only ViT and DeiT"),
        ("vit_base_patch16_rpn_224", 1, "ResPostBlock|only plain"),
    ],
)
def test_what_cannot_merge_is_refused(name: str, merge: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        create(name, merge=merge)


def test_a_geometry_that_leaves_no_tokens_is_refused() -> None:
    with pytest.raises(InputError, match="geometry of small_vit: merge: found 40, allowed: 0 to 32"):
        build(geometry("small_vit", merge=40))
