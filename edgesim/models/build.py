"""Models from their description: a geometry, a name in the zoo, or the name of a backbone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch

from edgesim.data.images import Preprocess
from edgesim.errors import InputError
from edgesim.models import registry, zoo
from edgesim.models.backbones.base import Backbone
from edgesim.models.backbones.crossvit import small_crossvit
from edgesim.models.backbones.evo_deit import EvoDeiT
from edgesim.models.backbones.evo_levit import EvoLeViT
from edgesim.models.backbones.levit import small_levit
from edgesim.models.backbones.shuffle import ShuffleTransformer
from edgesim.models.backbones.vil import ViL
from edgesim.models.backbones.vit import small_vit
from edgesim.models.branches import create_branch
from edgesim.models.geometry import Geometry, MLPBranches
from edgesim.models.multi_exit import MultiExit
from edgesim.models.weights import fit_weights, read_safetensors

if TYPE_CHECKING:
    from edgesim.scenario.models import TimmModel, ZooModel

INITIAL_SEED = 0

BACKBONES: Mapping[str, Callable[..., Backbone]] = {
    "small_vit": small_vit,
    "levit": small_levit,
    "crossvit": small_crossvit,
    "evo_deit": EvoDeiT,
    "evo_levit": EvoLeViT,
    "vil": ViL,
    "shuffle": ShuffleTransformer,
}
"""What builds each type of backbone from its geometry."""


def build(geometry: Geometry, seed: int = INITIAL_SEED) -> MultiExit:
    """The model of a geometry with its initial weights, drawn from ``seed``.

    Raises InputError where the images cannot be cut into what the backbone needs.
    """
    shape = geometry.backbone
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            backbone = BACKBONES[shape.type](**shape.model_dump(exclude={"type"}))
        except ValueError as error:
            raise InputError(f"geometry of {shape.type}: {error}") from None
        branches = {after: create_branch(branch, backbone, after) for after, branch in geometry.placed()}
        return MultiExit(backbone, branches)


def create_model(spec: ZooModel | TimmModel, num_classes: int | None = None) -> MultiExit:
    """The model that a scenario names, ready to answer (``eval`` mode).

    A backbone by name has its own head as its only exit, unless ``exits`` names block counts: these get
    LayerNorm + Linear branches, whose weights come with the backbone's from the file ``weights``.  Without exits
    the file may hold the backbone alone.  num_classes: of the data, for a backbone without timm's own weights, which
    keep their head; the variant's number where None.  Raises InputError for an unknown name, a download that fails,
    exits beyond the blocks, branches that nobody trained, or weights that do not fit.
    """
    return zoo.load(spec.name) if spec.source == "zoo" else _named_model(spec, num_classes)


def preprocessing(spec: ZooModel | TimmModel) -> Preprocess:
    """How the images of a scenario's model are scaled and normalised."""
    if spec.source == "zoo":
        card = zoo.model_card(spec.name)
        return Preprocess(card.mean, card.std, card.input_size)
    return registry.preprocess(spec.name)


def _named_model(spec: TimmModel, num_classes: int | None) -> MultiExit:
    registry.check_name(spec.name)
    timms_own = spec.pretrained and not spec.weights
    if spec.exits and timms_own:
        raise InputError(f"model {spec.name}: nobody has trained branches for exits {list(spec.exits)}; name `weights`")
    options = {} if timms_own or num_classes is None else {"num_classes": num_classes}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(INITIAL_SEED)
        backbone = registry.create(spec.name, timms_own, merge=spec.merge, **options)
        last = backbone.num_blocks - 1
        if not all(1 <= after <= last for after in spec.exits):
            raise InputError(f"model {spec.name}: exits: found {list(spec.exits)}, allowed: blocks 1..{last}")
        branches = MLPBranches(type="mlp", after=spec.exits)
        model = MultiExit(backbone, {after: create_branch(branches, backbone, after) for after in spec.exits})
    if spec.weights:
        tensors = read_safetensors(spec.weights)
        alone = not spec.exits and not any(name.startswith("backbone.") for name in tensors)
        fit_weights(backbone if alone else model, tensors, spec.weights)
    return model.eval()
