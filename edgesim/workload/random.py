"""Random draws keyed by name, never by the order of events.

Every draw belongs to (root seed, purpose, entity, ...).  Adding a device moves nobody else's draws, and
no policy can move arrivals, images or links.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

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
    """The draws of one entity: number i depends on the key and on i alone, whoever asks and in what order.

    draw: (generator, count) -> array of ``count`` draws.  They are made chunk by chunk; two chunks are kept,
    so asking in nearly rising order is cheap and any other order still right.
    """

    __slots__ = ("_base", "_chunk", "_draw", "_key", "_last", "_stop", "_values")

    def __init__(
        self, draw: Callable[[np.random.Generator, int], np.ndarray], root: int, purpose: str, *key: str | int
    ) -> None:
        self._draw = draw
        self._key = (root, purpose, key)
        self._chunk = -1
        self._base = self._stop = 0
        self._values: list = []
        self._last: tuple[int, int, list] = (0, 0, [])

    def at(self, number: int) -> Any:
        """Draw number ``number`` (from 0)."""
        if self._base <= number < self._stop:
            return self._values[number - self._base]
        base, stop, values = self._last
        if base <= number < stop:
            return values[number - base]
        self._make(number)
        return self._values[number - self._base]

    def _make(self, number: int) -> None:
        self._last = (self._base, self._stop, self._values)
        if number < self._base:
            self._chunk, self._stop = -1, 0
        while number >= self._stop:
            self._chunk += 1
            self._base, self._stop = self._stop, self._stop + chunk_size(self._chunk)
        root, purpose, key = self._key
        rng = generator(root, purpose, *key, self._chunk)
        self._values = self._draw(rng, self._stop - self._base).tolist()
