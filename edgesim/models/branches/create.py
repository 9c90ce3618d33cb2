"""Branches from their geometry."""

from __future__ import annotations

from edgesim.errors import InputError
from edgesim.models.backbones.base import Backbone
from edgesim.models.branches.base import Branch
from edgesim.models.branches.cnn import CNNBranch
from edgesim.models.branches.mixer import MixerBranch
from edgesim.models.branches.mlp import MLPBranch
from edgesim.models.branches.resmlp import ResMLPBranch
from edgesim.models.branches.vit import ViTBranch
from edgesim.models.geometry import AnyBranch


def create_branch(spec: AnyBranch, backbone: Backbone, after: int) -> Branch:
    """The branch ``spec`` for the state after ``after`` blocks of ``backbone``.

    Raises InputError where the backbone has no such token set.
    """
    if spec.token_set not in (None, *backbone.token_sets):
        allowed = ", ".join(backbone.token_sets)
        raise InputError(f"branch {spec.type}: token_set: found {spec.token_set!r}, allowed: {allowed}")
    branch = _branch(spec, backbone, after)
    branch.token_set = spec.token_set
    return branch


def _branch(spec: AnyBranch, backbone: Backbone, after: int) -> Branch:
    shape, outputs = backbone.token_shape(after, spec.token_set), backbone.num_classes
    match spec.type:
        case "mlp":
            return MLPBranch(shape.width, outputs, spec.hidden, spec.dropout)
        case "cnn_ignore":
            return CNNBranch(shape, outputs, "ignore", spec.filters)
        case "cnn_add":
            return CNNBranch(shape, outputs, "add", spec.filters)
        case "cnn_project":
            return CNNBranch(shape, outputs, "project", spec.filters)
        case "vit":
            return ViTBranch(shape, outputs)
        case "mlp_mixer":
            return MixerBranch(shape, outputs, spec.token_hidden, spec.channel_hidden)
        case "resmlp":
            return ResMLPBranch(shape, outputs)
