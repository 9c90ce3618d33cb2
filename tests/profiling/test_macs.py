"""Counts against published ones and against arithmetic."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from edgesim.models.backbones.vit import small_vit, timm_vit  # noqa: E402
from edgesim.models.branches import MLPBranch  # noqa: E402
from edgesim.models.multi_exit import MultiExit  # noqa: E402
from edgesim.profiling.facts import model_facts  # noqa: E402
from edgesim.profiling.macs import LiveBytes, block_macs, branch_macs, peak_bytes, structure_hash  # noqa: E402
from edgesim.profiling.profile import ModelFacts  # noqa: E402


def test_deit_tiny_has_the_published_macs() -> None:
    model = MultiExit(timm_vit("deit_tiny_patch16_224"), {6: MLPBranch(192, 1000)}).eval()
    stem, *blocks = block_macs(model.backbone)
    assert stem == pytest.approx(28.9e6, rel=1e-3)
    assert len(blocks) == 12 and len(set(blocks)) == 1
    assert blocks[0] == pytest.approx(102.1e6, rel=1e-3)
    branch, head = branch_macs(model)
    assert head == branch == 192 * 1000
    assert stem + sum(blocks) + head == pytest.approx(1.254e9, rel=1e-3)


def test_a_block_by_hand() -> None:
    n, d = 50, 32
    macs = block_macs(small_vit(28, 1, 10, width=d, depth=1, heads=2, stem_channels=(8, 16)).eval())
    assert macs[1] == n * d * 3 * d + 2 * n * n * d + n * d * d + 2 * n * d * 4 * d


def test_structure_not_values() -> None:
    def hash_of(**changes: int) -> str:
        geometry = {"img_size": 28, "in_chans": 1, "num_classes": 10, "width": 32, "depth": 2, "heads": 2} | changes
        return structure_hash(small_vit(**geometry, stem_channels=(8, 16)))

    torch.manual_seed(0)
    first = hash_of()
    torch.manual_seed(1)
    assert hash_of() == first
    assert len({first, hash_of(width=64), hash_of(depth=3), hash_of(num_classes=11)}) == 4


def test_live_bytes_follow_what_lives() -> None:
    there = torch.zeros(1000)
    with torch.no_grad(), LiveBytes([there]) as tracked:
        first = there + 1
        second = first + 1
        del first
        view = second.view(10, 100)
        del second
        assert tracked.live == 4000
        third = view + 1
    assert (tracked.live, tracked.peak) == (8000, 8000)
    del third


def test_peak_is_weights_and_the_widest_place() -> None:
    torch.manual_seed(0)
    model = MultiExit(small_vit(28, 1, 10, width=64, depth=2, heads=2, stem_channels=(8, 16)), {}).eval()
    weights = sum(value.nbytes for value in (*model.parameters(), *model.buffers()))
    hidden = 50 * 4 * 64 * 4
    live = peak_bytes(model) - weights
    assert 2 * hidden < live < 4 * hidden  # before and after GELU, and the tokens beside them


def test_facts_fit_the_profile() -> None:
    torch.manual_seed(0)
    backbone = small_vit(28, 1, 10, width=32, depth=2, heads=2, stem_channels=(8, 16))
    model = MultiExit(backbone, {2: MLPBranch(32, 10)}).eval()
    import json

    facts = ModelFacts.model_validate_json(json.dumps(model_facts(model, "toy")))
    assert facts.exits == (2, 3) and facts.branch_parameters == (64 + 330, 0)
    assert facts.state_bytes == (3136, 6400, 6400, 0)
