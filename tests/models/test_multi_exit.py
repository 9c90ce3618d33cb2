from __future__ import annotations

import pytest
import torch

from edgesim.models.backbones.vit import small_vit
from edgesim.models.branches import MLPBranch
from edgesim.models.multi_exit import MultiExit


def model() -> MultiExit:
    torch.manual_seed(0)
    backbone = small_vit(8, 1, 3, width=8, depth=3, heads=2, stem_channels=(4, 4))
    return MultiExit(backbone, {after: MLPBranch(8, 3) for after in (3, 1)}).eval()


def test_exits_are_in_order_of_depth_and_end_with_the_head() -> None:
    assert model().exits == (1, 3, 4)


@torch.inference_mode()
def test_all_exits_equal_exit_by_exit() -> None:
    network, images = model(), torch.rand(5, 1, 8, 8)
    whole = network.all_exits(images)
    assert whole.shape == (3, 5, 3)
    for index, after in enumerate(network.exits):
        assert torch.equal(whole[index], network.exit(network.run(images, 0, after), index))
    assert torch.equal(whole[-1], network(images))


def test_the_exits_answer_differently() -> None:
    first, second, last = model().all_exits(torch.rand(5, 1, 8, 8))
    assert not torch.equal(first, second) and not torch.equal(second, last)


@pytest.mark.parametrize("after", [0, 4, 5])
def test_a_branch_outside_the_blocks_is_refused(after: int) -> None:
    backbone = small_vit(8, 1, 3, width=8, depth=3, heads=2, stem_channels=(4,))
    with pytest.raises(ValueError, match=r"branches sit after 1\.\.3 blocks"):
        MultiExit(backbone, {after: MLPBranch(8, 3)})


@pytest.mark.parametrize(
    ("width", "hidden", "parameters"),
    [(192, (), 2_314), (768, (), 9_226), (192, (768, 192), 298_186), (768, (3072, 768), 4_731_658)],
    ids=["DeiT-Tiny", "ViT-B", "DeiT-Tiny MLP", "ViT-B MLP"],
)
def test_parameters_of_the_mlp_branch(width: int, hidden: tuple[int, ...], parameters: int) -> None:
    assert sum(value.numel() for value in MLPBranch(width, 10, hidden).parameters()) == parameters
