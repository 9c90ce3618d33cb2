"""The pixels of Fashion scenes."""

from __future__ import annotations

import numpy as np
from PIL import Image

from edgesim.data.scene_layout import SIDE, Layout

BACKGROUND = 50
"""Brightest background; each scene has one of its own, 0 at least."""
NOISE = 8.0
"""Standard deviation of the noise at clutter 1, in grey levels."""
STEP = 4
"""Grey levels are its multiples: a file of scenes is two thirds as long for it."""
VISIBLE = 16
"""Grey level from which a pixel belongs to an item's box."""
OPAQUE = 48
"""Grey level from which an item hides what is behind it; below, it lets more and more through."""


def item_boxes(items: np.ndarray) -> np.ndarray:
    """(M, 4): top, left, bottom, right of what can be seen of (M, H, W) items."""
    sides = []
    for axis in (2, 1):
        seen = items.max(axis) >= VISIBLE
        sides.append((seen.argmax(1), seen.shape[1] - seen[:, ::-1].argmax(1)))
    (top, bottom), (left, right) = sides
    return np.stack([top, left, bottom, right], axis=1)


def draw_scenes(items: np.ndarray, layout: Layout, rng: np.random.Generator) -> np.ndarray:
    """(N, 64, 64) uint8 scenes of (M, H, W) uint8 items."""
    scenes = len(layout.counts)
    background = rng.integers(0, BACKGROUND + 1, scenes)
    pictures = np.stack([_draw(items, layout, scene, int(background[scene])) for scene in range(scenes)])
    noise = rng.standard_normal(pictures.shape, np.float32) * np.float32(NOISE) * layout.clutter[:, None, None]
    return np.clip(STEP * np.rint((pictures + noise) / STEP), 0, 255 // STEP * STEP).astype(np.uint8)


def _draw(items: np.ndarray, layout: Layout, scene: int, background: int) -> np.ndarray:
    sprites = layout.sprites
    canvas = Image.new("L", (SIDE, SIDE), background)
    depth = sprites.depth[scene]
    order = np.argsort(depth, kind="stable")[: np.count_nonzero(~np.isnan(depth))]
    for index in order.tolist():
        item = items[sprites.item[scene, index]]
        top, left, bottom, right = sprites.window[scene, index].tolist()
        y, x, height, width = sprites.place[scene, index].tolist()
        hides = np.minimum(item.astype(np.uint16) * 255 // OPAQUE, 255).astype(np.uint8)
        shows = (item * sprites.gain[scene, index]).astype(np.uint8)
        grey, mask = (
            Image.fromarray(layer).resize((width, height), Image.Resampling.BILINEAR, (left, top, right, bottom))
            for layer in (shows, hides)
        )
        canvas.paste(grey, (x, y), mask)
    return np.asarray(canvas)
