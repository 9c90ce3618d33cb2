"""What one exit says about one sample."""

from __future__ import annotations

from typing import NamedTuple


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
