"""The data that a scenario or a training names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from zipfile import BadZipFile

import numpy as np

from edgesim.data import fashion_mnist, scenes
from edgesim.data.dataset import Dataset
from edgesim.data.folder import read_folder
from edgesim.errors import InputError

if TYPE_CHECKING:
    from edgesim.models.training_config import TrainingData
    from edgesim.scenario.data import Data

Split = Literal["train", "validation", "test"]


def load_data(spec: Data | TrainingData, split: Split) -> Dataset:
    """The ``validation`` or ``test`` images (or, from a folder, ``train``) that ``spec`` names.

    Raises InputError where there are none, or where a file is missing or corrupt.
    """
    if spec.source == "none":
        raise InputError("data: source is none, which is for synthetic and imported models only")
    if spec.source == "shipped":
        return _shipped(None, split)
    if spec.source == "scenes" and spec.folder is None:
        return _shipped(spec.task, split)
    try:
        if spec.source == "image-folder":
            return read_folder(spec.folder, split, spec.size, spec.channels)
        if spec.source == "scenes":
            assert spec.folder is not None
            return scenes.read_scenes(spec.folder, spec.task, split)
        return fashion_mnist.read_split(spec.folder, split)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"data.folder: {error}") from error


def _shipped(task: scenes.SceneTask | None, split: Split) -> Dataset:
    """Fashion-MNIST's images, or the scenes of a task."""
    if split == "train":
        raise InputError("data: the package ships validation and test images only; name a folder with the idx files")
    file = scenes.shipped_file(task, split) if task else fashion_mnist.SHIPPED / f"{split}.npz"
    try:
        return scenes.shipped_scenes(task, split) if task else fashion_mnist.shipped_split(split)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"{file} is missing or corrupt ({error}); install the package again") from error


def pixel_mean_std(spec: TrainingData) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation by channel of the training pixels, scaled to 0..1, to four digits.

    They are known for Fashion-MNIST and its scenes, and computed for a folder of images; InputError as above.
    """
    if spec.source == "fashion-mnist":
        return (fashion_mnist.MEAN,), (fashion_mnist.STD,)
    if spec.source == "scenes":
        mean, std = scenes.MEAN_STD[spec.task]
        return (mean,), (std,)
    return mean_std(load_data(spec, "train").images)


def mean_std(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation by channel of (N, H, W, C) uint8 images, scaled to 0..1, to four digits."""
    levels = np.arange(256) / 255
    shares = [
        np.bincount(images[..., channel].ravel(), minlength=256) / images[..., channel].size
        for channel in range(images.shape[-1])
    ]
    means = [float(share @ levels) for share in shares]
    stds = [float(np.sqrt(share @ (levels - mean) ** 2)) for share, mean in zip(shares, means, strict=True)]
    return tuple(round(mean, 4) for mean in means), tuple(round(std, 4) for std in stds)
