"""Chunks that follow from each other, in any order."""

from __future__ import annotations

import random

from edgesim.network.chain import KeyedChain


def chain() -> KeyedChain[int, str]:
    """Chunk k names k and the sum of all numbers before it."""
    return KeyedChain(0, lambda state, k: (f"{k}: {state}", state + k))


def test_any_order_gives_the_same_chunks() -> None:
    order = list(range(300))
    random.Random(1).shuffle(order)
    shuffled = chain()
    assert all(shuffled.chunk(k) == f"{k}: {k * (k - 1) // 2}" for k in order)


def test_little_is_kept_and_little_is_walked() -> None:
    walked = []
    counted = KeyedChain(0, lambda state, k: (walked.append(k) or k, state))
    for k in range(640):
        counted.chunk(k)
    assert walked == list(range(640))
    assert len(counted.recent) == 2 and len(counted.states) <= 640 / 64 + 3
    walked.clear()
    counted.chunk(100)
    assert walked == list(range(64, 101))
