"""Fashion scenes: 64 px grey images composed from Fashion-MNIST's items, made once and then read from the cache.

``class``: name the largest item, whose longest side is at least 1.3 times the next one's.  ``count``: how many items
there are, 1 to 10.  Items stand at random sizes and places and hide each other in part; clutter, from 0 to 1, is
fragments of items and noise.  Train, validation and test scenes have no item in common, as they are made from the
split of Fashion-MNIST of the same name.
"""

from __future__ import annotations

import os
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from edgesim.data.dataset import Dataset
from edgesim.data.fashion_mnist import CLASSES, read_split
from edgesim.data.scene_layout import SceneTask
from edgesim.outcomes.cache import cache_folder
from edgesim.workload.random import generator

SIZES = {"train": 40_000, "validation": 2_000, "test": 4_000}
"""Scenes by split."""
CHUNK = 1_000
"""Scenes that are drawn together, from a generator of their own: more scenes leave the first as they are."""
SEED = 0
SHIPPED = Path(__file__).with_name("fashion_scenes")
MEAN_STD = {"class": (0.2128, 0.2144), "count": (0.1669, 0.1755)}
"""By which pixels, scaled to 0..1, are normalised: about the mean and spread of each task's training pixels."""
MEAN_COUNT = 5.512925
"""Mean of the training scenes' counts."""


def read_scenes(folder: Path, task: SceneTask, split: str) -> Dataset:
    """The ``train``, ``validation`` or ``test`` scenes of a task; made where the cache does not have them.

    folder: with Fashion-MNIST's idx files.  attributes of the data: ``count`` of whole items and ``clutter``.
    Raises OSError or ValueError where a file is missing or damaged, or the cache cannot be written.
    """
    items = read_split(folder, split)
    file = cache_folder() / "scenes" / f"{task}-{split}-{_key(items)}.npz"
    try:
        return _load(file, task, split)
    except (OSError, ValueError, KeyError, BadZipFile):
        _save(file, make_scenes(items, task, split, SIZES[split]), compressed=False)
    return _load(file, task, split)


def make_scenes(items: Dataset, task: SceneTask, split: str, count: int) -> Dataset:
    """The first ``count`` scenes of a split, composed from its ``items``."""
    chunks = [_chunk(items, task, split, number) for number in range(-(-count // CHUNK))]
    images, labels, counts, clutter = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    return _dataset(task, split, images, labels, counts, clutter).take(slice(count))


def shipped_scenes(task: SceneTask, split: str) -> Dataset:
    """The first 1,000 ``validation`` or ``test`` scenes, which ship inside the package."""
    return _load(shipped_file(task, split), task, split)


def shipped_file(task: SceneTask, split: str) -> Path:
    return SHIPPED / f"{task}-{split}.npz"


def write_shipped_scenes(source: Path, target: Path = SHIPPED, count: int = CHUNK) -> None:
    """Write what ships, from the folder with Fashion-MNIST's idx files."""
    for split in ("validation", "test"):
        items = read_split(source, split)
        for task in ("class", "count"):
            _save(target / f"{task}-{split}.npz", make_scenes(items, task, split, count), compressed=True)


def _chunk(items: Dataset, task: SceneTask, split: str, number: int) -> tuple[np.ndarray, ...]:
    from edgesim.data.scene_drawing import draw_scenes, item_boxes
    from edgesim.data.scene_layout import draw_layout

    rng = generator(SEED, "fashion scenes", task, split, number)
    pixels = items.images[..., 0]
    layout = draw_layout(task, item_boxes(pixels), CHUNK, rng)
    images = draw_scenes(pixels, layout, rng)
    labels = items.labels[layout.sprites.item[:, 0]] if task == "class" else layout.counts
    return images, labels.astype(np.uint8), layout.counts.astype(np.uint8), layout.clutter.astype(np.float32)


def _dataset(
    task: SceneTask, split: str, images: np.ndarray, labels: np.ndarray, count: np.ndarray, clutter: np.ndarray
) -> Dataset:
    counting = task == "count"
    return Dataset(
        f"scenes-{task}/{split}",
        images[..., None],
        labels.astype(np.float32 if counting else np.int64),
        () if counting else CLASSES,
        {"count": count, "clutter": clutter},
        MEAN_COUNT if counting else None,
    )


def _load(file: Path, task: SceneTask, split: str) -> Dataset:
    with np.load(file) as arrays:
        return _dataset(task, split, *(arrays[name] for name in ("images", "labels", "count", "clutter")))


def _save(file: Path, scenes: Dataset, compressed: bool) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.stem}.{os.getpid()}.partial.npz")
    arrays: dict[str, Any] = {"images": scenes.images[..., 0], "labels": scenes.labels.astype(np.uint8)}
    write = np.savez_compressed if compressed else np.savez
    write(partial, **(arrays | dict(scenes.attributes)))
    partial.replace(file)


def _key(items: Dataset) -> str:
    """A digest of everything that the scenes depend on, besides task and split."""
    digest = sha256(f"{items.hash} {SIZES} {SEED} numpy {version('numpy')} pillow {version('pillow')}".encode())
    for module in ("scene_layout.py", "scene_drawing.py"):
        digest.update(Path(__file__).with_name(module).read_bytes())
    return digest.hexdigest()[:16]
