"""What one exit says about one sample, and the scores that follow from its probabilities."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Scores(NamedTuple):
    """One exit's answer for one sample.

    prediction: the class, or the value for regression.  confidence: the largest softmax probability.
    entropy: of the softmax, in nats.  margin: the largest less the second largest probability.
    correct: whether the prediction is the label.  Regression has no scores: the three are NaN there.
    """

    prediction: float
    confidence: float
    entropy: float
    margin: float
    correct: bool


class ScoreArrays(NamedTuple):
    """The same for many, each of the shape of the probabilities less their last axis."""

    prediction: np.ndarray
    confidence: np.ndarray
    entropy: np.ndarray
    margin: np.ndarray


def softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis, in float64."""
    powers = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def score(probabilities: np.ndarray) -> ScoreArrays:
    """The scores of (..., classes) probabilities; of equal classes the first is predicted."""
    second, first = np.moveaxis(np.partition(probabilities, -2, axis=-1)[..., -2:], -1, 0)
    terms = probabilities * np.log(probabilities, where=probabilities > 0, out=np.zeros_like(probabilities))
    return ScoreArrays(
        probabilities.argmax(-1).astype(np.int32),
        first.astype(np.float32),
        np.maximum(0.0, -terms.sum(-1)).astype(np.float32),
        (first - second).astype(np.float32),
    )


def empty_scores(*shape: int) -> ScoreArrays:
    """Room for the scores of a classifier."""
    return ScoreArrays(np.empty(shape, np.int32), *(np.empty(shape, np.float32) for _ in range(3)))
