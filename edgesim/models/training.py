"""Joint training of a multi-exit model: one loss over all exits, the final one weighted double."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from edgesim.data.dataset import Dataset
from edgesim.errors import InputError
from edgesim.models.checkpoint import Checkpoint, Log, read_checkpoint, write_checkpoint
from edgesim.models.multi_exit import MultiExit
from edgesim.models.recipe import Recipe
from edgesim.models.weights import fit_weights


def joint_loss(logits: Tensor, labels: Tensor, final_exit_weight: float, label_smoothing: float) -> Tensor:
    """Weighted mean over exits of the cross-entropy; logits: (exits, B, classes), labels: (B,)."""
    losses = torch.stack([functional.cross_entropy(exit, labels, label_smoothing=label_smoothing) for exit in logits])
    weights = torch.ones(len(losses))
    weights[-1] = final_exit_weight
    return (losses * weights).sum() / weights.sum()


def augment(images: Tensor, recipe: Recipe, rng: np.random.Generator) -> Tensor:
    """Shift, flip and erase a batch of (B, C, H, W) images, each with draws of its own."""
    count, _, height, width = images.shape
    padded = functional.pad(images, [recipe.shift] * 4, value=float(images.min()))
    top, left = torch.from_numpy(rng.integers(0, 2 * recipe.shift + 1, (2, count)))
    rows, columns = torch.arange(height), torch.arange(width).expand(count, -1)
    if recipe.flip:
        mirrored = torch.from_numpy(rng.random(count) < 0.5)
        columns = torch.where(mirrored[:, None], width - 1 - columns, columns)
    rows = (top[:, None] + rows)[:, :, None]
    columns = (left[:, None] + columns)[:, None, :]
    moved = padded[torch.arange(count)[:, None, None], :, rows, columns].permute(0, 3, 1, 2).contiguous()
    blank = float(images.min())
    for index in np.flatnonzero(rng.random(count) < recipe.erase):
        side_y, side_x = rng.integers(2, recipe.erase_size + 1, 2)
        y, x = rng.integers(0, height - side_y + 1), rng.integers(0, width - side_x + 1)
        moved[index, :, y : y + side_y, x : x + side_x] = blank
    return moved


def learning_rate(step: int, steps_per_epoch: int, recipe: Recipe) -> float:
    """The rate of optimiser step ``step``, counted from 0 over all epochs: a linear rise, then half a cosine."""
    warmup = max(1, round(recipe.warmup_epochs * steps_per_epoch))
    total = recipe.epochs * steps_per_epoch
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


def parameter_groups(model: MultiExit, weight_decay: float) -> list[dict[str, object]]:
    """No decay for biases, norms, tokens and position embeddings, as timm's recipes do."""
    named = list(model.named_parameters())
    plain = {name for name, value in named if value.ndim < 2 or name.endswith(("pos_embed", "cls_token"))}
    return [
        {"params": [value for name, value in named if name not in plain], "weight_decay": weight_decay},
        {"params": [value for name, value in named if name in plain], "weight_decay": 0.0},
    ]


def batches(count: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Row numbers of whole batches in random order; what does not fill a batch is left out this time."""
    order = rng.permutation(count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


@torch.inference_mode()
def accuracy_per_exit(model: MultiExit, images: Tensor, labels: Tensor, batch_size: int = 250) -> list[float]:
    """Share of right answers of each exit; images are preprocessed (N, C, H, W)."""
    model.eval()
    right = torch.zeros(len(model.exits))
    for start in range(0, len(images), batch_size):
        part = slice(start, start + batch_size)
        right += (model.all_exits(images[part]).argmax(-1) == labels[part]).sum(1)
    return (right / len(images)).tolist()


class Trainer:
    """Trains ``model`` in ``folder``, where ``checkpoint.safetensors`` and ``log.csv`` grow epoch by epoch.

    Every epoch draws from (seed, epoch), so a run that is stopped and resumed ends with the same weights
    as one that was not (on one machine and thread count).

    preprocess: (B, H, W, C) uint8 images to what the model takes.  Raises InputError where the checkpoint in
    ``folder`` is damaged or of another model or recipe, and where the training set does not fill a batch.
    """

    def __init__(
        self,
        model: MultiExit,
        recipe: Recipe,
        train: Dataset,
        validation: Dataset,
        preprocess: Callable[[np.ndarray], Tensor],
        folder: Path,
    ) -> None:
        self.model, self.recipe, self.folder, self.preprocess = model, recipe, folder, preprocess
        self.train_set, self.validation = train, validation
        self.optimizer = torch.optim.AdamW(parameter_groups(model, recipe.weight_decay), lr=recipe.learning_rate)
        self.epoch = 0
        self.log: Log = []
        if len(train) < recipe.batch_size:
            raise InputError(f"{train.name} has {len(train)} images, fewer than batch_size {recipe.batch_size}")
        folder.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            self._resume()

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    def run(self, progress: Callable[[int, int, int, float], None] = lambda *_: None) -> None:
        """Train to the end.  ``progress(epoch, batch, batches, loss)`` is called after every batch."""
        labels = torch.from_numpy(self.validation.labels)
        images = self.preprocess(self.validation.images)
        while self.epoch < self.recipe.epochs:
            began = time.monotonic()
            loss = self._train_epoch(progress)
            self.epoch += 1
            row = {"epoch": self.epoch, "train_loss": round(loss, 5), "seconds": round(time.monotonic() - began, 1)}
            for index, accuracy in enumerate(accuracy_per_exit(self.model, images, labels)):
                row[f"validation_accuracy_exit_{index}"] = round(accuracy, 5)
            self.log.append(row)
            self._save()

    def _train_epoch(self, progress: Callable[[int, int, int, float], None]) -> float:
        recipe, model = self.recipe, self.model
        rng = np.random.default_rng([recipe.seed, self.epoch])
        torch.manual_seed(recipe.seed * 10_007 + self.epoch)
        steps = len(self.train_set) // recipe.batch_size
        model.train()
        total = 0.0
        for position, rows in enumerate(batches(len(self.train_set), recipe.batch_size, rng)):
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(self.epoch * steps + position, steps, recipe)
            images = augment(self.preprocess(self.train_set.images[rows]), recipe, rng)
            labels = torch.from_numpy(self.train_set.labels[rows])
            loss = joint_loss(model.all_exits(images), labels, recipe.final_exit_weight, recipe.label_smoothing)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_grad)
            self.optimizer.step()
            total += loss.item()
            progress(self.epoch, position + 1, steps, total / (position + 1))
        return total / steps

    def _save(self) -> None:
        slots = self.optimizer.state_dict()["state"]
        write_checkpoint(self.checkpoint, Checkpoint(self.epoch, self.log, self.recipe, self.model.state_dict(), slots))
        write_log(self.folder / "log.csv", self.log)

    def _resume(self) -> None:
        saved = read_checkpoint(self.checkpoint)
        if saved.recipe and saved.recipe != self.recipe:
            changed = [key for key, value in self.recipe if value != getattr(saved.recipe, key)]
            raise InputError(f"{self.checkpoint}: was trained with another recipe (changed: {', '.join(changed)})")
        fit_weights(self.model, saved.weights, self.checkpoint)
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": saved.slots})
        self.epoch, self.log = saved.epoch, saved.log


def write_log(path: Path, log: Log) -> None:
    """The rows of ``log``, one an epoch, as CSV."""
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, log[0].keys())
        writer.writeheader()
        writer.writerows(log)
    partial.replace(path)
