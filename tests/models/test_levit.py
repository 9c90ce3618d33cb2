"""LeViT against timm and against the published counts (Graham et al. 2021)."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from timm.models.levit import Levit  # noqa: E402

from edgesim.models import load_released  # noqa: E402
from edgesim.models.backbones.levit import LeViT, small_levit, timm_levit  # noqa: E402
from edgesim.models.branches import MLPBranch  # noqa: E402
from edgesim.models.multi_exit import MultiExit  # noqa: E402
from edgesim.profiling.macs import block_macs, head_macs  # noqa: E402


@pytest.fixture(scope="module")
def levit() -> LeViT:
    torch.manual_seed(0)
    model = timm_levit("levit_128s").eval()
    for module in model.modules():  # fresh batch norms hide mistakes: the last of each residual is zero
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return model


PARAMETERS = {
    "levit_128s": 7_777_058,
    "levit_128": 9_213_936,
    "levit_192": 10_947_069,
    "levit_256": 18_893_876,
    "levit_384": 39_128_836,
}


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def test_chain_equals_timm_at_every_cut(levit: LeViT, images: torch.Tensor) -> None:
    whole = levit.levit(images)
    state = images
    for index in range(levit.num_blocks):
        state = levit.run(state, index, index + 1)
        assert state["tokens"].is_contiguous()
    assert torch.allclose(levit.head(state), whole, rtol=1e-4, atol=1e-5)
    for cut in range(1, levit.num_blocks):
        half = levit.run(images, 0, cut)
        sent = {name: value.clone() for name, value in half.items()}
        assert torch.equal(levit.head(levit.run(sent, cut, levit.num_blocks)), levit.head(state))


@torch.inference_mode()
def test_cuts_are_what_crosses(levit: LeViT, images: torch.Tensor) -> None:
    assert levit.num_blocks == 12
    for cut in range(1, levit.num_blocks):
        (spec,) = levit.cut_spec(cut)
        state = levit.run(images, 0, cut)
        assert state["tokens"].shape[1:] == spec.shape
        tokens = levit.tokens(state)
        assert tokens.class_token is None and tokens.grid[0] * tokens.grid[1] == spec.shape[0]
    sizes = [levit.cut_spec(cut)[0].nbytes for cut in range(1, 12)]
    assert sizes == [100_352] * 3 + [50_176] * 4 + [24_576] * 4
    assert levit.cut_spec(0)[0].shape == (3, 224, 224) and levit.cut_spec(12) == ()


def test_counts_are_the_published_ones(levit: LeViT) -> None:
    for name, count in PARAMETERS.items():
        with torch.device("meta"):
            assert sum(value.numel() for value in timm_levit(name).parameters()) == count
    macs = [*block_macs(levit), head_macs(levit)]
    assert sum(macs) == pytest.approx(304.7e6, rel=1e-3)
    shares = [100 * sum(macs[: cut + 1]) / sum(macs) for cut in range(12)]
    for cut, share in ((1, 16.0), (3, 35.6), (4, 49.5), (7, 69.9), (8, 81.0), (12, 99.8)):
        assert shares[cut - 1] == pytest.approx(share, abs=0.1)


@torch.inference_mode()
def test_branches_take_the_width_of_their_cut(levit: LeViT, images: torch.Tensor) -> None:
    branches = {after: MLPBranch(levit.cut_spec(after)[0].shape[-1], 10) for after in (3, 7)}
    model = MultiExit(levit, branches).eval()
    assert model.exit(model.run(images, 0, 3), 0).shape == (2, 10)


def test_other_sizes_keep_their_grids() -> None:
    small = Levit(img_size=96, embed_dim=(32, 64), key_dim=8, depth=(1, 1), num_heads=(2, 2), num_classes=10).eval()
    backbone = LeViT(small, (3, 96, 96))
    state = backbone.run(torch.randn(1, 3, 96, 96), 0, 2)
    assert backbone.tokens(state).grid == (6, 6)
    assert backbone.tokens(backbone.run(state, 2, 4)).grid == (3, 3)


@torch.inference_mode()
def test_a_small_one_is_for_small_grey_images() -> None:
    for stride, grids in ((16, [(4, 4), (2, 2), (1, 1)]), (8, [(8, 8), (4, 4), (2, 2)])):
        small = small_levit(64, 1, 10, (16, 24, 32), (1, 1, 1), (2, 3, 4), key_dim=8, stem_stride=stride).eval()
        assert [small.token_shape(after).grid for after in (1, 3, 5)] == grids
        assert small(torch.randn(2, 1, 64, 64)).shape == (2, 10) and small.input_size == (1, 64, 64)
    assert small.block_names == ("stem", "stage1.0", "stage2.subsample", "stage2.0", "stage3.subsample", "stage3.0")


@torch.inference_mode()
def test_attention_biases_are_those_of_the_weights_loaded_last(levit: LeViT, images: torch.Tensor) -> None:
    """timm keeps the gathered biases from one forward to the next in eval mode."""
    before, weights = levit(images), levit.state_dict()
    others = {name: value + torch.randn_like(value) for name, value in weights.items() if name.endswith("_biases")}
    assert len(others) == 9 + 2
    model = MultiExit(timm_levit("levit_128s"), {}).eval()
    for changes in ({}, others):
        model.load_state_dict({f"backbone.{name}": value for name, value in {**weights, **changes}.items()})
        assert torch.equal(model(images), before) is (not changes)
        assert torch.equal(model(images), model.train().eval()(images))


def authors_names(depths: tuple[int, ...]) -> list[str]:
    """In the order in which the authors register them, index tables included."""
    norm = [f"bn.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")]
    linear = ["c.weight", *norm]
    biases = ["attention_biases", "attention_bias_idxs"]
    attention = [*biases, *(f"{part}.{name}" for part in ("qkv", "proj.1") for name in linear)]
    subsample = [*biases, *(f"{part}.{name}" for part in ("kv", "q.1", "proj.1") for name in linear)]
    mlp = [f"m.{part}.{name}" for part in (0, 2) for name in linear]
    layers = []
    for stage, depth in enumerate(depths):
        layers += [subsample, mlp] if stage else []
        layers += [[f"m.{name}" for name in attention], mlp] * depth
    names = [f"patch_embed.{index}.{name}" for index in (0, 2, 4, 6) for name in linear]
    names += [f"blocks.{index}.{name}" for index, layer in enumerate(layers) for name in layer]
    return names + [f"{head}.{name}" for head in ("head", "head_dist") for name in (*norm, "l.weight", "l.bias")]


def test_the_authors_names_are_timms_in_the_same_order(levit: LeViT) -> None:
    names = authors_names((2, 3, 4))
    kept = [name for name in names if not name.endswith("attention_bias_idxs")]
    own = levit.state_dict()
    released = {name: own[key].clone() for name, key in zip(kept, own, strict=True)}
    assert list(levit.released(released)) == list(own)
    whole = {name: released.get(name, torch.zeros(2, 2, dtype=torch.long)) for name in names}
    fresh = load_released(timm_levit("levit_128s"), {"model": whole})
    assert all(torch.equal(value, own[name]) for name, value in fresh.state_dict().items())
    timms = load_released(timm_levit("levit_128s"), levit.levit.state_dict())
    assert all(torch.equal(value, own[name]) for name, value in timms.state_dict().items())


def test_refused() -> None:
    with pytest.raises(ValueError, match="1x1"):
        timm_levit("levit_conv_128s")
    with pytest.raises(ValueError, match="not a LeViT"):
        timm_levit("deit_tiny_patch16_224")
    with pytest.raises(ValueError, match="img_size 60 is not a multiple of stem_stride 16"):
        small_levit(60, 1, 10, (16,), (1,), (2,), key_dim=8)
