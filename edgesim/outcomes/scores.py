"""What one exit says about one sample: scores that follow from its probabilities, or the value of a regression."""

from __future__ import annotations

from math import nan
from typing import NamedTuple

import numpy as np

from edgesim.data.dataset import Task

CORRECT_WITHIN = 0.5
"""A regression is right up to this error: a count that is, rounds to the target."""


class Scores(NamedTuple):
    """One exit's answer for one sample.

    prediction: the class, or the value for regression.  confidence: the largest softmax probability.
    entropy: of the softmax, in nats.  margin: the largest less the second largest probability.
    correct: whether the prediction is the label, or within 0.5 of the target.  Regression has no scores: the three are
    NaN there.  error: |prediction - target|, NaN in classification.
    """

    prediction: float
    confidence: float
    entropy: float
    margin: float
    correct: bool
    error: float = nan


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


def read_out(outputs: np.ndarray, task: Task) -> ScoreArrays:
    """The scores of an exit's outputs: (..., classes) logits, or (..., 1) values of a regression."""
    if task == "classification":
        return score(softmax(outputs))
    unknown = np.full(outputs.shape[:-1], np.nan, np.float32)
    return ScoreArrays(outputs[..., 0].astype(np.float64), unknown, unknown, unknown)


def judge(prediction: np.ndarray, labels: np.ndarray, task: Task) -> tuple[np.ndarray, np.ndarray | None]:
    """Whether predictions (..., samples) are right, and their absolute errors, which only regression has."""
    if task == "classification":
        return prediction == labels, None
    error = np.abs(prediction - labels.astype(np.float64))
    return error <= CORRECT_WITHIN, error


def empty_scores(task: Task, *shape: int) -> ScoreArrays:
    """Room for scores."""
    kind = np.int32 if task == "classification" else np.float64
    return ScoreArrays(np.empty(shape, kind), *(np.empty(shape, np.float32) for _ in range(3)))
