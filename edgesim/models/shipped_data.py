"""The data of a card by name: what ships of it, and all of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from edgesim.data.dataset import Dataset
from edgesim.data.load import load_data
from edgesim.errors import InputError
from edgesim.scenario.data import FashionMnistData, ScenesData, ShippedData

if TYPE_CHECKING:
    from edgesim.models.training_config import TrainingData

DataName = Literal["fashion-mnist", "scenes-class", "scenes-count", "image-folder"]


def data_name(spec: TrainingData) -> DataName:
    """What a card calls the data of a training."""
    return cast(DataName, f"scenes-{spec.task}") if spec.source == "scenes" else spec.source


def shipped_test(name: DataName) -> Dataset | None:
    """The test images that ship with edgesim; None for data of which none do."""
    if name == "image-folder":
        return None
    return load_data(_scenes(name, None) if name.startswith("scenes-") else ShippedData(), "test")


def whole_test(name: DataName, folder: Path) -> Dataset:
    """All test images, from ``folder`` with Fashion-MNIST's idx files.  Raises InputError where it has none."""
    if name == "image-folder":
        raise InputError("only models trained on Fashion-MNIST or on scenes made from it can be evaluated by name")
    if name.startswith("scenes-"):
        return load_data(_scenes(name, folder), "test")
    return load_data(FashionMnistData.model_construct(source="fashion-mnist", folder=folder), "test")


def _scenes(name: str, folder: Path | None) -> ScenesData:
    return ScenesData.model_construct(source="scenes", task=name.removeprefix("scenes-"), folder=folder)
