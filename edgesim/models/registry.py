"""The backbones by name: the families written here, and those of timm that are wrapped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import timm

from edgesim.data.images import Preprocess
from edgesim.errors import InputError
from edgesim.models.backbones import evo_deit, evo_levit, shuffle, vil
from edgesim.models.backbones.base import Backbone
from edgesim.models.backbones.crossvit import CrossViT, timm_crossvit
from edgesim.models.backbones.levit import LeViT, timm_levit
from edgesim.models.backbones.vit import ViT, timm_vit

OWN: Mapping[str, tuple[type[Backbone], Mapping[str, Any]]] = {
    name: (family, arguments)
    for family, variants in (
        (evo_deit.EvoDeiT, evo_deit.VARIANTS),
        (evo_levit.EvoLeViT, evo_levit.VARIANTS),
        (vil.ViL, vil.VARIANTS),
        (shuffle.ShuffleTransformer, shuffle.VARIANTS),
    )
    for name, arguments in variants.items()
}
"""The family of each variant, and the arguments of its constructor."""

# The last one takes any other name of timm's.
_WRAPPED: tuple[tuple[str, type[Backbone], Callable[..., Backbone]], ...] = (
    ("crossvit_", CrossViT, timm_crossvit),
    ("levit_", LeViT, timm_levit),
    ("", ViT, timm_vit),
)
_LISTED = (
    "crossvit_*",
    "levit_*",
    "deit_*_patch*",
    "vit_tiny_patch16_???",
    "vit_small_patch??_???",
    "vit_base_patch??_???",
)
_UNSUPPORTED = ("levit_conv_*", "*_distilled_*")

_MERGING = re.compile(r"(.+)\+merge(\d+)")

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def names() -> tuple[str, ...]:
    """Our own variants and the listed ones of timm."""
    return (*OWN, *timm.list_models(list(_LISTED), exclude_filters=list(_UNSUPPORTED)))


def split(name: str) -> tuple[str, int]:
    """A name and the pairs that each block merges, which ``+mergeN`` at its end says (0 without)."""
    found = _MERGING.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, 0)


def check_name(name: str, others: Iterable[str] = ()) -> None:
    """Raises InputError, naming the near ones, where there is no such backbone here and no such model in timm.

    others: names of other things, one of which may be meant.
    """
    name, _ = split(name)
    if name in OWN or timm.is_model(name):
        return
    near = get_close_matches(name, {*names(), *timm.list_models(), *others}, 4)
    hint = f"; close names: {', '.join(near)}" if near else ""
    raise InputError(f"no model is called {name!r}, here or in timm{hint}")


def create(name: str, pretrained: bool = False, **geometry: Any) -> Backbone:
    """See :func:`edgesim.models.create`."""
    check_name(name)
    name, merge = split(name)
    merge = geometry.pop("merge", merge)
    if merge and family(name) != ViT.__name__:
        raise InputError(f"model {name}: merge: found {merge}, allowed: 0, as only ViT and DeiT merge tokens")
    if name in OWN and pretrained:
        raise InputError(f"model {name}: no weights can be fetched; load its authors' checkpoint in their place")
    try:
        if name in OWN:
            own, arguments = OWN[name]
            return own(**{**arguments, **geometry})
        if merge:
            geometry["merge"] = merge
        return _wrapper(name)[1](name, pretrained, **geometry)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"model {name}: {error}") from error
    except Exception as error:  # timm and its hub client raise whatever their transport raises
        raise InputError(f"model {name}: {type(error).__name__}: {error}") from error


def family(name: str) -> str:
    """The class of a backbone."""
    name, _ = split(name)
    return (OWN[name] if name in OWN else _wrapper(name))[0].__name__


def _wrapper(name: str) -> tuple[type[Backbone], Callable[..., Backbone]]:
    return next((family, create) for prefix, family, create in _WRAPPED if name.startswith(prefix))


def preprocess(name: str) -> Preprocess:
    """How the images of a variant at its own input size are scaled and normalised."""
    check_name(name)
    name, _ = split(name)
    if name in OWN:
        size = OWN[name][1].get("img_size", 224)
        return Preprocess(IMAGENET_MEAN, IMAGENET_STD, (3, size, size))
    if (config := timm.get_pretrained_cfg(name)) is None:
        raise InputError(f"timm does not say how the images of {name} are normalised")
    return Preprocess(config.mean, config.std, config.input_size)
