"""Which replications of which cells are still to be run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgesim.results.statistics import t_interval
from edgesim.studies.ledger import Quantity
from edgesim.studies.metrics_asked import column_of
from edgesim.studies.study import Study, Until

STEP = 5
"""So many replications more, where a half width is too wide yet."""

Task = tuple[int, int]
"""(cell, replication)."""
Values = tuple[list[Quantity], np.ndarray]
"""Quantities, and what each replication of a cell measured, (replications, quantities)."""


@dataclass
class _Progress:
    """Of one cell: replications that are wanted so far, and how many of them are missing."""

    wanted: int = 0
    missing: int = 0
    given_up: bool = False


class Agenda:
    """Hands out tasks cell by cell; ``values`` reads what the first n replications of a cell measured.

    With ``until`` a cell has enough at the first of n = at_least, at_least + STEP, ... whose first n replications meet
    the half width, whatever else has been run: what is found does not depend on who finished when.

    total: replications that are wanted as far as is known.  done: of these, how many are finished.
    """

    def __init__(
        self,
        study: Study,
        cells: int,
        finished: Mapping[int, Sequence[int]],
        values: Callable[[int, int], Values],
    ) -> None:
        self._study, self._values = study, values
        self._finished = {cell: set(numbers) for cell, numbers in finished.items()}
        self._cells = [_Progress() for _ in range(cells)]
        self._open: deque[Task] = deque()
        self.total = self.done = 0
        for cell in range(cells):
            self._extend(cell)

    def next(self) -> Task | None:
        """A task to run now; None where there is none, or none before others have finished."""
        while self._open:
            task = self._open.popleft()
            if not self._cells[task[0]].given_up:
                return task
        return None

    def finish(self, cell: int) -> None:
        """A task of a cell is committed."""
        self._cells[cell].missing -= 1
        self.done += 1
        self._extend(cell)

    def give_up(self, cell: int) -> None:
        """A cell has failed: nothing more of it is begun."""
        self._cells[cell].given_up = True

    def _extend(self, cell: int) -> None:
        """Want more replications of a cell whose wanted ones are all done but are not enough."""
        progress = self._cells[cell]
        while not progress.missing and (more := self._more(cell)):
            added = range(progress.wanted, progress.wanted + more)
            progress.wanted += more
            missing = [number for number in added if number not in self._finished.get(cell, ())]
            progress.missing = len(missing)
            self._open += [(cell, number) for number in missing]
            self.total += more
            self.done += more - len(missing)

    def _more(self, cell: int) -> int:
        wanted, until = self._cells[cell].wanted, self._study.until
        if until is None:
            return self._study.replications - wanted
        if not wanted:
            return until.at_least
        if wanted >= until.at_most or half_width(until, *self._values(cell, wanted)) <= until.half_width:
            return 0
        return min(STEP, until.at_most - wanted)


def _asked(until: Until, quantities: Sequence[Quantity]) -> list[int]:
    """The columns of the metric of every policy: at the deadline, or wherever it was measured."""
    if until.deadline_ms is None:
        return [column for column, (*_, name) in enumerate(quantities) if name == until.metric]
    policies = dict.fromkeys(policy for policy, *_ in quantities)
    columns = [column_of(quantities, policy, until.deadline_ms, until.metric) for policy in policies]
    return [column for column in columns if column is not None]


def half_width(until: Until, quantities: Sequence[Quantity], values: np.ndarray) -> float:
    """The widest half of the intervals of a metric over policies (and deadlines, where none is named)."""
    widths = [
        interval.high - interval.mean
        for column in _asked(until, quantities)
        for interval in [t_interval(values[:, column])]
    ]
    widths = [width for width in widths if not np.isnan(width)]
    return max(widths, default=float("inf"))
