"""Plans that go straight on until they end, with one answer or with a sending that gets one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edgesim.engine.plan import holds
from edgesim.engine.program import Branch, Compiler, Give, Operation, Piece, Ship
from edgesim.outcomes.scores import Scores
from edgesim.profiling.costs import Seconds

SENT = -1
"""In the place of an answer's number."""

Answers = list[tuple[Give, list[Scores]]]
"""The answers with which a request can end, and their scores by sample."""


class Segment(NamedTuple):
    """Pieces and branches, one after the other, behind which a program may end.

    costs: seconds by luck.  sure: by sample, whether it ends; None: always.  end: the number of its answer, or SENT.
    """

    costs: tuple[Seconds, ...]
    sure: list[bool] | None
    end: int


class Way:
    """All that a device's requests can do: here on the device, there on the server, if anything is shipped."""

    def __init__(self, here: list[Segment], answers: Answers) -> None:
        self.here, self.answers = here, answers
        self.ship: Ship | None = None
        self.there: list[Segment] = []


def way_of(compiler: Compiler, operations: Sequence[Operation]) -> Way | None:
    """The way of a device's only program, and of its server's; None where either does not go straight."""
    answers: Answers = []
    here = _segments(operations, answers)
    if here is None:
        return None
    way, ship = Way(here, answers), operations[-1]
    if isinstance(ship, Ship):
        server, way.ship = ship.server, ship
        if server.plan is None:
            return None
        there = _segments(compiler.program(server, ship.behind, ship.cut, server.plan).operations, answers)
        if there is None or there[-1].end == SENT:
            return None
        way.there = there
    return way


def _segments(operations: Sequence[Operation], answers: Answers) -> list[Segment] | None:
    """A program in segments, the last of which ends it; adds its answers to those that there are."""
    found: list[Segment] = []
    costs: list[Seconds] = []
    seen: dict[int, list[Scores]] = {}
    for operation in operations:
        if found and found[-1].sure is None:
            return None  # it answers, or sends, and goes on
        if isinstance(operation, Piece | Branch):
            if operation.seconds is not None:
                costs.append(operation.seconds)
            if isinstance(operation, Branch):
                seen[operation.exit] = operation.answers
            continue
        if isinstance(operation, Ship):
            found.append(Segment(tuple(costs), None, SENT))
        elif isinstance(operation, Give) and operation.exit in seen:
            found.append(Segment(tuple(costs), _sure(operation, seen), len(answers)))
            answers.append((operation, seen[operation.exit]))
        else:
            return None
        costs = []
    return found if found and found[-1].sure is None and not costs else None


def _sure(give: Give, seen: dict[int, list[Scores]]) -> list[bool] | None:
    if give.when is None:
        return None
    samples = range(len(seen[give.exit]))
    return [holds(give.when, give.exit, {exit: scores[sample] for exit, scores in seen.items()}) for sample in samples]
