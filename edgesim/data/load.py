"""The data that a scenario names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from zipfile import BadZipFile

from edgesim.data.dataset import Dataset
from edgesim.data.fashion_mnist import SHIPPED, read_split, shipped_split
from edgesim.errors import InputError

if TYPE_CHECKING:
    from edgesim.models.training_config import TrainingData
    from edgesim.scenario.data import Data

Split = Literal["train", "validation", "test"]


def load_data(spec: Data | TrainingData, split: Split) -> Dataset:
    """The ``validation`` or ``test`` images (or, from a folder of idx files, ``train``) that ``spec`` names.

    Raises InputError where there are none, or where a file is missing or corrupt.
    """
    if spec.source == "none":
        raise InputError("data: source is none, which is for synthetic and imported models only")
    if spec.source == "shipped":
        return _shipped(split)
    try:
        return read_split(spec.folder, split)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"data.folder: {error}") from error


def _shipped(split: Split) -> Dataset:
    if split == "train":
        raise InputError("data: the package ships validation and test images only; name a folder with the idx files")
    try:
        return shipped_split(split)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"{SHIPPED / split}.npz is missing or corrupt ({error}); install the package again") from error
