"""Running the partitions inside the simulation, and how far that agrees with the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any, Protocol

from edgesim.engine.places import Place
from edgesim.outcomes.scores import Scores

SCORE_TOLERANCE = 1e-5
"""Scores of one exit agree up to this much between batch sizes, and values of a regression up to this share."""


class Executor(Protocol):
    """Executes one model (``outcomes.live.LiveExecutor``)."""

    def begin(self, sample: int) -> Any: ...
    def run(self, handles: Sequence[Any], stop: int) -> None: ...
    def exit(self, handles: Sequence[Any], index: int) -> list[Scores]: ...
    def send(self, handle: Any, codec: str, as_image: bool) -> tuple[Any, int]: ...


@dataclass(slots=True)
class Agreement:
    """Live answers beside the tabled ones: how many there were, and how many differ in prediction or in scores."""

    answers: int = 0
    predictions_differ: int = 0
    scores_differ: int = 0

    def add(self, other: Agreement) -> None:
        self.answers += other.answers
        self.predictions_differ += other.predictions_differ
        self.scores_differ += other.scores_differ


class LiveExecution:
    """Executes all models of a world, and counts where an answer is not the tabled one."""

    def __init__(self, executors: Mapping[str, Executor]) -> None:
        self._executors = executors
        self.agreement = Agreement()

    def begin(self, model: str, sample: int) -> Any:
        return self._executors[model].begin(sample)

    def run(self, model: str, handles: Sequence[Any], stop: int) -> None:
        self._executors[model].run(handles, stop)

    def exit(self, place: Place, handle: Any, index: int, sample: int) -> Scores:
        live = self._executors[place.model].exit([handle], index)[0]
        answers = place.exits[index]
        assert answers is not None
        tabled, agreement = answers[sample], self.agreement
        agreement.answers += 1
        same = isclose(live.prediction, tabled.prediction, rel_tol=SCORE_TOLERANCE, abs_tol=SCORE_TOLERANCE)
        agreement.predictions_differ += not same
        apart = max(abs(one - other) for one, other in zip(live[1:4], tabled[1:4], strict=True))
        agreement.scores_differ += apart > SCORE_TOLERANCE
        return live

    def send(self, model: str, handle: Any, codec: str, as_image: bool) -> tuple[Any, int]:
        return self._executors[model].send(handle, codec, as_image)
