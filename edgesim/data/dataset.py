"""A labelled set of uint8 images, held in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Literal

import numpy as np

Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class Dataset:
    """images: (N, H, W, C) uint8.

    Classification: labels (N,) int64, and classes, a name per label.  Regression: labels (N,) float32 targets, no
    classes.  attributes: what else is known of each image, arrays (N,) by name.  mean_target: the mean of the training
    targets, the best answer without looking at an image; None in classification, or where it is not known.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    mean_target: float | None = None

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
        return replace(self, images=self.images[rows], labels=self.labels[rows], attributes=attributes)

    @property
    def missed_error(self) -> np.ndarray | None:
        """(N,) float64, by how much ``mean_target`` is off: the absolute error of an image without an answer."""
        return None if self.mean_target is None else np.abs(self.labels.astype(np.float64) - self.mean_target)

    @cached_property
    def hash(self) -> str:
        """A digest of images and labels."""
        exact = np.float32 if self.task == "regression" else np.int64
        digest = sha256(str(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels, dtype=exact).data)
        return digest.hexdigest()[:16]
