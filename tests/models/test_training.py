from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from edgesim.data.dataset import Dataset
from edgesim.data.images import Preprocess
from edgesim.errors import InputError
from edgesim.models.augmentation import augment
from edgesim.models.build import build
from edgesim.models.geometry import Geometry, MLPBranches, SmallViT
from edgesim.models.losses import Criterion, joint_loss
from edgesim.models.recipe import Recipe
from edgesim.models.strategies import validation_scores
from edgesim.models.training import Trainer, batches, learning_rate, parameter_groups

GEOMETRY = Geometry(
    backbone=SmallViT(
        type="small_vit",
        img_size=8,
        in_chans=1,
        num_classes=3,
        width=8,
        depth=3,
        heads=2,
        stem_channels=(4,),
        drop_path=0.3,
    ),
    branches=(MLPBranches(type="mlp", after=(2, 3)),),
)
RECIPE = Recipe(epochs=3, batch_size=8, shift=1, erase_size=4)
PREPROCESS = Preprocess((0.5,), (0.5,), (1, 8, 8))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def images(count: int, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    pixels = rng.integers(0, 100, (count, 8, 8, 1)) + 70 * labels[:, None, None, None]
    return Dataset("toy", pixels.astype(np.uint8), labels, ("a", "b", "c"))


def trainer(folder: Path, recipe: Recipe = RECIPE) -> Trainer:
    return Trainer(build(GEOMETRY), recipe, images(28), images(12, seed=1), PREPROCESS, folder)


def stop_in_epoch(epoch: int) -> Callable[[int, int, int, float], None]:
    def progress(now: int, *_: float) -> None:
        if now == epoch:
            raise KeyboardInterrupt

    return progress


def same(left: Trainer, right: Trainer) -> bool:
    ours, theirs = left.model.state_dict(), right.model.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("stops", [(1,), (2,), (1, 2)])
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path: Path, stops: tuple[int, ...]) -> None:
    whole = trainer(tmp_path / "whole")
    whole.run()
    for epoch in stops:
        with pytest.raises(KeyboardInterrupt):
            trainer(tmp_path / "stopped").run(stop_in_epoch(epoch))
    resumed = trainer(tmp_path / "stopped")
    assert resumed.epoch == stops[-1] and not same(resumed, whole)
    resumed.run()
    assert same(resumed, whole)
    assert [row["train_loss"] for row in resumed.log] == [row["train_loss"] for row in whole.log]


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    trainer(tmp_path).run()
    written = (tmp_path / "checkpoint.safetensors").stat().st_mtime_ns
    trainer(tmp_path).run()
    assert (tmp_path / "checkpoint.safetensors").stat().st_mtime_ns == written


def test_the_log_has_a_row_an_epoch_and_a_column_an_exit(tmp_path: Path) -> None:
    trainer(tmp_path).run()
    header, *rows = (tmp_path / "log.csv").read_text().splitlines()
    assert header == "epoch,train_loss,seconds," + ",".join(f"validation_accuracy_exit_{exit}" for exit in range(3))
    assert [row.split(",")[0] for row in rows] == ["1", "2", "3"]
    assert not list(tmp_path.glob("*.partial"))


def test_it_learns(tmp_path: Path) -> None:
    run = trainer(tmp_path, Recipe(epochs=30, batch_size=8, learning_rate=0.01, shift=0, erase=0.0, flip=False))
    run.run()
    assert run.log[-1]["train_loss"] < 0.3 * run.log[0]["train_loss"]
    assert min(validation_scores(run.setting)) > 0.8


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path).run()
    with pytest.raises(InputError, match=r"checkpoint.safetensors.*another recipe \(changed: epochs\)"):
        trainer(tmp_path, RECIPE.model_copy(update={"epochs": 4}))


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path).run()
    file = tmp_path / "checkpoint.safetensors"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(InputError, match="checkpoint.safetensors: not a checkpoint, or damaged"):
        trainer(tmp_path)


def test_too_few_images_for_a_batch(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="toy has 28 images, fewer than batch_size 32"):
        trainer(tmp_path, RECIPE.model_copy(update={"batch_size": 32}))


def test_the_final_exit_weighs_double() -> None:
    logits, labels = torch.randn(3, 5, 4, generator=torch.manual_seed(0)), torch.tensor([0, 1, 2, 3, 0])
    each = [functional.cross_entropy(exit, labels) for exit in logits]
    torch.testing.assert_close(joint_loss(logits, labels, 2.0, Criterion()), (each[0] + each[1] + 2 * each[2]) / 4)


def test_the_loss_reaches_every_parameter() -> None:
    model = build(GEOMETRY).train()
    for block in model.backbone.vit.blocks:  # a dropped path has no gradient
        block.drop_path1.drop_prob = block.drop_path2.drop_prob = 0.0
    joint_loss(model.all_exits(torch.rand(4, 1, 8, 8)), torch.tensor([0, 1, 2, 0]), 2.0, Criterion()).backward()
    assert [name for name, value in model.named_parameters() if value.grad is None] == []


def batch() -> Tensor:
    return torch.rand(64, 1, 8, 8, generator=torch.manual_seed(0)) + 0.1


def test_augmentation_keeps_the_shape_and_repeats_with_the_seed() -> None:
    first, again, other = (augment(batch(), RECIPE, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first.shape == batch().shape and first.is_contiguous()
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_without_shift_flip_and_erasing_augmentation_changes_nothing() -> None:
    still = RECIPE.model_copy(update={"shift": 0, "flip": False, "erase": 0.0})
    assert torch.equal(augment(batch(), still, np.random.default_rng(0)), batch())


def test_flips_mirror_about_half_of_the_images() -> None:
    flips = RECIPE.model_copy(update={"shift": 0, "erase": 0.0})
    moved = augment(batch(), flips, np.random.default_rng(0))
    mirrored = [torch.equal(new, old.flip(-1)) for new, old in zip(moved, batch(), strict=True)]
    kept = [torch.equal(new, old) for new, old in zip(moved, batch(), strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True)) and 16 < sum(mirrored) < 48


def test_shifts_reach_every_offset_and_fill_with_background() -> None:
    shifts = RECIPE.model_copy(update={"flip": False, "erase": 0.0})
    point = torch.zeros(400, 1, 8, 8)
    point[:, :, 4, 4] = 1
    places = augment(point, shifts, np.random.default_rng(0))[:, 0].nonzero()[:, 1:].tolist()
    assert {tuple(place) for place in places} == {(y, x) for y in (3, 4, 5) for x in (3, 4, 5)}


def test_erasing_blanks_the_share_that_was_asked_for() -> None:
    erase = RECIPE.model_copy(update={"flip": False, "shift": 0, "erase": 0.25})
    source = batch().repeat(10, 1, 1, 1)
    changed = (augment(source, erase, np.random.default_rng(0)) != source).flatten(1)
    share = changed.any(1).float().mean().item()
    assert abs(share - 0.25) < 3.3 * (0.25 * 0.75 / len(source)) ** 0.5
    assert changed.sum(1).max() <= RECIPE.erase_size**2


def test_the_learning_rate_rises_linearly_and_falls_as_a_cosine() -> None:
    recipe = Recipe(epochs=10, learning_rate=1e-3, warmup_epochs=2.0)
    rates = np.array([learning_rate(step, 50, recipe) for step in range(500)])
    np.testing.assert_allclose(rates[:100], 1e-3 * np.arange(1, 101) / 100)
    np.testing.assert_allclose(rates[100:], 0.5e-3 * (1 + np.cos(np.pi * np.arange(400) / 400)))
    assert rates.argmax() in (99, 100) and 0 < rates[-1] < 1e-7


def test_every_step_takes_its_learning_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[tuple[float, ...]] = []
    step = torch.optim.AdamW.step

    def watched(self: torch.optim.AdamW) -> None:
        rates.append(tuple(group["lr"] for group in self.param_groups))
        step(self)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    trainer(tmp_path).run()
    assert rates == [(learning_rate(step, 3, RECIPE),) * 2 for step in range(9)]


def test_parameter_groups_cover_every_parameter_once() -> None:
    model = build(GEOMETRY)
    decayed, plain = parameter_groups(model, 0.05)
    found = [id(value) for group in (decayed, plain) for value in group["params"]]
    assert sorted(found) == sorted(id(value) for value in model.parameters())
    assert all(value.ndim >= 2 for value in decayed["params"])
    names = {id(value): name for name, value in model.named_parameters()}
    undecayed = {names[id(value)] for value in plain["params"]}
    assert {"backbone.vit.pos_embed", "backbone.vit.cls_token", "backbone.vit.norm.bias"} <= undecayed


def test_batches_are_whole_and_never_repeat_a_row() -> None:
    rows = np.concatenate(list(batches(np.arange(28), 28, 8, np.random.default_rng(0))))
    assert len(rows) == 24 == len(set(rows.tolist()))


def test_batches_from_fewer_rows_come_round_evenly() -> None:
    rows = np.concatenate(list(batches(np.array([3, 5, 8]), 28, 8, np.random.default_rng(0))))
    assert np.array_equal(np.unique(rows, return_counts=True), ([3, 5, 8], [8, 8, 8]))


def test_a_model_of_other_outputs_than_the_data_is_refused(tmp_path: Path) -> None:
    counts = Dataset("counts", images(28).images, np.ones(28, np.float32), ())
    with pytest.raises(InputError, match=r"counts \(regression\) needs num_classes 1, the model has 3"):
        Trainer(build(GEOMETRY), RECIPE, counts, counts, PREPROCESS, tmp_path)
