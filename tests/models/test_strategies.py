from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from edgesim.data.dataset import Dataset  # noqa: E402
from edgesim.data.images import Preprocess  # noqa: E402
from edgesim.errors import InputError  # noqa: E402
from edgesim.models import features  # noqa: E402
from edgesim.models.build import build  # noqa: E402
from edgesim.models.checkpoint import read_checkpoint  # noqa: E402
from edgesim.models.geometry import CNNBranches, Geometry, LeViTShape, MLPBranches, ResMLPBranches, SmallViT  # noqa: E402
from edgesim.models.losses import BETA, Criterion, criterion, joint_loss  # noqa: E402
from edgesim.models.recipe import Recipe  # noqa: E402
from edgesim.models.strategies import ClassifierWise, Setting, centre, validation_scores  # noqa: E402
from edgesim.models.training import Trainer  # noqa: E402

SIDE = 8
PREPROCESS = Preprocess((0.5,), (0.5,), (1, SIDE, SIDE))
STILL = {"shift": 0, "flip": False, "erase": 0.0}
BRANCHES = (MLPBranches(type="mlp", after=(3,), hidden=(6,), dropout=0.3), CNNBranches(type="cnn_add", after=(2,)))


def vit(outputs: int = 3) -> Geometry:
    backbone = SmallViT(
        type="small_vit",
        img_size=SIDE,
        in_chans=1,
        num_classes=outputs,
        width=8,
        depth=3,
        heads=2,
        stem_channels=(4,),
        drop_path=0.3,
    )
    return Geometry(backbone=backbone, branches=BRANCHES)


def levit() -> Geometry:
    backbone = LeViTShape(
        type="levit", img_size=32, in_chans=1, num_classes=3, widths=(8, 16), depths=(1, 1), heads=(2, 2), key_dim=4
    )
    branches = (CNNBranches(type="cnn_ignore", after=(1,)), ResMLPBranches(type="resmlp", after=(3,)))
    return Geometry(backbone=backbone, branches=branches)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def images(count: int, seed: int = 0, side: int = SIDE) -> Dataset:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    pixels = rng.integers(0, 100, (count, side, side, 1)) + 70 * labels[:, None, None, None]
    return Dataset("toy", pixels.astype(np.uint8), labels, ("a", "b", "c"))


def counts(count: int, seed: int = 0) -> Dataset:
    """How bright an image is, between 2 and 10."""
    data = images(count, seed)
    return Dataset("counts", data.images, (2 + 4 * data.labels).astype(np.float32), ())


def recipe(strategy: str, **changes: object) -> Recipe:
    return Recipe(**{"strategy": strategy, "epochs": 2, "batch_size": 8, "shift": 1, "erase_size": 4, **changes})


def setting(recipe: Recipe, data: Callable[..., Dataset] = images, outputs: int = 3) -> Setting:
    train = data(28)
    return Setting(build(vit(outputs)), recipe, train, data(12, seed=1), PREPROCESS, criterion(recipe, train))


def trainer(folder: Path, recipe: Recipe, geometry: Geometry | None = None) -> Trainer:
    model = build(geometry or vit())
    channels, side, _ = model.backbone.input_size
    preprocess = Preprocess((0.5,), (0.5,), (channels, side, side))
    return Trainer(model, recipe, images(28, side=side), images(12, seed=1, side=side), preprocess, folder)


def weights(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def stages_of(run: Trainer) -> list[dict[str, Tensor]]:
    """The weights before the training and after each stage."""
    found = [weights(run.model)]

    def progress(epoch: int, batch: int, *_: float) -> None:
        if epoch and epoch % run.recipe.epochs == 0 and batch == 1:
            found.append(read_checkpoint(run.checkpoint).weights)

    run.run(progress)
    return [*found, weights(run.model)]


@pytest.mark.parametrize("geometry", [vit, levit])
def test_classifier_wise_trains_one_branch_after_the_other_and_no_bit_of_the_backbone(
    tmp_path: Path, geometry: Callable[[], Geometry]
) -> None:
    start, first, second = stages_of(trainer(tmp_path, recipe("classifier_wise"), geometry()))
    after = geometry().exits
    for branch, (old, new) in zip(after, ((start, first), (first, second)), strict=False):
        parameters = {name for name in old if name.startswith(f"branches.{branch}.")}
        assert changed(old, new) == parameters


def test_layer_wise_trains_from_one_exit_to_the_next_and_freezes_what_came_before(tmp_path: Path) -> None:
    *stages, last = stages_of(trainer(tmp_path, recipe("layer_wise")))
    vit_blocks = "backbone.vit."
    pieces = (
        ("patch_embed", "cls_token", "pos_embed", "blocks.0"),
        ("blocks.1",),
        ("blocks.2", "norm", "head"),
    )
    branches: tuple[tuple[str, ...], ...] = (("branches.2.",), ("branches.3.",), ())
    for piece, branch, old, new in zip(pieces, branches, stages, (*stages[1:], last), strict=True):
        places = (*(vit_blocks + part for part in piece), *branch)
        expected = {name for name in old if name.startswith(places)}
        assert changed(old, new) == expected  # batch norms' statistics too


@pytest.mark.parametrize(
    ("strategy", "options", "stop"),
    [
        ("classifier_wise", {}, 1),
        ("classifier_wise", {"distillation": 0.5, "curriculum": 0.4, "views": 2}, 2),
        ("classifier_wise", {"views": 2}, 3),
        ("layer_wise", {}, 2),
        ("layer_wise", {}, 3),
        ("end_to_end", {"distillation": 0.5}, 1),
    ],
)
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, strategy: str, options: dict[str, object], stop: int
) -> None:
    def interrupt(epoch: int, *_: float) -> None:
        if epoch == stop:
            raise KeyboardInterrupt

    plan = recipe(strategy, **options)
    whole = trainer(tmp_path / "whole", plan)
    whole.run()
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path / "stopped", plan).run(interrupt)
    resumed = trainer(tmp_path / "stopped", plan)
    assert resumed.epoch == stop
    resumed.run()
    assert changed(weights(whole.model), weights(resumed.model)) == set()
    assert [row | {"seconds": 0} for row in resumed.log] == [row | {"seconds": 0} for row in whole.log]


def test_layer_wise_learns_in_every_stage(tmp_path: Path) -> None:
    run = trainer(tmp_path, recipe("layer_wise", epochs=5, learning_rate=0.02, **STILL))
    run.run()
    assert len(run.log) == 15
    assert all(run.log[start + 4]["train_loss"] < 0.8 * run.log[start]["train_loss"] for start in (0, 5, 10))


def test_classifier_wise_learns_on_a_trained_backbone(tmp_path: Path) -> None:
    trained = trainer(tmp_path / "backbone", recipe("end_to_end", epochs=16, learning_rate=0.02, **STILL))
    trained.run()
    run = trainer(tmp_path / "branches", recipe("classifier_wise", epochs=6, learning_rate=0.02, **STILL))
    run.model.backbone.load_state_dict(trained.model.backbone.state_dict())
    run.run()
    found = validation_scores(run.setting)
    assert min(found[:2]) > 0.8 and found[2] == trained.log[-1]["validation_accuracy_exit_2"]
    assert [run.log[-1][f"validation_accuracy_exit_{exit}"] for exit in range(3)] == pytest.approx(found, abs=1e-5)


def test_classifier_wise_runs_the_backbone_once_an_image_and_view(tmp_path: Path) -> None:
    run = trainer(tmp_path, recipe("classifier_wise", epochs=5, views=2))
    seen = []
    stem = run.model.backbone.stem
    run.model.backbone.stem = lambda images: seen.append(len(images)) or stem(images)
    run.run()
    training, validation, scores_of_untrained = 2 * 28, 12, 12
    assert sum(seen) == 2 * (training + validation) + scores_of_untrained


def test_features_are_what_the_branch_reads_to_half_precision() -> None:
    here = setting(recipe("classifier_wise", **STILL))
    stage = ClassifierWise(here, 1)
    model = here.model.eval()
    with torch.no_grad():
        state = model.run(PREPROCESS(here.train.images), 0, 3)
        expected, found = model.exit_tokens(state, 1), stage.views[0].take(np.arange(28))
        answers = model.exit(state, 1)
    assert stage.views[0].tokens.patches.dtype == torch.float16 and found.patches.dtype == torch.float32
    torch.testing.assert_close(found.patches, expected.patches, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found.class_token, expected.class_token, rtol=1e-3, atol=1e-3)
    own = (answers.argmax(-1).numpy() == here.train.labels).mean()
    stage = ClassifierWise(replace(here, validation=here.train), 1)
    assert stage.scores([0.25, 0.5, 0.75]) == [0.25, own, 0.75]


def test_views_are_drawn_once_and_taken_in_turn() -> None:
    stage, again = (ClassifierWise(setting(recipe("classifier_wise", views=3, epochs=6)), 0) for _ in range(2))
    patches = [view.tokens.patches for view in stage.views]
    assert all(torch.equal(one, view.tokens.patches) for one, view in zip(patches, again.views, strict=True))
    assert not torch.equal(patches[0], patches[1]) and not torch.equal(patches[1], patches[2])
    rows, rng = np.arange(8), np.random.default_rng(0)
    losses = [stage.loss(rows, epoch, rng).item() for epoch in range(6)]
    assert losses[:3] == losses[3:] and len(set(losses)) == 3


def test_too_many_features_are_refused_before_they_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    here = setting(recipe("classifier_wise", views=4))
    needed = 2 * 4 * 28 * 17 * 8
    monkeypatch.setattr(features, "LIMIT_BYTES", needed)
    ClassifierWise(here, 0)
    monkeypatch.setattr(features, "LIMIT_BYTES", needed - 1)
    monkeypatch.setattr(here.model.backbone, "stem", None)
    with pytest.raises(InputError, match=r"classifier_wise: the features of 112 images at exit 0 take .* `views`"):
        ClassifierWise(here, 0)


def test_states_beyond_half_precision_are_refused() -> None:
    here = setting(recipe("classifier_wise"))
    with torch.no_grad():
        here.model.backbone.vit.cls_token.fill_(1e5)
    with pytest.raises(InputError, match="states at exit 0 are not finite, or too large for torch.float16"):
        ClassifierWise(here, 0)


def test_a_model_without_branches_has_nothing_to_train_classifier_wise(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="classifier_wise: the model has no branch to train"):
        trainer(tmp_path, recipe("classifier_wise"), Geometry(backbone=vit().backbone))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategy": "layer_wise", "distillation": 0.5}, "distillation: layer_wise"),
        ({"curriculum": 0.5}, "curriculum: only classifier_wise"),
        ({"strategy": "layer_wise", "views": 2}, "views: only for classifier_wise"),
        ({"strategy": "classifier_wise", "views": 2, **STILL}, "views: all would be equal"),
        ({"strategy": "jointly"}, "strategy"),
    ],
)
def test_options_that_a_strategy_cannot_have(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Recipe(epochs=1, **changes)


# Distillation


def test_distillation_by_hand() -> None:
    torch.manual_seed(0)
    logits, final, labels = torch.randn(5, 3), torch.randn(5, 3), torch.tensor([0, 1, 2, 0, 1])
    p, q = (final / 4).softmax(-1), (logits / 4).softmax(-1)
    divergence = 16 * (p * (p / q).log()).sum(-1).mean()
    expected = 0.7 * functional.cross_entropy(logits, labels) + 0.3 * divergence
    found = Criterion(distillation=0.3, temperature=4.0)
    torch.testing.assert_close(found(logits, labels, final), expected)
    torch.testing.assert_close(found(logits, labels), functional.cross_entropy(logits, labels))


def test_the_final_exit_teaches_and_does_not_learn_from_the_others() -> None:
    outputs = torch.randn(3, 5, 4, generator=torch.manual_seed(0)).requires_grad_()
    labels = torch.tensor([0, 1, 2, 3, 0])
    joint_loss(outputs, labels, 2.0, Criterion(distillation=0.5)).backward()
    final = outputs[-1].detach().clone().requires_grad_()
    (functional.cross_entropy(final, labels) / 2).backward()
    torch.testing.assert_close(outputs.grad[-1], final.grad)
    assert outputs.grad[0].any()


def test_classifier_wise_distillation_is_from_the_frozen_final_exit() -> None:
    here = setting(recipe("classifier_wise", distillation=0.5, distillation_temperature=3.0, **STILL))
    stage, rows = ClassifierWise(here, 0), np.array([3, 1, 4, 15])
    with torch.no_grad():
        final = here.model.eval()(PREPROCESS(here.train.images))[rows]
        answers = stage.branch(stage.views[0].take(rows))
    expected = Criterion(distillation=0.5, temperature=3.0)(answers, here.labels(rows), final)
    torch.testing.assert_close(stage.loss(rows, 0, np.random.default_rng(0)), expected)


# Curriculum


def test_the_curriculum_begins_with_what_the_final_exit_finds_easy_and_ends_with_all() -> None:
    here = setting(recipe("classifier_wise", curriculum=0.5, epochs=8, **STILL))
    stage = ClassifierWise(here, 1)
    with torch.no_grad():
        final = here.model.eval()(PREPROCESS(here.train.images))
    losses = functional.cross_entropy(final, here.labels(slice(None)), reduction="none").numpy()
    pools = [stage.rows(epoch) for epoch in range(8)]
    assert [len(pool) for pool in pools] == [14, 18, 21, 25, 28, 28, 28, 28]
    for pool in pools:
        others = np.setdiff1d(np.arange(28), pool)
        assert len(others) == 0 or losses[pool].max() <= losses[others].min() + 1e-6
    assert len(ClassifierWise(replace(here, recipe=recipe("classifier_wise", curriculum=0.01)), 1).rows(0)) == 8


def test_without_a_curriculum_every_epoch_has_all_images() -> None:
    stage = ClassifierWise(setting(recipe("classifier_wise")), 0)
    assert all(np.array_equal(stage.rows(epoch), np.arange(28)) for epoch in range(2))
    assert stage.views[0].final is None


# Regression


def test_regression_is_smooth_l1_in_units_of_the_training_targets_spread() -> None:
    outputs, targets = torch.tensor([[310.0], [300.5], [330.0]]), torch.tensor([300.0, 300.0, 300.0])
    found = Criterion("regression", scale=10.0)
    by_hand = torch.tensor([1.0 - BETA / 2, 0.05**2 / (2 * BETA), 3.0 - BETA / 2])
    torch.testing.assert_close(found.each(outputs, targets), by_hand)
    torch.testing.assert_close(found(outputs, targets), by_hand.mean())
    taught = Criterion("regression", scale=10.0, distillation=1.0)
    torch.testing.assert_close(taught(outputs, torch.zeros(3), targets[:, None]), by_hand.mean())
    data = counts(28)
    assert criterion(recipe("end_to_end"), data).scale == pytest.approx(float(data.labels.std()))


@pytest.mark.parametrize("whole", [True, False])
@torch.inference_mode()
def test_every_exit_begins_at_the_mean(whole: bool) -> None:
    model = build(vit(1)).eval()
    centre(model, 320.0, whole)
    first, second, final = model.all_exits(torch.rand(4, 1, SIDE, SIDE))
    assert (first - 320).abs().max() < 5 and (second - 320).abs().max() < 5
    assert ((final - 320).abs().max() < 5) == whole


def test_regression_ends_below_the_error_of_the_mean(tmp_path: Path) -> None:
    train, validation = counts(28), counts(12, seed=1)
    plan = recipe("end_to_end", epochs=16, learning_rate=0.02, distillation=0.1, **STILL)
    run = Trainer(build(vit(1)), plan, train, validation, PREPROCESS, tmp_path)
    run.run()
    guess = np.abs(validation.labels - train.labels.mean()).mean()
    header = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert header == "epoch,train_loss,seconds," + ",".join(f"validation_error_exit_{exit}" for exit in range(3))
    assert all(run.log[-1][f"validation_error_exit_{exit}"] < 0.6 * guess for exit in range(3))


def test_regression_classifier_wise_leaves_the_backbone_as_it_is(tmp_path: Path) -> None:
    plan = recipe("classifier_wise", epochs=4, learning_rate=0.02, curriculum=0.5, distillation=0.2)
    run = Trainer(build(vit(1)), plan, counts(28), counts(12, seed=1), PREPROCESS, tmp_path)
    run.run()
    assert changed(weights(build(vit(1)).backbone), weights(run.model.backbone)) == set()
    assert all(np.isfinite(row["train_loss"]) for row in run.log)
