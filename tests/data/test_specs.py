"""Scenes and image folders, as scenarios and trainings name them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from edgesim.data.load import load_data, pixel_mean_std
from edgesim.data.scenes import MEAN_STD, shipped_scenes
from edgesim.errors import InputError
from edgesim.models.training_config import TrainingConfig, load_training_config
from edgesim.scenario.data import Data

TRAINING = """\
name: tiny
purpose: tests
data: {DATA}
output: out
geometry:
  backbone:
    {type: small_vit, img_size: 28, in_chans: 1, num_classes: 10, width: 8, depth: 2, heads: 2, stem_channels: [4, 4]}
  branches: [{type: mlp, after: [2], hidden: [16]}]
recipe: {epochs: 2, erase: 0}
"""


def training(folder: Path, data: str) -> TrainingConfig:
    (folder / "images").mkdir(exist_ok=True)
    (folder / "tiny.yaml").write_text(TRAINING.replace("DATA", data))
    return load_training_config(folder / "tiny.yaml")


def scenario(data: dict[str, object]) -> Data:
    return TypeAdapter(Data).validate_python(data)


@pytest.mark.parametrize("task", ["class", "count"])
def test_a_scenario_without_a_folder_has_the_shipped_scenes(task) -> None:
    spec = scenario({"source": "scenes", "task": task})
    assert load_data(spec, "test").hash == shipped_scenes(task, "test").hash
    with pytest.raises(InputError, match="validation and test images only"):
        load_data(spec, "train")


def test_a_scenario_may_name_an_image_folder(tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        (tmp_path / split / "a").mkdir(parents=True)
        Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / split / "a" / "0.png")
    spec = scenario({"source": "image-folder", "folder": str(tmp_path), "size": 3, "channels": 1})
    assert load_data(spec, "test").images.shape == (1, 3, 3, 1)
    for wrong in ({"channels": 2}, {"size": 0}):
        with pytest.raises(ValidationError):
            scenario({"source": "image-folder", "folder": str(tmp_path), "size": 3} | wrong)


def test_a_training_names_scenes_or_a_folder(tmp_path: Path) -> None:
    found = training(tmp_path, "source: scenes, task: count, folder: images").data
    assert (found.source, found.task, found.folder) == ("scenes", "count", tmp_path / "images")
    assert pixel_mean_std(found) == tuple((value,) for value in MEAN_STD["count"])
    found = training(tmp_path, "source: image-folder, folder: images, size: 32").data
    assert (found.source, found.size, found.channels) == ("image-folder", 32, 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("source: scene, folder: images", r"tiny.yaml:3:\d+: data.source: found 'scene' \(text\), allowed: .*'scenes'"),
        ("folder: images", r"tiny.yaml:3:\d+: data.source: missing key"),
        ("source: scenes, folder: images", "tiny.yaml:3:.*data.task: missing key"),
        (
            "source: scenes, task: sum, folder: images",
            r"tiny.yaml:3:.*data.task: found 'sum' \(text\), allowed: 'class'",
        ),
        ("source: scenes, task: class, folder: there", "data.folder: found 'there', but there is no such folder"),
        (
            "source: image-folder, folder: images, size: 3, colour: 1",
            "data.colour: unknown key; allowed: source, .*size",
        ),
    ],
)
def test_what_is_wrong_with_the_data_of_a_training_is_said(tmp_path: Path, data: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        training(tmp_path, data)
