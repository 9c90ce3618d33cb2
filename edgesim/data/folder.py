"""Any folder of images: a folder per class, with PNG or JPEG files in it.

Where the folder holds ``train``, ``validation`` and ``test``, each of them has the folders of the classes.  Otherwise
a digest of class and file name says where an image belongs (about 80, 10 and 10 of 100), so that new images move no
old one.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import numpy as np

from edgesim.data.dataset import Dataset

SUFFIXES = (".png", ".jpg", ".jpeg")
SPLITS = ("train", "validation", "test")
TENTHS = ("validation", "test", *["train"] * 8)


def read_folder(folder: Path, split: str, size: int, channels: int) -> Dataset:
    """The ``train``, ``validation`` or ``test`` images below ``folder``, in the order of class and file name.

    size: side in pixels; every image is resized to a square, and nothing is cropped.  channels: 1 for grey, 3 for RGB.
    Classes are the names of folders, sorted.  Raises OSError or ValueError naming the file or class that is wrong.
    """
    own = [folder / name for name in SPLITS]
    separate = any(part.is_dir() for part in own)
    for part in own if separate else [folder]:
        if not part.is_dir():
            raise FileNotFoundError(f"there is no folder {part}; allowed: all of {', '.join(SPLITS)}, or none of them")
    roots = own if separate else [folder]
    classes = sorted({path.name for root in roots for path in _visible(root) if path.is_dir()})
    if not classes:
        raise ValueError(f"{roots[0]} has no folders of classes")
    root = folder / split if separate else folder
    files = [(path, label) for label, name in enumerate(classes) for path in _images(root / name)]
    if not separate:
        files = [(path, label) for path, label in files if split_of(path) == split]
    if not files:
        raise ValueError(f"{folder} has no {split} images")
    images = np.stack([_read(path, size, channels) for path, _ in files])
    labels = np.array([label for _, label in files], np.int64)
    return Dataset(f"{folder.name}/{split}", images, labels, tuple(classes))


def split_of(path: Path) -> str:
    """Where an image belongs in a folder that has no splits of its own, by the names of its class and its file."""
    digest = blake2b(f"{path.parent.name}/{path.name}".encode(), digest_size=8).digest()
    return TENTHS[int.from_bytes(digest, "little") % len(TENTHS)]


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _images(folder: Path) -> list[Path]:
    found = _visible(folder) if folder.is_dir() else []
    images = sorted(path for path in found if path.suffix.lower() in SUFFIXES)
    if not images:
        raise ValueError(f"class {folder.name!r} has no PNG or JPEG image in {folder}")
    return images


def _read(path: Path, size: int, channels: int) -> np.ndarray:
    """(size, size, channels) uint8, upright as the camera says."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path, formats=("PNG", "JPEG")) as file:
            picture = ImageOps.exif_transpose(file).convert("L" if channels == 1 else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from error
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR)).reshape(size, size, channels)
