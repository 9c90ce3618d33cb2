"""Draws depend on their key and their number, on nothing else (rule 21)."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from edgesim.workload.random import draws, generator


def uniform(*key: str | int, root: int = 1, purpose: str = "test"):
    return draws(lambda rng, size: rng.random(size), root, purpose, *key)


def test_a_key_gives_the_same_draws_again_however_far_apart_they_are_asked_for() -> None:
    one, other = uniform("a"), uniform("a")
    interleaved = [next(source) for _ in range(3000) for source in (one, other)]
    assert interleaved[::2] == interleaved[1::2] == list(islice(uniform("a"), 3000))


def test_draws_are_those_of_the_keys_generator() -> None:
    """However many of them are made at a time."""
    drawn = list(islice(uniform("a"), 2000))
    assert drawn == generator(1, "test", "a").random(2000).tolist()


@pytest.mark.parametrize(
    "other", [uniform("b"), uniform("a", root=2), uniform("a", purpose="other"), uniform("a", 0), uniform("a", "b")]
)
def test_another_key_gives_other_draws(other) -> None:
    assert not set(islice(uniform("a"), 1000)) & set(islice(other, 1000))


def test_keys_are_not_run_together() -> None:
    assert next(uniform("ab", "c")) != next(uniform("a", "bc"))
    assert next(uniform(11, 1)) != next(uniform(1, 11))


def test_keys_are_independent() -> None:
    """Mean and correlation of many neighbouring keys, each within 3.3 standard errors."""
    first = np.array([list(islice(uniform("cam", number), 40)) for number in range(500)])
    assert abs(first.mean() - 0.5) < 3.3 * np.sqrt(1 / 12 / first.size)
    neighbours = np.corrcoef(first[:-1].ravel(), first[1:].ravel())[0, 1]
    following = np.corrcoef(first[:, :-1].ravel(), first[:, 1:].ravel())[0, 1]
    for correlation in (neighbours, following):
        assert abs(correlation) < 3.3 / np.sqrt(first.size)
