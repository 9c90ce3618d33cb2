"""A training from its file to its checkpoint: what ``edgesim train`` calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from edgesim.data.images import Preprocess
from edgesim.data.load import load_data, pixel_mean_std
from edgesim.models import zoo
from edgesim.models.build import build
from edgesim.models.training import Trainer
from edgesim.models.training_config import TrainingConfig, load_training_config
from edgesim.models.weights import fit_weights

Progress = Callable[[int, int, int, float], None]
"""Called with (epoch from 0, batch from 1, batches, mean loss so far) after every batch."""


def train(config_path: Path, progress: Progress = lambda *_: None) -> Path:
    """Train to the end, from the last whole epoch where there is one.

    Returns the folder with ``checkpoint.safetensors`` and ``log.csv``.  Raises InputError for a wrong config,
    missing or damaged data, or a checkpoint in that folder that is of another model or recipe.
    """
    config = load_training_config(config_path)
    torch.set_num_threads(config.threads)
    output = Path(config.output)
    model = build(config.geometry, config.recipe.seed)
    if config.start_from is not None:
        fit_weights(model.backbone, zoo.load(config.start_from).backbone.state_dict(), config.start_from)
    Trainer(
        model,
        config.recipe,
        load_data(config.data, "train"),
        load_data(config.data, "validation"),
        training_preprocess(config),
        output,
    ).run(progress)
    return output


def training_preprocess(config: TrainingConfig) -> Preprocess:
    """The data's images to what the model takes."""
    mean, std = pixel_mean_std(config.data)
    return Preprocess(mean, std, config.geometry.backbone.input_size)
