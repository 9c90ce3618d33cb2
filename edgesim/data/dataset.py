"""A labelled set of uint8 images, held in memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np


@dataclass(frozen=True)
class Dataset:
    """images: (N, H, W, C) uint8.  labels: (N,) int64.  classes: a name per label."""

    name: str
    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: slice | np.ndarray) -> Dataset:
        return Dataset(self.name, self.images[rows], self.labels[rows], self.classes)

    @cached_property
    def hash(self) -> str:
        """A digest of images and labels."""
        digest = sha256(str(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels, dtype=np.int64).data)
        return digest.hexdigest()[:16]
