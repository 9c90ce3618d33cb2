"""What the answers of exits cost in training."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from edgesim.data.dataset import Dataset, Task
from edgesim.models.recipe import Recipe

BETA = 0.1


@dataclass(frozen=True)
class Criterion:
    """The loss of one exit.

    Classification: cross-entropy.  Regression: smooth L1 of the error in units of ``scale``, square within a tenth of
    it (it is reported as a mean absolute error, so it is trained as almost one).

    distillation: share of the loss that is the distance to a teacher's answer, where there is one: Kullback-Leibler
    divergence at ``temperature``, times its square (Hinton et al. 2015), or smooth L1.
    scale: standard deviation of the training targets.  The model itself answers in their own units, so that targets
    whose spread is far beyond a few units are better rescaled in the data.
    """

    task: Task = "classification"
    label_smoothing: float = 0.0
    distillation: float = 0.0
    temperature: float = 1.0
    scale: float = 1.0

    def each(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(B,) losses of outputs (B, classes or 1) with targets (B,), without distillation."""
        if self.task == "regression":
            return self._distance(outputs[:, 0], targets)
        return functional.cross_entropy(outputs, targets, reduction="none", label_smoothing=self.label_smoothing)

    def __call__(self, outputs: Tensor, targets: Tensor, teacher: Tensor | None = None) -> Tensor:
        """The mean loss of a batch; teacher: outputs (B, classes or 1) to be imitated."""
        loss = self.each(outputs, targets).mean()
        if teacher is None or not self.distillation:
            return loss
        return (1 - self.distillation) * loss + self.distillation * self._unlike(outputs, teacher.detach())

    def _unlike(self, outputs: Tensor, teacher: Tensor) -> Tensor:
        if self.task == "regression":
            return self._distance(outputs, teacher).mean()
        ours, theirs = ((logits / self.temperature).log_softmax(-1) for logits in (outputs, teacher))
        return self.temperature**2 * functional.kl_div(ours, theirs, reduction="batchmean", log_target=True)

    def _distance(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.smooth_l1_loss(outputs / self.scale, targets / self.scale, reduction="none", beta=BETA)


def criterion(recipe: Recipe, train: Dataset) -> Criterion:
    """The loss that a recipe asks for on this training set."""
    scale = float(train.labels.std()) or 1.0 if train.task == "regression" else 1.0
    return Criterion(train.task, recipe.label_smoothing, recipe.distillation, recipe.distillation_temperature, scale)


def joint_loss(outputs: Tensor, targets: Tensor, final_exit_weight: float, criterion: Criterion) -> Tensor:
    """Weighted mean over exits; outputs: (exits, B, classes or 1), targets: (B,).  The final exit is the teacher."""
    *early, final = outputs
    losses = torch.stack([*(criterion(exit, targets, final) for exit in early), criterion(final, targets)])
    weights = torch.ones(len(losses))
    weights[-1] = final_exit_weight
    return (losses * weights).sum() / weights.sum()
