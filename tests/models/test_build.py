from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from edgesim.errors import InputError
from edgesim.models.build import build, create_model, preprocessing
from edgesim.models.geometry import Geometry, MLPBranches, SmallViT
from edgesim.scenario.models import TimmModel

NAME = "vit_tiny_patch16_224"


def spec(name: str = NAME, pretrained: bool = False, exits: list[int] | None = None, weights: Path | None = None):
    return TimmModel.model_validate(
        {"source": "timm", "name": name, "pretrained": pretrained, "exits": exits or [], "weights": weights}
    )


def test_tokens_are_merged_where_the_scenario_says_so() -> None:
    values = {"source": "timm", "name": NAME, "pretrained": False, "exits": [4], "merge": 8}
    merging, plain = create_model(TimmModel.model_validate(values)), create_model(spec(exits=[4]))
    assert merging.backbone.cut_spec(4)[0].shape == (197 - 3 * 8, 192)
    theirs = plain.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in merging.state_dict().items())


def test_a_timm_model_has_its_head_as_the_only_exit() -> None:
    model = create_model(spec())
    assert model.exits == (13,) and not model.training and model.backbone.input_size == (3, 224, 224)


def test_initial_weights_are_the_same_each_time_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first, second = create_model(spec(exits=[4])), create_model(spec(exits=[4]))
    assert torch.equal(torch.random.get_rng_state(), before)
    theirs = second.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in first.state_dict().items())


def test_a_geometry_is_built_from_its_seed() -> None:
    geometry = Geometry(
        backbone=SmallViT(
            type="small_vit", img_size=8, in_chans=1, num_classes=3, width=8, depth=2, heads=2, stem_channels=(4,)
        ),
        branches=(MLPBranches(type="mlp", after=(2,), hidden=(6,)),),
    )
    first, same, other = build(geometry, 1), build(geometry, 1), build(geometry, 2)
    assert first.exits == geometry.exits == (2, 3)
    assert torch.equal(first.branches["2"].layers[1].weight, same.branches["2"].layers[1].weight)
    assert not torch.equal(first.branches["2"].layers[1].weight, other.branches["2"].layers[1].weight)


def test_weights_of_backbone_and_branches_come_from_the_file(tmp_path: Path) -> None:
    model = create_model(spec(exits=[4, 8]))
    state = {name: value + 1 for name, value in model.state_dict().items()}
    save_file(state, tmp_path / "deit.safetensors")
    loaded = create_model(spec(pretrained=True, exits=[4, 8], weights=tmp_path / "deit.safetensors"))
    assert loaded.exits == (4, 8, 13)
    assert all(torch.equal(value, state[name]) for name, value in loaded.state_dict().items())


def test_weights_for_the_datas_classes_come_from_the_file(tmp_path: Path) -> None:
    """A model that was fine-tuned on other data has another head than timm's."""
    state = create_model(spec(exits=[4]), num_classes=10).state_dict()
    save_file(state, tmp_path / "deit.safetensors")
    loaded = create_model(spec(pretrained=True, exits=[4], weights=tmp_path / "deit.safetensors"), num_classes=10)
    assert loaded.backbone.num_classes == 10
    assert all(torch.equal(value, state[name]) for name, value in loaded.state_dict().items())
    with pytest.raises(InputError, match="these weights are not this model's: .*head"):
        create_model(spec(exits=[4], weights=tmp_path / "deit.safetensors"))


def test_weights_for_other_exits_are_refused(tmp_path: Path) -> None:
    save_file(create_model(spec(exits=[4])).state_dict(), tmp_path / "deit.safetensors")
    with pytest.raises(InputError, match="deit.safetensors: these weights are not this model's: branches.8.*missing"):
        create_model(spec(exits=[8], weights=tmp_path / "deit.safetensors"))


def test_untrained_branches_on_trained_weights_are_refused() -> None:
    with pytest.raises(InputError, match=r"nobody has trained branches for exits \[4, 8\]"):
        create_model(spec(pretrained=True, exits=[4, 8]))


@pytest.mark.parametrize("exits", [[13], [4, 20]])
def test_exits_beyond_the_blocks_are_refused(exits: list[int]) -> None:
    with pytest.raises(InputError, match=r"allowed: blocks 1\.\.12"):
        create_model(spec(exits=exits))


def test_an_unknown_name_is_answered_with_close_ones() -> None:
    with pytest.raises(
        InputError,
        match="no model is called 'deit_tinny_patch16_224', here or in timm; close names: .*deit_tiny_patch16_224",
    ):
        create_model(spec("deit_tinny_patch16_224"))


def test_what_is_no_plain_vit_is_refused() -> None:
    with pytest.raises(InputError, match="resnet10t is a ResNet in timm"):
        create_model(spec("resnet10t"))


def test_branches_of_a_pyramid_are_as_wide_as_its_tokens_there() -> None:
    model = create_model(spec("levit_128s", exits=[2, 8]))
    widths = [model.branches[str(after)].layers[0].normalized_shape[0] for after in (2, 8)]
    assert widths == [model.backbone.cut_spec(after)[0].shape[1] for after in (2, 8)] and widths[0] < widths[1]
    assert model.all_exits(torch.zeros(2, 3, 224, 224)).shape == (3, 2, 1000)


def test_preprocessing_of_a_timm_model_is_what_timm_says() -> None:
    found = preprocessing(spec("deit_tiny_patch16_224"))
    assert found.mean == (0.485, 0.456, 0.406) and found.std == (0.229, 0.224, 0.225)
    assert found.input_size == (3, 224, 224)


def test_any_backbone_by_name_is_a_model_of_a_scenario(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="vil_tiny: no weights can be fetched"):
        create_model(spec("vil_tiny", pretrained=True))
    model = create_model(spec("vil_tiny", exits=[2, 4]), num_classes=3)
    assert model.exits == (2, 4, 16) and model.backbone.num_classes == 3
    save_file(model.backbone.state_dict(), tmp_path / "vil.safetensors")
    loaded = create_model(spec("vil_tiny", weights=tmp_path / "vil.safetensors"), num_classes=3)
    assert loaded.exits == (16,) and not loaded.training
    with pytest.raises(InputError, match="these weights are not this model's: backbone"):
        create_model(spec("vil_tiny", exits=[2], weights=tmp_path / "vil.safetensors"), num_classes=3)
    assert preprocessing(spec("vil_tiny")).input_size == (3, 224, 224)
