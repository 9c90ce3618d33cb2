"""The executed models: backbones by name, exit branches, the zoo.  Importing this package imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from edgesim.models.backbones.base import Backbone

    AnyBackbone = TypeVar("AnyBackbone", bound=Backbone)

__all__ = ["create", "load_released", "names"]


def names() -> tuple[str, ...]:
    """The backbones that :func:`create` knows by name; any other plain ViT or DeiT of timm goes by timm's name."""
    from edgesim.models import registry

    return registry.names()


def create(name: str, pretrained: bool = False, **geometry: Any) -> Backbone:
    """A backbone by its authors' or timm's name, such as ``vil_tiny`` or ``crossvit_9_dagger_240``.

    pretrained: fetch weights with timm's own loader, else the weights are drawn from torch's generator.
    geometry: in place of the variant's own, such as ``num_classes``, ``img_size`` (pixels) and ``in_chans``; with
    ``merge`` each block of a ViT or DeiT merges so many pairs of tokens, as with ``+merge8`` at the end of the name.
    Called on preprocessed images (B, C, H, W) it gives logits (B, classes).

    Raises InputError for an unknown name, naming the near ones, for weights that cannot be fetched, and for a
    geometry that the variant cannot have.
    """
    from edgesim.models import registry

    return registry.create(name, pretrained, **geometry)


def load_released(model: AnyBackbone, state_dict: Mapping[str, Any]) -> AnyBackbone:
    """Put the weights of the authors' checkpoint into ``model`` and return it, ready to answer (``eval`` mode).

    state_dict: names to tensors as the authors' code saves them, or a checkpoint that has them under ``model``.
    Raises InputError that names tensors which do not fit, or which hold NaN or infinity.
    """
    from edgesim.models import weights

    return weights.load_released(model, state_dict)
