from __future__ import annotations

import numpy as np

from edgesim.data.dataset import Dataset

IMAGES = np.zeros((3, 2, 2, 1), np.uint8)


def test_float_labels_are_targets_and_part_of_the_digest_in_full() -> None:
    targets = Dataset("values", IMAGES, np.array([0.25, 0.5, 1.0], np.float32), (), {"clutter": np.arange(3)})
    assert targets.task == "regression" and targets.outputs == 1
    other = Dataset("values", IMAGES, np.array([0.25, 0.75, 1.0], np.float32), ())
    assert targets.hash != other.hash
    part = targets.take(np.array([2, 0]))
    assert part.labels.tolist() == [1.0, 0.25] and part.attributes["clutter"].tolist() == [2, 0]


def test_whole_labels_are_classes() -> None:
    named = Dataset("coins", IMAGES, np.array([0, 1, 1]), ("heads", "tails"))
    assert named.task == "classification" and named.outputs == 2 and named.attributes == {}
