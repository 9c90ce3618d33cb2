"""Fashion-MNIST (Xiao et al. 2017, MIT licence) from its idx files, and the part of it that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgesim.data.dataset import Dataset
from edgesim.data.idx import read_idx

CLASSES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
MEAN, STD = 0.2860, 0.3530
"""Mean and standard deviation of the training pixels, scaled to 0..1."""
VALIDATION = 5_000
SPLIT_SEED = 0
SHIPPED = Path(__file__).with_name("fashion_mnist")


def _find(folder: Path, stem: str) -> Path:
    for suffix in ("", ".gz"):
        if (path := folder / (stem + suffix)).is_file():
            return path
    raise FileNotFoundError(f"{folder} has neither {stem} nor {stem}.gz")


def _read(folder: Path, prefix: str, name: str) -> Dataset:
    images = read_idx(_find(folder, f"{prefix}-images-idx3-ubyte"))
    labels = read_idx(_find(folder, f"{prefix}-labels-idx1-ubyte"))
    if len(images) != len(labels):
        raise ValueError(f"{folder} holds {len(images)} {prefix} images but {len(labels)} labels")
    if labels.max(initial=0) >= len(CLASSES):
        raise ValueError(f"{folder} has {prefix} labels up to {labels.max()}, there are {len(CLASSES)} classes")
    return Dataset(name, images[..., None], labels.astype(np.int64), CLASSES)


def read_split(folder: Path, split: str) -> Dataset:
    """``train`` (55,000), ``validation`` (5,000) or ``test`` (10,000) from the four idx files in ``folder``.

    The validation images are drawn once, with a fixed seed, from the 60,000 training images.
    """
    if split == "test":
        return _read(folder, "t10k", "fashion-mnist/test")
    whole = _read(folder, "train", f"fashion-mnist/{split}")
    order = np.random.default_rng(SPLIT_SEED).permutation(len(whole))
    return whole.take(np.sort(order[:VALIDATION] if split == "validation" else order[VALIDATION:]))


def shipped_split(split: str) -> Dataset:
    """The first 2,000 ``validation`` or ``test`` images, which ship inside the package."""
    with np.load(SHIPPED / f"{split}.npz") as arrays:
        return Dataset(f"fashion-mnist/{split}", arrays["images"], arrays["labels"].astype(np.int64), CLASSES)
