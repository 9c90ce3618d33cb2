"""How the exits of a model are trained: together, or in turn (Bakhtiarnia et al., BMVC 2021, arXiv 2106.15183).

A training is a sequence of stages, each with an optimiser of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from edgesim.data.dataset import Dataset
from edgesim.errors import InputError
from edgesim.models.augmentation import augment
from edgesim.models.evaluation import outputs, scores
from edgesim.models.features import Features, check_memory, read_features
from edgesim.models.losses import Criterion, joint_loss
from edgesim.models.multi_exit import MultiExit
from edgesim.models.recipe import Recipe, Strategy

BATCH = 250


@dataclass(frozen=True)
class Setting:
    """What is trained, and on what.  preprocess: (B, H, W, C) uint8 images to what the model takes."""

    model: MultiExit
    recipe: Recipe
    train: Dataset
    validation: Dataset
    preprocess: Callable[[np.ndarray], Tensor]
    criterion: Criterion

    def images(self, rows: np.ndarray | slice, rng: np.random.Generator) -> Tensor:
        """Augmented training images, (B, C, H, W)."""
        return augment(self.preprocess(self.train.images[rows]), self.recipe, rng)

    def labels(self, rows: np.ndarray | slice) -> Tensor:
        return torch.from_numpy(self.train.labels[rows])


class Stage(ABC):
    """Number ``index`` of the stages of a training; epochs count from 0 in each."""

    trains_backbone: ClassVar[bool] = True

    def __init__(self, setting: Setting, index: int) -> None:
        self.setting, self.index = setting, index

    @staticmethod
    @abstractmethod
    def count(model: MultiExit) -> int:
        """How many stages there are."""

    def rows(self, epoch: int) -> np.ndarray:
        """The training images that the batches of an epoch are drawn from."""
        return np.arange(len(self.setting.train))

    @abstractmethod
    def loss(self, rows: np.ndarray, epoch: int, rng: np.random.Generator) -> Tensor:
        """The loss of a batch of training images; what has no gradient from it stays as it is."""

    def scores(self, before: list[float] | None) -> list[float]:
        """Accuracy or mean absolute error of each exit on the validation images; before: after the last epoch."""
        return validation_scores(self.setting)


class EndToEnd(Stage):
    """All exits at once, on the weighted mean of their losses; the final exit weighs double by default."""

    @staticmethod
    def count(model: MultiExit) -> int:
        return 1

    def loss(self, rows: np.ndarray, epoch: int, rng: np.random.Generator) -> Tensor:
        setting = self.setting
        answers = setting.model.train().all_exits(setting.images(rows, rng))
        return joint_loss(answers, setting.labels(rows), setting.recipe.final_exit_weight, setting.criterion)


class LayerWise(Stage):
    """The backbone from one exit to the next, with that exit; all before is frozen, batch norms too."""

    @staticmethod
    def count(model: MultiExit) -> int:
        return len(model.exits)

    def loss(self, rows: np.ndarray, epoch: int, rng: np.random.Generator) -> Tensor:
        setting, model = self.setting, self.setting.model
        start, stop = (0, *model.exits)[self.index : self.index + 2]
        with torch.no_grad():
            before = model.eval().run(setting.images(rows, rng), 0, start)
        answers = model.train().exit(model.run(before, start, stop), self.index)  # type: ignore[arg-type]
        return setting.criterion(answers, setting.labels(rows))


class ClassifierWise(Stage):
    """One branch alone on the states of a trained, frozen backbone, which are computed once and held in fp16.

    Augmentation is drawn with them: each image in ``views`` versions, taken in turn from epoch to epoch.

    Curriculum (Bakhtiarnia et al., arXiv 2104.10461; its details are our reading): an image is as hard as the final
    exit's loss on it, and batches are drawn from the easiest; their share grows linearly from ``curriculum`` to all
    in half of the epochs.
    """

    trains_backbone = False

    def __init__(self, setting: Setting, index: int) -> None:
        super().__init__(setting, index)
        self.branch = setting.model.branch(index)
        count, recipe = len(setting.train), setting.recipe
        check_memory(setting.model, index, recipe.views * count)
        self.views = [self._view(number) for number in range(recipe.views)]
        self.validation = self._read(self._validation_batches(), len(setting.validation), torch.float32)
        self.easiest_first = self._easiest_first() if recipe.curriculum < 1 else np.arange(count)

    @staticmethod
    def count(model: MultiExit) -> int:
        return len(model.exits) - 1

    def rows(self, epoch: int) -> np.ndarray:
        recipe, count = self.setting.recipe, len(self.easiest_first)
        share = min(1.0, recipe.curriculum + (1 - recipe.curriculum) * epoch / (recipe.epochs / 2))
        return self.easiest_first[: max(recipe.batch_size, ceil(share * count))]

    def loss(self, rows: np.ndarray, epoch: int, rng: np.random.Generator) -> Tensor:
        view = self.views[epoch % len(self.views)]
        answers = self.branch.train()(view.take(rows))
        return self.setting.criterion(
            answers, self.setting.labels(rows), None if view.final is None else view.final[rows]
        )

    @torch.inference_mode()
    def scores(self, before: list[float] | None) -> list[float]:
        branch, data = self.branch.eval(), self.setting.validation
        parts = [branch(self.validation.take(slice(at, at + BATCH))) for at in range(0, len(data), BATCH)]
        own = scores(torch.cat(parts)[None].numpy(), data)[0].value
        others = before or validation_scores(self.setting)
        return [own if exit == self.index else score for exit, score in enumerate(others)]

    def _view(self, number: int) -> Features:
        # Not the generator of any epoch, which has two numbers.
        recipe, count = self.setting.recipe, len(self.setting.train)
        rng = np.random.default_rng([recipe.seed, number, 1])
        batches = (self.setting.images(slice(at, at + BATCH), rng) for at in range(0, count, BATCH))
        return self._read(batches, count, torch.float16, final=recipe.distillation > 0 or recipe.curriculum < 1)

    def _validation_batches(self) -> Iterator[Tensor]:
        images = self.setting.validation.images
        return (self.setting.preprocess(images[at : at + BATCH]) for at in range(0, len(images), BATCH))

    def _read(self, batches: Iterator[Tensor], count: int, dtype: torch.dtype, final: bool = False) -> Features:
        return read_features(self.setting.model, self.index, batches, count, dtype, final)

    def _easiest_first(self) -> np.ndarray:
        labels = self.setting.labels(slice(None))
        losses = [self.setting.criterion.each(view.final, labels) for view in self.views if view.final is not None]
        return torch.stack(losses).mean(0).argsort(stable=True).numpy()


STRATEGIES: Mapping[Strategy, type[Stage]] = {
    "end_to_end": EndToEnd,
    "classifier_wise": ClassifierWise,
    "layer_wise": LayerWise,
}


def validation_scores(setting: Setting) -> list[float]:
    """Accuracy or mean absolute error of each exit on the validation images."""
    answers = outputs(setting.model, setting.validation.images, setting.preprocess, BATCH)
    return [score.value for score in scores(answers, setting.validation)]


def centre(model: MultiExit, value: float, whole: bool) -> None:
    """Let every branch, and the backbone where ``whole``, answer about ``value`` before any training (regression)."""
    parts: list[nn.Module] = list(model.branches.values())
    heads = [[layer for layer in part.modules() if isinstance(layer, nn.Linear)][-1] for part in parts]
    if whole:
        linear = (layer for layer in model.backbone.modules() if isinstance(layer, nn.Linear))
        heads += [layer for layer in linear if layer.out_features == 1]
    for head in heads:
        nn.init.constant_(head.bias, value)


def check(model: MultiExit, recipe: Recipe, train: Dataset) -> None:
    """InputError where this model cannot be trained so on this data."""
    if model.backbone.num_classes != train.outputs:
        raise InputError(
            f"{train.name} ({train.task}) needs num_classes {train.outputs}, the model has {model.backbone.num_classes}"
        )
    if len(train) < recipe.batch_size:
        raise InputError(f"{train.name} has {len(train)} images, fewer than batch_size {recipe.batch_size}")
    if not STRATEGIES[recipe.strategy].count(model):
        raise InputError(f"{recipe.strategy}: the model has no branch to train")
