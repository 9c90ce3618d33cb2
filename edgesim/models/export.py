"""From a training run to a folder of the zoo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import torch
from safetensors.torch import save

from edgesim.data.fashion_mnist import CLASSES, MEAN, STD
from edgesim.data.load import load_data
from edgesim.models.card import card_text
from edgesim.models.card_plots import draw_accuracy, draw_training
from edgesim.models.checkpoint import read_checkpoint
from edgesim.models.build import build
from edgesim.models.evaluation import macs_per_exit, wilson
from edgesim.models.training import accuracy_per_exit, write_log
from edgesim.models.training_config import load_training_config
from edgesim.models.training_run import training_preprocess
from edgesim.models.weights import fit_weights, weights_hash
from edgesim.models.zoo import CARD, WEIGHTS, ZOO, ModelCard


def export_zoo(trained: Path, config_path: Path, zoo: Path = ZOO) -> Path:
    """Make ``zoo/NAME`` from the folder ``trained`` of a training and from its config, which names it.

    Writes weights, both cards, the config, the log and the plots (PNG and SVG); ``model.json`` comes last, so
    that the model is there only once it is whole.  The test images are read here and nowhere else in training.
    Raises InputError for a wrong config, a damaged checkpoint or one of another model, or missing data.
    """
    config = load_training_config(config_path)
    saved = read_checkpoint(trained / "checkpoint.safetensors")
    model = build(config.geometry)
    fit_weights(model, saved.weights, trained / "checkpoint.safetensors")
    test = load_data(config.data, "test")
    images = training_preprocess(config.geometry)(test.images)
    shares = accuracy_per_exit(model, images, torch.from_numpy(test.labels))
    accuracies = [wilson(round(share * len(test)), len(test)) for share in shares]

    folder = zoo / config.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)
    _write(folder / WEIGHTS, lambda path: path.write_bytes(save(model.state_dict())))
    card = ModelCard(
        name=config.name,
        geometry=config.geometry,
        num_blocks=model.num_blocks,
        exits=model.exits,
        cuts=tuple(model.backbone.cut_spec(cut) for cut in range(model.num_blocks + 1)),
        classes=CLASSES,
        input_size=model.backbone.input_size,
        mean=(MEAN,),
        std=(STD,),
        data="Fashion-MNIST",
        parameters=sum(value.numel() for value in model.parameters()),
        macs=macs_per_exit(model),
        accuracy=tuple(round(accuracy.share, 4) for accuracy in accuracies),
        weights_hash=weights_hash(folder / WEIGHTS),
    )
    write_log(folder / "log.csv", saved.log)
    if config_path.resolve() != (folder / "training.yaml").resolve():
        copyfile(config_path, folder / "training.yaml")
    draw_accuracy(folder, f"{config.name}, {len(test):,} test images", card.macs, accuracies)
    draw_training(folder, config.name, saved.log)
    _write(folder / "card.md", lambda path: path.write_text(card_text(card, config, saved.log, accuracies, len(test))))
    _write(folder / CARD, lambda path: path.write_text(card.model_dump_json(indent=2) + "\n"))
    return folder


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary sibling, which then takes the place of ``path``."""
    partial = path.with_suffix(".partial")
    write(partial)
    partial.replace(path)
