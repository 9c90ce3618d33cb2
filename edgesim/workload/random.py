"""Random draws keyed by name, never by the order of events.

Every draw belongs to (root seed, purpose, entity, ...).  Adding a device moves nobody else's draws, and
no policy can move arrivals, images or links.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import numpy as np

FIRST_CHUNK, LAST_CHUNK = 16, 4096


def generator(root: int, purpose: str, *key: str | int) -> np.random.Generator:
    """A generator of its own for each (root, purpose, key)."""
    text = "\x1f".join([str(root), purpose, *map(str, key)])
    digest = blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def chunk_size(chunk: int) -> int:
    """Draws in a chunk: 16, 32, ... 4096, then 4096 for ever, so that short-lived entities stay cheap."""
    return min(FIRST_CHUNK << min(chunk, 16), LAST_CHUNK)


class Draws:
    """An endless sequence of draws of one entity, made chunk by chunk; asked for in order.

    draw: (generator, count) -> array of ``count`` draws.  Draw number i depends on the key and i alone.
    """

    __slots__ = ("_chunk", "_draw", "_key", "_ready")

    def __init__(
        self, draw: Callable[[np.random.Generator, int], np.ndarray], root: int, purpose: str, *key: str | int
    ):
        self._draw = draw
        self._key = (root, purpose, *key)
        self._chunk = 0
        self._ready: list = []

    def next(self):
        if not self._ready:
            root, purpose, *key = self._key
            size = chunk_size(self._chunk)
            values = self._draw(generator(root, purpose, *key, self._chunk), size)  # type: ignore[arg-type]
            self._ready = values[::-1].tolist()
            self._chunk += 1
        return self._ready.pop()
