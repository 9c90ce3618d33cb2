"""Random draws keyed by name, never by the order of events.

Every draw belongs to (root seed, purpose, entity, ...).  Adding a device moves nobody else's draws, and
no policy can move arrivals, images or links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import chain, count
from typing import Any

import numpy as np

FIRST_CHUNK, LAST_CHUNK = 16, 512


def generator(root: int, purpose: str, *key: str | int) -> np.random.Generator:
    """A generator of its own for each (root, purpose, key)."""
    text = "\x1f".join([str(root), purpose, *map(str, key)])
    digest = blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def chunk_size(chunk: int) -> int:
    """Draws in a chunk: 16, 32, ... 512, then 512 for ever, so that short-lived entities stay cheap."""
    return min(FIRST_CHUNK << min(chunk, 16), LAST_CHUNK)


Draw = Callable[[np.random.Generator, int], np.ndarray]
"""(generator, count) -> array of ``count`` draws."""


def draws(draw: Draw, root: int, purpose: str, *key: str | int) -> Iterator[Any]:
    """The draws of one entity without end, made chunk by chunk: number i depends on the key and on i alone."""
    rng = generator(root, purpose, *key)
    return chain.from_iterable(draw(rng, chunk_size(chunk)).tolist() for chunk in count())
