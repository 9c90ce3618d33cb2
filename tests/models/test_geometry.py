"""Geometries: what they promise without torch is what the built models have."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from small_backbones import BACKBONE, BRANCHES, geometry

from edgesim.errors import InputError
from edgesim.models.build import BACKBONES, build
from edgesim.models.geometry import Geometry


def test_every_backbone_has_a_shape() -> None:
    assert set(BACKBONE) == set(BACKBONES)


@pytest.mark.parametrize("kind", BACKBONE)
@torch.inference_mode()
def test_a_shape_promises_what_its_backbone_has(kind: str) -> None:
    shape = geometry(kind).backbone
    backbone = build(geometry(kind)).backbone.eval()
    assert backbone.num_blocks == shape.num_blocks == len(backbone.block_names)
    assert backbone.input_size == shape.input_size == (1, 64, 64)
    torch.manual_seed(0)
    for parameter in backbone.parameters():  # the last batch norm of a residual begins at zero
        torch.nn.init.normal_(parameter, std=0.3)
    images = torch.randn(2, 1, 64, 64)
    fresh = set()
    for cut in range(1, backbone.num_blocks):
        token = backbone.tokens(backbone.run(images, 0, cut)).class_token
        if token is not None and torch.equal(token[0], token[1]):
            fresh.add(cut)
    assert fresh == shape.fresh_class_tokens


@pytest.mark.parametrize("kind", BACKBONE)
@torch.inference_mode()
def test_every_branch_can_sit_in_every_backbone(kind: str) -> None:
    places = [after for after in range(1, geometry(kind).backbone.num_blocks)]
    for first, branch in enumerate(BRANCHES):
        fresh = geometry(kind).backbone.fresh_class_tokens if branch == "mlp" else frozenset()
        after = [place for place in places if place not in fresh]
        model = build(geometry(kind, {"type": branch, "after": after}), seed=first).eval()
        assert model.all_exits(torch.randn(2, 1, 64, 64)).shape == (len(after) + 1, 2, 3)


@torch.inference_mode()
def test_branches_mix_and_may_read_another_token_set() -> None:
    mixed = geometry(
        "crossvit",
        {"type": "cnn_add", "after": 3, "filters": 4, "token_set": "small"},
        {"type": "mlp", "after": [2, 4], "hidden": [5]},
    )
    model = build(mixed).eval()
    assert mixed.exits == model.exits == (2, 3, 4, 8)
    state = model.run(torch.randn(2, 1, 64, 64), 0, 3)
    before = model.exit(state, 1)
    state["large"] = torch.zeros_like(state["large"])
    assert torch.equal(model.exit(state, 1), before)


def test_it_survives_json() -> None:
    whole = geometry("vil", {"type": "mlp_mixer", "after": 2})
    assert Geometry.model_validate_json(whole.model_dump_json()) == whole


def test_it_needs_no_torch() -> None:
    code = "import sys, edgesim.models, edgesim.models.geometry; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("branches", "message"),
    [
        ([{"type": "mlp", "after": 2}, {"type": "vit", "after": [2]}], "several after 2"),
        ([{"type": "vit", "after": 3}], r"sit after 1\.\.2 blocks, found 3"),
        ([{"type": "mlp", "after": 1}], "still the same for every image"),
        ([{"type": "vit", "after": 0}], "greater than or equal to 1"),
        ([{"type": "vit", "after": [2, 1]}], "after must increase"),
        ([{"type": "swin", "after": 2}], "does not match any of the expected tags"),
        ([{"type": "vit", "after": 2, "hidden": [3]}], "Extra inputs are not permitted"),
    ],
)
def test_branches_that_cannot_be_are_refused(branches: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        geometry("small_vit", *branches)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("small_vit", {"width": 9}, "width 9 is not a multiple of heads 2"),
        ("levit", {"heads": [2]}, "one value for each stage, found 2 widths, 2 depths, 1 heads"),
        ("vil", {"global_tokens": [1, 0]}, "one value for each stage"),
        ("shuffle", {"heads": [2, 3]}, "width 16 is not a multiple of heads 3"),
        ("crossvit", {"widths": [8, 15]}, "width 15 is not a multiple of heads 2"),
        ("crossvit", {"widths": [8, 16, 24]}, "at most 2 items"),
    ],
)
def test_backbones_that_cannot_be_are_refused(kind: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        geometry(kind, **changes)


@pytest.mark.parametrize("kind", ["levit", "evo_levit", "crossvit", "shuffle"])
def test_images_that_cannot_be_cut_are_refused(kind: str) -> None:
    with pytest.raises(InputError, match=f"geometry of {kind}: .*60"):
        build(geometry(kind, img_size=60))
