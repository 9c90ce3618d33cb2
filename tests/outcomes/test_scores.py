"""Scores against hand-made cases and against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edgesim.outcomes.scores import score, softmax


def test_scores_by_hand() -> None:
    found = score(np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]]))
    assert found.prediction.tolist() == [1, 0, 0]
    assert found.confidence.tolist() == pytest.approx([0.5, 1.0, 1 / 3])
    assert found.margin.tolist() == pytest.approx([0.2, 1.0, 0.0])
    by_hand = -(0.2 * np.log(0.2) + 0.5 * np.log(0.5) + 0.3 * np.log(0.3))
    assert found.entropy.tolist() == pytest.approx([by_hand, 0.0, np.log(3)])


def test_softmax_is_torch_s_and_does_not_overflow() -> None:
    logits = np.random.default_rng(0).normal(0, 400, (5, 7, 10)).astype(np.float32)
    expected = torch.softmax(torch.from_numpy(logits).double(), -1).numpy()
    assert np.allclose(softmax(logits), expected, atol=1e-15)
    found = score(softmax(logits))
    assert np.array_equal(found.prediction, logits.argmax(-1))
    assert np.isfinite(found.entropy).all()


def test_two_classes_have_a_margin() -> None:
    assert score(np.array([[0.9, 0.1]])).margin.tolist() == pytest.approx([0.8])
