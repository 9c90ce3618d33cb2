"""Models to measure, by name, and images to measure them with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image

from edgesim.data.fashion_mnist import shipped_split
from edgesim.data.images import Preprocess
from edgesim.errors import InputError
from edgesim.models import zoo
from edgesim.models.backbones.base import Backbone
from edgesim.models.backbones.levit import timm_levit
from edgesim.models.backbones.vit import timm_vit
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
    """A model of the zoo as it ships, or a ViT, DeiT or LeViT of timm with a branch after every block.

    timm's models have drawn weights, since times do not depend on their values.  InputError for an unknown name.
    """
    if name in zoo.zoo_names():
        card = zoo.model_card(name)
        return _shown(zoo.load(name), Preprocess(card.mean, card.std, card.input_size))
    if not timm.is_model(name):
        raise InputError(f"no model is called {name!r}: name one of the zoo ({', '.join(zoo.zoo_names())}) or of timm")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = with_all_branches(_timm_backbone(name))
    config: Any = timm.get_pretrained_cfg(name)
    return _shown(model.eval(), Preprocess(config.mean, config.std, config.input_size))


def _timm_backbone(name: str) -> Backbone:
    try:
        return timm_levit(name) if name.startswith("levit") else timm_vit(name)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"model {name}: {error}") from error


def with_all_branches(backbone: Backbone) -> MultiExit:
    """An MLP branch after every block but the last, each of its cut's width, so that any choice of exits is covered."""
    branches = {}
    for after in range(1, backbone.num_blocks):
        width = backbone.cut_spec(after)[0].shape[-1]
        branches[after] = MLPBranch(width, backbone.num_classes)
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
