"""Training a multi-exit model, resumable after every epoch."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from edgesim.data.dataset import Dataset
from edgesim.errors import InputError
from edgesim.models.checkpoint import Checkpoint, Log, read_checkpoint, write_checkpoint
from edgesim.models.losses import criterion
from edgesim.models.multi_exit import MultiExit
from edgesim.models.recipe import Recipe
from edgesim.models.strategies import STRATEGIES, Setting, Stage, centre, check
from edgesim.models.weights import fit_weights

Progress = Callable[[int, int, int, float], None]
"""Called with (epoch from 0, batch from 1, batches, mean loss so far) after every batch."""


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


def batches(rows: np.ndarray, count: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Whole batches of ``count`` row numbers in random order; what does not fill a batch is left out this time.

    No row comes again before all have come.
    """
    order = np.concatenate([rng.permutation(rows) for _ in range(-(-count // len(rows)))])
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


class Trainer:
    """Trains ``model`` in ``folder``, where ``checkpoint.safetensors`` and ``log.csv`` grow epoch by epoch.

    Every epoch draws from (seed, epoch), so a run that is stopped and resumed ends with the same weights
    as one that was not (on one machine and thread count).  Epochs count on through the stages of the strategy.

    preprocess: (B, H, W, C) uint8 images to what the model takes.  Raises InputError where the checkpoint in
    ``folder`` is damaged or of another model or recipe, and where model, recipe and data do not fit together.
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
        check(model, recipe, train)
        self.model, self.recipe, self.folder = model, recipe, folder
        self.setting = Setting(model, recipe, train, validation, preprocess, criterion(recipe, train))
        self.strategy = STRATEGIES[recipe.strategy]
        self.epoch = 0
        self.log: Log = []
        self._slots: dict[int, dict[str, Tensor]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            self._resume()
        elif train.task == "regression":
            centre(model, float(train.labels.mean()), self.strategy.trains_backbone)

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    def run(self, progress: Progress = lambda *_: None) -> None:
        """Train to the end."""
        for index in range(self.epoch // self.recipe.epochs, self.strategy.count(self.model)):
            self._run_stage(index, progress)

    def _run_stage(self, index: int, progress: Progress) -> None:
        recipe, began = self.recipe, time.monotonic()
        stage = self.strategy(self.setting, index)
        optimizer = torch.optim.AdamW(parameter_groups(self.model, recipe.weight_decay))
        optimizer.load_state_dict({**optimizer.state_dict(), "state": self._slots})
        while self.epoch < (index + 1) * recipe.epochs:
            loss = self._train_epoch(stage, optimizer, progress)
            self.epoch += 1
            row = {"epoch": self.epoch, "train_loss": round(loss, 5), "seconds": round(time.monotonic() - began, 1)}
            self.log.append(row | self._scores(stage))
            self._slots = optimizer.state_dict()["state"]
            self._save()
            began = time.monotonic()
        self._slots = {}

    def _train_epoch(self, stage: Stage, optimizer: torch.optim.Optimizer, progress: Progress) -> float:
        recipe, count = self.recipe, len(self.setting.train)
        rng = np.random.default_rng([recipe.seed, self.epoch])
        torch.manual_seed(recipe.seed * 10_007 + self.epoch)
        epoch, steps, total = self.epoch % recipe.epochs, count // recipe.batch_size, 0.0
        for position, rows in enumerate(batches(stage.rows(epoch), count, recipe.batch_size, rng)):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(epoch * steps + position, steps, recipe)
            loss = stage.loss(rows, epoch, rng)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), recipe.clip_grad)
            optimizer.step()
            total += loss.item()
            progress(self.epoch, position + 1, steps, total / (position + 1))
        return total / steps

    def _scores(self, stage: Stage) -> dict[str, float]:
        metric = "error" if self.setting.train.task == "regression" else "accuracy"
        columns = [f"validation_{metric}_exit_{exit}" for exit in range(len(self.model.exits))]
        before = [self.log[-1][column] for column in columns] if self.log else None
        return {column: round(score, 5) for column, score in zip(columns, stage.scores(before), strict=True)}

    def _save(self) -> None:
        weights = self.model.state_dict()
        write_checkpoint(self.checkpoint, Checkpoint(self.epoch, self.log, self.recipe, weights, self._slots))
        write_log(self.folder / "log.csv", self.log)

    def _resume(self) -> None:
        saved = read_checkpoint(self.checkpoint)
        if saved.recipe and saved.recipe != self.recipe:
            changed = [key for key, value in self.recipe if value != getattr(saved.recipe, key)]
            raise InputError(f"{self.checkpoint}: was trained with another recipe (changed: {', '.join(changed)})")
        fit_weights(self.model, saved.weights, self.checkpoint)
        self.epoch, self.log = saved.epoch, saved.log
        if self.epoch % self.recipe.epochs:  # else the next stage begins, with an optimiser of its own
            self._slots = saved.slots


def write_log(path: Path, log: Log) -> None:
    """The rows of ``log``, one an epoch, as CSV."""
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, log[0].keys())
        writer.writeheader()
        writer.writerows(log)
    partial.replace(path)
