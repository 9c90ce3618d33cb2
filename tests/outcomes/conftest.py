"""Small random models and a few real images; nothing here is trained."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import timm
import torch

from edgesim.data.dataset import Dataset
from edgesim.data.fashion_mnist import MEAN, STD, shipped_split
from edgesim.data.images import Preprocess
from edgesim.models.backbones.vit import ViT, small_vit
from edgesim.models.branches import MLPBranch
from edgesim.models.multi_exit import MultiExit

WIDTH = 32


def sharpened(model: MultiExit, seed: int) -> MultiExit:
    """Random weights large enough that answers differ from image to image, and codecs change some of them."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, 1.5 * parameter[0].numel() ** -0.5, generator=draw)
    return model.eval()


@pytest.fixture(scope="session")
def sharpen() -> Callable[[MultiExit, int], MultiExit]:
    return sharpened


@pytest.fixture(scope="session")
def small_model() -> MultiExit:
    torch.manual_seed(1)
    backbone = small_vit(28, 1, 10, width=WIDTH, depth=3, heads=2, stem_channels=(8, 16))
    return sharpened(MultiExit(backbone, {after: MLPBranch(WIDTH, 10) for after in (1, 2, 3)}), seed=1)


@pytest.fixture(scope="session")
def deit_model() -> MultiExit:
    """DeiT's architecture with a patch projection and a class token, made small."""
    torch.manual_seed(2)
    vit = timm.create_model(
        "deit_tiny_patch16_224",
        img_size=28,
        in_chans=1,
        patch_size=7,
        embed_dim=24,
        depth=3,
        num_heads=3,
        num_classes=10,
    )
    return sharpened(MultiExit(ViT(vit, (1, 28, 28)), {2: MLPBranch(24, 10)}), seed=2)


@pytest.fixture(scope="session")
def images() -> Dataset:
    return shipped_split("test").take(slice(50))


@pytest.fixture(scope="session")
def preprocess() -> Preprocess:
    return Preprocess((MEAN,), (STD,), (1, 28, 28))
