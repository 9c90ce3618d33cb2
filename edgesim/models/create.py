"""Models from their description: a geometry, a name in the zoo, or a name in timm."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import timm
import torch

from edgesim.data.images import Preprocess
from edgesim.errors import InputError
from edgesim.models import zoo
from edgesim.models.backbones.base import Backbone
from edgesim.models.backbones.levit import timm_levit
from edgesim.models.backbones.vit import small_vit, timm_vit
from edgesim.models.branches import MLPBranch
from edgesim.models.geometry import Geometry
from edgesim.models.multi_exit import MultiExit
from edgesim.models.weights import load_weights

if TYPE_CHECKING:
    from edgesim.scenario.models import TimmModel, ZooModel

INITIAL_SEED = 0


def build(geometry: Geometry, seed: int = INITIAL_SEED) -> MultiExit:
    """The model of a geometry with its initial weights, drawn from ``seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = small_vit(**geometry.backbone.model_dump(exclude={"type"}))
        (branches,) = geometry.branches
        return _with_branches(backbone, branches.after, branches.hidden)  # type: ignore[union-attr]


def create_model(spec: ZooModel | TimmModel, num_classes: int | None = None) -> MultiExit:
    """The model that a scenario names, ready to answer (``eval`` mode).

    A timm model has the backbone's own head as its only exit, unless ``exits`` names block counts:
    these get LayerNorm + Linear branches, whose weights come with the backbone's from the file
    ``weights``.  num_classes: of the data, for a timm model without timm's own weights, which keep their head;
    timm's number where None.  Raises InputError for an unknown name, a download that fails, exits beyond the
    blocks, branches that nobody trained, or weights that do not fit.
    """
    return zoo.load(spec.name) if spec.source == "zoo" else _timm_model(spec, num_classes)


def preprocessing(spec: ZooModel | TimmModel) -> Preprocess:
    """How the images of a scenario's model are scaled and normalised."""
    if spec.source == "zoo":
        card = zoo.model_card(spec.name)
        return Preprocess(card.mean, card.std, card.input_size)
    _check_timm_name(spec.name)
    if (config := timm.get_pretrained_cfg(spec.name)) is None:
        raise InputError(f"timm does not say how the images of {spec.name} are normalised")
    return Preprocess(config.mean, config.std, config.input_size)


def _timm_model(spec: TimmModel, num_classes: int | None) -> MultiExit:
    _check_timm_name(spec.name)
    timms_own = spec.pretrained and not spec.weights
    if spec.exits and timms_own:
        raise InputError(f"model {spec.name}: nobody has trained branches for exits {list(spec.exits)}; name `weights`")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(INITIAL_SEED)
        backbone = _timm_backbone(spec.name, timms_own, None if timms_own else num_classes)
        last = backbone.num_blocks - 1
        if not all(1 <= after <= last for after in spec.exits):
            raise InputError(f"model {spec.name}: exits: found {list(spec.exits)}, allowed: blocks 1..{last}")
        model = _with_branches(backbone, spec.exits)
    if spec.weights:
        load_weights(model, spec.weights)
    return model.eval()


def _timm_backbone(name: str, pretrained: bool, num_classes: int | None) -> Backbone:
    create = timm_levit if name.startswith("levit") else timm_vit
    options = {} if num_classes is None else {"num_classes": num_classes}
    try:
        return create(name, pretrained, **options)
    except Exception as error:  # timm and its hub client raise whatever their transport raises
        raise InputError(f"model {name}: {type(error).__name__}: {error}") from error


def _check_timm_name(name: str) -> None:
    if not timm.is_model(name):
        close = get_close_matches(name, timm.list_models(), 3)
        raise InputError(f"timm has no model {name!r}" + (f"; close names: {', '.join(close)}" if close else ""))


def _with_branches(backbone: Backbone, after: Sequence[int], hidden: Sequence[int] = ()) -> MultiExit:
    """MLP branches, each as wide as the tokens where it sits (pyramids widen with depth)."""
    widths = {blocks: backbone.cut_spec(blocks)[0].shape[-1] for blocks in after}
    return MultiExit(
        backbone, {blocks: MLPBranch(width, backbone.num_classes, hidden) for blocks, width in widths.items()}
    )
