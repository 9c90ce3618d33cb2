"""A labelled set of uint8 images, held in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Literal

import numpy as np

Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class Dataset:
    """images: (N, H, W, C) uint8.

    Classification: labels (N,) int64, and classes, a name per label.  Regression: labels (N,) float32 targets, no
    classes.  attributes: what else is known of each image, arrays (N,) by name.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def task(self) -> Task:
        return "regression" if self.labels.dtype.kind == "f" else "classification"

    @property
    def outputs(self) -> int:
        """How many numbers a model answers with: one per class, or the value."""
        return 1 if self.task == "regression" else len(self.classes)

    def take(self, rows: slice | np.ndarray) -> Dataset:
        attributes = {name: values[rows] for name, values in self.attributes.items()}
        return Dataset(self.name, self.images[rows], self.labels[rows], self.classes, attributes)

    @cached_property
    def hash(self) -> str:
        """A digest of images and labels."""
        exact = np.float32 if self.task == "regression" else np.int64
        digest = sha256(str(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels, dtype=exact).data)
        return digest.hexdigest()[:16]
