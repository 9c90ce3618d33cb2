"""Makes the images that ship inside the package, from the four idx files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgesim.data.fashion_mnist import SHIPPED, read_split

COUNT = 2_000


def write_shipped(source: Path, target: Path = SHIPPED, count: int = COUNT) -> None:
    """Write ``validation.npz`` and ``test.npz``: the first ``count`` images and labels of each split, as uint8.

    source: the folder with Fashion-MNIST's idx files.  The same source gives the same bytes.
    """
    target.mkdir(parents=True, exist_ok=True)
    for split in ("validation", "test"):
        part = read_split(source, split).take(slice(count))
        whole = target / f"{split}.npz"
        partial = target / f".{split}.partial.npz"
        np.savez_compressed(partial, images=part.images, labels=part.labels.astype(np.uint8))
        partial.replace(whole)
