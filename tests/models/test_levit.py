"""LeViT against timm and against the published counts (Graham et al. 2021)."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from timm.models.levit import Levit  # noqa: E402

from edgesim.models.backbones.levit import LeViT, timm_levit  # noqa: E402
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
    assert sum(parameter.numel() for parameter in levit.parameters()) == 7_777_058
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


def test_refused() -> None:
    with pytest.raises(ValueError, match="1x1"):
        timm_levit("levit_conv_128s")
    with pytest.raises(ValueError, match="not a LeViT"):
        timm_levit("deit_tiny_patch16_224")
