"""Models to measure, by name, and images to measure them with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from edgesim.data.fashion_mnist import shipped_split
from edgesim.data.images import Preprocess
from edgesim.models import registry, zoo
from edgesim.models.backbones.base import Backbone
from edgesim.models.branches import MLPBranch
from edgesim.models.multi_exit import MultiExit

IMAGES = 32


@dataclass(frozen=True)
class Subject:
    """images: (N, H, W, C) uint8 at the model's input size; content: what they show."""

    model: MultiExit
    images: np.ndarray
    preprocess: Preprocess
    content: str


def subject(name: str) -> Subject:
    """A model of the zoo as it ships, or a backbone by name with a branch after every block.

    A backbone has drawn weights, since times do not depend on their values.  InputError for an unknown name.
    """
    if name in zoo.zoo_names():
        card = zoo.model_card(name)
        return _shown(zoo.load(name), Preprocess(card.mean, card.std, card.input_size))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = with_all_branches(registry.create(name))
    return _shown(model.eval(), registry.preprocess(name))


def with_all_branches(backbone: Backbone) -> MultiExit:
    """An MLP branch after every block but the last, as wide as its tokens, so that any choice of exits is covered."""
    after = range(1, backbone.num_blocks)
    widths = [backbone.token_shape(blocks).width for blocks in after]
    branches = {blocks: MLPBranch(width, backbone.num_classes) for blocks, width in zip(after, widths, strict=True)}
    return MultiExit(backbone, branches)


def _shown(model: MultiExit, preprocess: Preprocess) -> Subject:
    channels, height, width = model.backbone.input_size
    shipped = shipped_split("validation")
    images, content = shipped.images[:IMAGES], shipped.name
    if images.shape[1:3] != (height, width):
        resized = [Image.fromarray(image[..., 0]).resize((width, height), Image.Resampling.BICUBIC) for image in images]
        images = np.stack([np.asarray(image)[..., None] for image in resized])
        content += f", resized to {width} x {height}"
    return Subject(model, np.repeat(images, channels, axis=-1), preprocess, content)
