"""What stands where in Fashion scenes: drawn for a whole chunk of scenes at once, before a pixel is touched."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

SceneTask = Literal["class", "count"]

SIDE = 64
"""Of a scene, in pixels."""
CLASS_ITEMS, COUNT_ITEMS = 3, 10
"""Most whole items in a scene of each task; the fewest is 1."""
LARGEST = (38, 54)
"""Longest side of the item that gives a scene its class."""
RATIO = 1.3
"""Longest side of the largest item over that of the next, at least."""
COUNTED, SPREAD = (11.0, 22.0), (0.8, 1.25)
"""Longest sides of counted items: a scene's own, times a factor of each item."""
SMALLEST = {"class": 8, "count": 10}
FRAGMENTS, FRAGMENT, PART = 8, (4, 7), (0.3, 0.5)
"""Most fragments; their longest side; the share of an item's height and width that each shows."""
COVERED = {"class": 0.15, "count": 0.25}
"""Most of an item's box that the boxes of other items may share."""
GAIN = (0.6, 1.0)
"""Brightness of an item."""
TRIES, SHRINK = 24, 0.93
"""Random places that are tried for an item; by how much the items of a scene shrink when one has found none."""
BEHIND, IN_FRONT = -1.0, 2.0
"""Depths of fragments; those of items are within 0..1."""


class Sprites(NamedTuple):
    """Items and fragments of N scenes, at most K each.

    item: (N, K), which of the pool.  window: (N, K, 4), top, left, bottom, right of the part that shows, in the item's
    pixels.  place: (N, K, 4), top, left, height, width in the scene.  gain: (N, K).  depth: (N, K), what is drawn
    first has the least; NaN where there is no sprite.
    """

    item: np.ndarray
    window: np.ndarray
    place: np.ndarray
    gain: np.ndarray
    depth: np.ndarray


class Layout(NamedTuple):
    """sprites: as above, the first of a scene of task ``class`` is its largest item.  counts, clutter: (N,)."""

    sprites: Sprites
    counts: np.ndarray
    clutter: np.ndarray


def draw_layout(task: SceneTask, boxes: np.ndarray, scenes: int, rng: np.random.Generator) -> Layout:
    """The layout of some scenes.

    boxes: (M, 4), top, left, bottom, right of what can be seen of each item in the pool.  clutter is even within 0..1
    and sets how many fragments there are, half of them in front of the items.
    """
    most = CLASS_ITEMS if task == "class" else COUNT_ITEMS
    counts, clutter = rng.integers(1, most + 1, scenes), rng.random(scenes)
    whole = _items(task, boxes, counts, most, rng)
    pieces = _fragments(boxes, np.rint(clutter * FRAGMENTS).astype(int), rng)
    sprites = Sprites(*(np.concatenate(pair, axis=1) for pair in zip(whole, pieces, strict=True)))
    return Layout(sprites, counts, clutter)


def _items(task: SceneTask, boxes: np.ndarray, counts: np.ndarray, most: int, rng: np.random.Generator) -> Sprites:
    shape = (len(counts), most)
    item = rng.integers(len(boxes), size=shape)
    there = np.arange(most) < counts[:, None]
    longest = _class_sizes(shape, rng) if task == "class" else _count_sizes(shape, rng)
    window = boxes[item]
    place = _place(task, window, np.maximum(longest, SMALLEST[task]), there, rng)
    return Sprites(item, window, place, rng.uniform(*GAIN, shape), np.where(there, rng.random(shape), np.nan))


def _class_sizes(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    largest = rng.integers(LARGEST[0], LARGEST[1] + 1, (shape[0], 1))
    return np.hstack([largest, rng.uniform(SMALLEST["class"], largest / RATIO, (shape[0], shape[1] - 1)).astype(int)])


def _count_sizes(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return np.rint(rng.uniform(*COUNTED, (shape[0], 1)) * rng.uniform(*SPREAD, shape)).astype(int)


def _place(
    task: SceneTask, window: np.ndarray, longest: np.ndarray, there: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Places (N, K, 4) that hide no item too much.  Where none are found, all shrink but the largest of ``class``."""
    shrinking = slice(1 if task == "class" else 0, None)
    place = np.zeros((*there.shape, 4), int)
    pending = np.arange(len(there))
    while len(pending):
        sides = scaled(window[pending], longest[pending])
        place[pending], found = _try(sides, there[pending], COVERED[task], rng)
        pending = pending[~found]
        shrunk = np.maximum((longest[pending] * SHRINK).astype(int), SMALLEST[task])
        longest[pending, shrinking] = shrunk[:, shrinking]
    return place


def scaled(window: np.ndarray, longest: np.ndarray) -> np.ndarray:
    """Height and width (..., 2) of windows (..., 4) whose longest side becomes ``longest``."""
    sides = window[..., 2:] - window[..., :2]
    return np.maximum(np.rint(sides * (longest / sides.max(-1))[..., None]).astype(int), 2)


def _try(
    sides: np.ndarray, there: np.ndarray, most_covered: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One attempt to place each item where it fits, in turn; and whether all of a scene's found a place."""
    scenes, most = there.shape
    corners = np.floor(rng.random((scenes, most, TRIES, 2)) * (SIDE + 1 - sides[:, :, None])).astype(int)
    area = sides.prod(-1)
    place = np.concatenate([corners[:, :, 0], sides], axis=-1)
    covered, found, row = np.zeros((scenes, most)), np.ones(scenes, bool), np.arange(scenes)
    for turn in range(1, most):
        shared = _shared(corners[:, turn], sides[:, turn], place[:, :turn]) * there[:, None, :turn]
        fits = shared.sum(-1) <= most_covered * area[:, turn, None]
        fits &= (covered[:, None, :turn] + shared <= most_covered * area[:, None, :turn]).all(-1)
        first = fits.argmax(-1)
        place[:, turn, :2] = corners[row, turn, first]
        covered[:, :turn] += shared[row, first] * there[:, turn, None]
        covered[:, turn] = shared[row, first].sum(-1)
        found &= fits.any(-1) | ~there[:, turn]
    return place, found


def _shared(corners: np.ndarray, sides: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Pixels (N, T, J) that boxes at ``corners`` (N, T, 2) of ``sides`` (N, 2) share with ``others`` (N, J, 4)."""
    low = np.maximum(corners[:, :, None], others[:, None, :, :2])
    high = np.minimum((corners + sides[:, None])[:, :, None], (others[..., :2] + others[..., 2:])[:, None])
    return np.maximum(high - low, 0).prod(-1)


def _fragments(boxes: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> Sprites:
    """Parts of items anywhere; they alternate between behind all items and in front of them."""
    shape = (len(counts), FRAGMENTS)
    item = rng.integers(len(boxes), size=shape)
    box = boxes[item].astype(float)
    sides = (box[..., 2:] - box[..., :2]) * rng.uniform(*PART, (*shape, 2))
    corner = box[..., :2] + rng.random((*shape, 2)) * (box[..., 2:] - box[..., :2] - sides)
    window = np.concatenate([corner, corner + sides], axis=-1)
    drawn = scaled(window, rng.integers(FRAGMENT[0], FRAGMENT[1] + 1, shape))
    place = np.concatenate([np.floor(rng.random((*shape, 2)) * (SIDE + 1 - drawn)).astype(int), drawn], axis=-1)
    number = np.arange(FRAGMENTS)
    depth = np.where(number < counts[:, None], np.where(number % 2, IN_FRONT, BEHIND), np.nan)
    return Sprites(item, window, place, rng.uniform(*GAIN, shape), depth)
