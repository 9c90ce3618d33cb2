"""Outcomes as the engine walks through them: from place to place along a path, by plain list look-ups."""

from __future__ import annotations

from collections.abc import Mapping

from edgesim.errors import InputError
from edgesim.outcomes.path import Path, canonical, format_path
from edgesim.outcomes.scores import Scores
from edgesim.outcomes.table import Outcomes

Answers = list[list[Scores] | None]


class Place:
    """Where a request's data has come to: a model and the path so far.

    exits: for each exit the scores of every sample, None where the path has passed it.
    hops: (cut, codec) -> payload bytes by sample, and the place behind.
    """

    __slots__ = ("exits", "hops", "model", "path")

    def __init__(self, model: str, path: Path, exits: Answers) -> None:
        self.model, self.path, self.exits = model, path, exits
        self.hops: dict[tuple[int, str], tuple[list[int], Place]] = {}

    def behind(self, cut: int, codec: str) -> tuple[list[int], Place]:
        """Payload bytes by sample and the next place; InputError for a path that no policy declared."""
        try:
            return self.hops[cut, codec]
        except KeyError:
            path = format_path((*self.path, (cut, codec)))
            raise InputError(f"model {self.model!r} was not executed along {path}: a policy must declare it") from None


def build_places(outcomes: Mapping[str, Outcomes]) -> dict[str, Place]:
    """The root place (the image on the device) of every model."""
    return {name: _root(name, found) for name, found in outcomes.items()}


def _root(model: str, outcomes: Outcomes) -> Place:
    answers: dict[Path, Answers] = {}

    def place(path: Path) -> Place:
        key = canonical(path)
        if key not in answers:
            answers[key] = _answers(outcomes, key)
        return Place(model, path, answers[key])

    root = place(())
    known: dict[Path, Place] = {(): root}
    for path in sorted(outcomes.payloads, key=len):
        known[path] = place(path)
        known[path[:-1]].hops[path[-1]] = (outcomes.payload(path).tolist(), known[path])
    return root


def _answers(outcomes: Outcomes, path: Path) -> Answers:
    table = outcomes.table(path)
    answers: Answers = [None] * len(outcomes.exits)
    for row, index in enumerate(table.exits):
        answers[index] = list(map(Scores, *(column[row].tolist() for column in table.arrays().values())))
    return answers
