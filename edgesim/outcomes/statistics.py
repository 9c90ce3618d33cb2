"""What a policy may know of a model beforehand: statistics of its exits on validation data; numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from edgesim.outcomes.path import Path
from edgesim.outcomes.table import Outcomes, OutcomeTable

Score = Literal["confidence", "entropy", "margin"]


class Leaving(NamedTuple):
    """Where samples leave when each exit has a threshold and the deepest takes the rest.

    exits: in order of depth.  shares: of all samples, adding up to 1.  accuracies: of those that leave there, NaN where
    nobody does.
    """

    exits: tuple[int, ...]
    shares: tuple[float, ...]
    accuracies: tuple[float, ...]

    @property
    def accuracy(self) -> float:
        """Of all samples together."""
        return sum(share * right for share, right in zip(self.shares, self.accuracies, strict=True) if share)


def is_sure(score: Score, value: np.ndarray, threshold: float) -> np.ndarray:
    """Whether a score is good enough to leave: confidence and margin at or above the threshold, entropy at or below."""
    return value <= threshold if score == "entropy" else value >= threshold


class ExitStatistics:
    """Statistics of one model's validation outcomes, by path.  ValueError for outcomes of another split."""

    def __init__(self, outcomes: Outcomes) -> None:
        if outcomes.split != "validation":
            raise ValueError(f"exit statistics come from the validation split, not from {outcomes.split}")
        self.outcomes = outcomes

    def accuracy(self, path: Path = ()) -> dict[int, float]:
        """The share of right answers of each exit along the path."""
        table = self.outcomes.table(path)
        return dict(zip(table.exits, table.correct.mean(axis=1).tolist(), strict=True))

    def payload_bytes(self, path: Path) -> float:
        """The mean bytes of the path's last hop: all that is known of a payload before it has been encoded."""
        return float(self.outcomes.payload(path).mean())

    def share_sure(self, path: Path, exit_index: int, score: Score, threshold: float) -> float:
        """The share of *all* samples that this exit alone would let leave."""
        table = self.outcomes.table(path)
        return float(is_sure(score, getattr(table, score)[table.row(exit_index)], threshold).mean())

    def threshold_for(self, path: Path, exit_index: int, score: Score, share: float) -> float:
        """The strictest threshold at which at least ``share`` of all samples are sure at this exit.

        share: within 0..1; at 0 the score of the surest sample.
        """
        table = self.outcomes.table(path)
        surest_first = np.sort(getattr(table, score)[table.row(exit_index)])
        if score != "entropy":
            surest_first = surest_first[::-1]
        return float(surest_first[max(0, int(np.ceil(share * len(surest_first))) - 1)])

    def leaving(self, path: Path, score: Score, thresholds: Mapping[int, float] | Sequence[float]) -> Leaving:
        """Who leaves where, exit by exit.

        thresholds: by exit, or one for each of the path's exits but the deepest; an exit without one lets nobody leave.
        """
        table = self.outcomes.table(path)
        if not isinstance(thresholds, Mapping):
            thresholds = dict(zip(table.exits, thresholds, strict=False))
        at = _leaves_at(table, score, thresholds)
        counts = np.bincount(at, minlength=len(table.exits))
        right = np.bincount(at, table.correct[at, np.arange(table.samples)], minlength=len(table.exits))
        accuracies = np.divide(right, counts, out=np.full(len(counts), np.nan), where=counts > 0)
        return Leaving(table.exits, tuple((counts / table.samples).tolist()), tuple(accuracies.tolist()))


def _leaves_at(table: OutcomeTable, score: Score, thresholds: Mapping[int, float]) -> np.ndarray:
    """(samples,): the row of the exit at which each sample leaves."""
    sure = np.zeros(table.prediction.shape, bool)
    for row, index in enumerate(table.exits):
        if index in thresholds:
            sure[row] = is_sure(score, getattr(table, score)[row], thresholds[index])
    sure[-1] = True
    return sure.argmax(axis=0)
