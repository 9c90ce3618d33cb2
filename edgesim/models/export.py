"""From a training run to a folder of the zoo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import numpy as np
from safetensors.torch import save
from torch import Tensor

from edgesim.data.dataset import Dataset
from edgesim.data.load import load_data, pixel_mean_std
from edgesim.models.build import build
from edgesim.models.calibration import calibrate
from edgesim.models.card import card_text
from edgesim.models.card_plots import draw_attributes, draw_calibration, draw_scores, draw_training
from edgesim.models.checkpoint import read_checkpoint
from edgesim.models.evaluation import macs_per_exit, outputs, scores
from edgesim.models.multi_exit import MultiExit
from edgesim.models.shipped_data import data_name, shipped_test
from edgesim.models.training import write_log
from edgesim.models.training_config import TrainingConfig, load_training_config
from edgesim.models.training_run import training_preprocess
from edgesim.models.weights import fit_weights, weights_hash
from edgesim.models.zoo import CARD, WEIGHTS, ZOO, Calibration, ModelCard


def export_zoo(trained: Path, config_path: Path, zoo: Path = ZOO) -> Path:
    """Make ``zoo/NAME`` from the folder ``trained`` of a training and from its config, which names it.

    Writes weights (fp16), both cards, the config, the log and the plots (PNG and SVG); ``model.json`` comes last, so
    that the model is there only once it is whole.  The test images are read here and nowhere else in training.
    Raises InputError for a wrong config, a damaged checkpoint or one of another model, or missing data.
    """
    config = load_training_config(config_path)
    saved = read_checkpoint(trained / "checkpoint.safetensors")
    model = build(config.geometry)
    stored = {name: _as_stored(model, name, value) for name, value in saved.weights.items()}
    fit_weights(model, stored, trained / "checkpoint.safetensors")
    preprocess = training_preprocess(config)
    test, validation = load_data(config.data, "test"), load_data(config.data, "validation")
    answers = outputs(model, test.images, preprocess)
    held_out = outputs(model, validation.images, preprocess)

    folder = zoo / config.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)
    _write(folder / WEIGHTS, lambda path: path.write_bytes(save(stored)))
    card = _card(model, config, test, answers, _calibrations(held_out, validation, answers, test), folder)
    found = scores(answers, test)
    write_log(folder / "log.csv", saved.log)
    if config_path.resolve() != (folder / "training.yaml").resolve():
        copyfile(config_path, folder / "training.yaml")
    draw_scores(folder, f"{config.name}, {len(test):,} test images", card, found)
    draw_training(folder, config.name, saved.log)
    if card.calibration:
        draw_calibration(folder, config.name, card, answers, test)
    if test.attributes:
        draw_attributes(folder, config.name, card, answers, test)
    text = card_text(card, config, saved.log, found, bool(test.attributes))
    _write(folder / "card.md", lambda path: path.write_text(text))
    _write(folder / CARD, lambda path: path.write_text(card.model_dump_json(indent=2) + "\n"))
    return folder


def _as_stored(model: MultiExit, name: str, value: Tensor) -> Tensor:
    """Parameters in half precision; statistics of batch norms, which span many magnitudes, as they are."""
    return value.half() if name in dict(model.named_parameters()) else value


def _card(
    model: MultiExit,
    config: TrainingConfig,
    test: Dataset,
    answers: np.ndarray,
    calibration: tuple[Calibration, ...],
    folder: Path,
) -> ModelCard:
    name, preprocess = data_name(config.data), training_preprocess(config)
    shipped = shipped_test(name)
    mean, std = pixel_mean_std(config.data)
    return ModelCard(
        name=config.name,
        geometry=config.geometry,
        num_blocks=model.num_blocks,
        exits=model.exits,
        cuts=tuple(model.backbone.cut_spec(cut) for cut in range(model.num_blocks + 1)),
        task=test.task,
        classes=test.classes,
        input_size=model.backbone.input_size,
        mean=mean,
        std=std,
        data=name,
        test_images=len(test),
        parameters=sum(value.numel() for value in model.parameters()),
        macs=macs_per_exit(model),
        scores=_values(answers, test),
        shipped_scores=_values(outputs(model, shipped.images, preprocess), shipped) if shipped else (),
        calibration=calibration,
        weights_hash=weights_hash(folder / WEIGHTS),
    )


def _values(answers: np.ndarray, data: Dataset) -> tuple[float, ...]:
    return tuple(round(score.value, 5) for score in scores(answers, data))


def _calibrations(
    held_out: np.ndarray, validation: Dataset, answers: np.ndarray, test: Dataset
) -> tuple[Calibration, ...]:
    if test.task == "regression":
        return ()
    return tuple(
        Calibration(**{key: round(value, 5) for key, value in calibrate(*pair)._asdict().items()})
        for pair in zip(
            held_out, [validation.labels] * len(held_out), answers, [test.labels] * len(answers), strict=True
        )
    )


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary sibling, which then takes the place of ``path``."""
    partial = path.with_suffix(".partial")
    write(partial)
    partial.replace(path)
