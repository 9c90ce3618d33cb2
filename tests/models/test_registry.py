"""Backbones by name, and their authors' weights."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from edgesim.errors import InputError
from edgesim.models import create, load_released, names, registry
from edgesim.models.backbones.base import Backbone
from edgesim.models.backbones.crossvit import timm_crossvit
from edgesim.models.weights import read_foreign

SMALL: dict[str, dict[str, Any]] = {
    "deit_tiny_patch16_224": {},
    "levit_128s": {},
    "crossvit_9_240": {},
    "crossvit_9_dagger_240": {},
    "vil_tiny": {},
    "vil_tiny_rpb": {},
    "evo_deit_tiny": {},
    "evo_levit_128s": {},
    "shuffle_t": {"window": 2},
}


@pytest.mark.parametrize("name", SMALL)
@torch.inference_mode()
def test_every_family_takes_other_images_and_classes(name: str) -> None:
    torch.manual_seed(0)
    model = create(name, num_classes=5, img_size=64, in_chans=1, **SMALL[name]).eval()
    assert name in names()
    assert model.input_size == (1, 64, 64) and model.num_classes == 5
    images = torch.randn(2, 1, 64, 64)
    logits = model(images)
    assert logits.shape == (2, 5) and logits.isfinite().all()
    middle = model.num_blocks // 2
    assert torch.equal(model.head(model.run(model.run(images, 0, middle), middle, model.num_blocks)), logits)


def test_the_families_are_all_there() -> None:
    found = set(names())
    assert {"crossvit_18_dagger_408", "levit_384", "vil_base_wide_rpb", "shuffle_b", "deit_base_patch16_224"} <= found
    assert not any("distilled" in name or "levit_conv" in name for name in found)
    families = {registry.family(name) for name in found}
    assert {"ViT", "LeViT", "CrossViT", "ViL", "ShuffleTransformer", "EvoDeiT", "EvoLeViT"} <= families
    assert len(found) == len(names())


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("vil_tinny", "vil_tiny"),
        ("crossvit_tiny_224", "crossvit_tiny_240"),
        ("shuffle-t", "shuffle_t"),
        ("deit_tiny_patch16", "deit_tiny_patch16_224"),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(name: str, near: str) -> None:
    with pytest.raises(InputError, match=f"no model is called '{name}'.*close names: .*{near}"):
        create(name)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="model shuffle_t: .*192"):
        create("shuffle_t", img_size=192)
    with pytest.raises(InputError, match="resnet18 is a ResNet in timm"):
        create("resnet18")
    with pytest.raises(InputError, match="levit_128s: img_size 60 is not a multiple"):
        create("levit_128s", img_size=60)
    with pytest.raises(InputError, match="vil_tiny: no weights can be fetched"):
        create("vil_tiny", pretrained=True)


def test_images_are_normalised_as_imagenet_is() -> None:
    for name in ("vil_tiny", "shuffle_t", "deit_tiny_patch16_224"):
        found = registry.preprocess(name)
        assert found.mean == (0.485, 0.456, 0.406) and found.input_size == (3, 224, 224)
    assert registry.preprocess("crossvit_tiny_240").input_size == (3, 240, 240)


@pytest.fixture
def model() -> Backbone:
    torch.manual_seed(0)
    return timm_crossvit("crossvit_9_240", num_classes=3)


@pytest.fixture
def weights(model: Backbone) -> dict[str, Tensor]:
    """As the authors' file has them."""
    named = {name.removeprefix("crossvit."): value for name, value in model.state_dict().items()}
    dotted = {name.replace("pos_embed_", "pos_embed.").replace("cls_token_", "cls_token."): name for name in named}
    return {name: torch.randn_like(named[own]) for name, own in dotted.items()}


@pytest.mark.parametrize("wrap", [lambda it: it, lambda it: {"model": it, "epoch": 3}, lambda it: {"state_dict": it}])
def test_released_weights_are_loaded_wherever_the_checkpoint_has_them(
    model: Backbone, weights: dict[str, Tensor], wrap: Any
) -> None:
    assert "pos_embed.1" in weights
    loaded = load_released(model.train(), wrap(weights))
    assert loaded is model and not model.training
    assert torch.equal(model.state_dict()["crossvit.pos_embed_1"], weights["pos_embed.1"])


def test_tensors_that_do_not_fit_are_named_and_nothing_is_loaded(model: Backbone, weights: dict[str, Tensor]) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    wrong = {**weights, "norm.0.weight": torch.zeros(7), "extra": torch.zeros(1)}
    del wrong["head.1.bias"]
    with pytest.raises(InputError) as caught:
        load_released(model, wrong)
    for words in ("crossvit.head.1.bias is missing", "extra is not part", r"norm.0.weight has shape (7,) instead of"):
        assert words in str(caught.value)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused(model: Backbone, weights: dict[str, Tensor], bad: float) -> None:
    weights["head.0.bias"][1] = bad
    with pytest.raises(InputError, match=r"hold NaN or infinity: crossvit\.head\.0\.bias"):
        load_released(model, weights)


def test_what_is_no_tensor_is_refused(model: Backbone, weights: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="epoch is no tensor"):
        load_released(model, {**weights, "epoch": 3})


class Code:
    """What a pickle could do where it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("written-by-the-pickle"),)


def test_a_pickle_is_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.pth").write_bytes(pickle.dumps({"a": Code()}))
    torch.save({"model": {"a": torch.zeros(1)}, "args": Code()}, "torch.pth")
    for name in ("plain.pth", "torch.pth"):
        with pytest.raises(InputError, match=f"{name}: refused.*pickle"):
            read_foreign(Path(name))
    assert not Path("written-by-the-pickle").exists() and not recwarn


def test_files_of_tensors_are_read(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(3.0)}
    torch.save({"model": tensors}, tmp_path / "a.pth")
    save_file(tensors, tmp_path / "a.safetensors")
    assert torch.equal(read_foreign(tmp_path / "a.pth")["model"]["a"], tensors["a"])
    assert torch.equal(read_foreign(tmp_path / "a.safetensors")["a"], tensors["a"])
    torch.save([1], tmp_path / "list.pth")
    (tmp_path / "empty.pth").touch()
    (tmp_path / "empty.safetensors").touch()
    for name, message in (
        ("none.pth", "cannot be read"),
        ("none.safetensors", "cannot be read"),
        ("list.pth", "holds a list"),
        ("empty.pth", "refused"),
        ("empty.safetensors", "not a safetensors file"),
    ):
        with pytest.raises(InputError, match=f"{name}: .*{message}"):
            read_foreign(tmp_path / name)
