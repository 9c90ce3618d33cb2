"""Taking timed samples on a machine that may be disturbed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from edgesim.errors import InputError

Row = list[float]
"""Seconds of the steps of one run, in order."""
Progress = Callable[[str, int, int], None]
"""(section, rounds done, rounds wanted)."""
Key = TypeVar("Key", bound=Hashable)

SLACK_S = 20e-6
"""Reading two clocks does not happen at one moment: what wall and CPU time may differ by in any sample."""
FEWEST = 3
PATIENCE = 4
"""Rounds are given up after this many times the wanted number."""


class Busy(InputError):
    """The machine does other things at the same time, so that nothing can be measured."""


@dataclass(frozen=True)
class Effort:
    """How much to measure.

    batches: sizes at which whole passes are taken; piece_batches: at which pieces are.  gaps_s: idle gaps.
    rows: samples to keep (at batch 1 ``first_rows``), after ``warmups`` runs that do not count.  A run of over
    ``slow_s`` is repeated for ``slow_total_s`` at most, after two warm-ups.  tolerance: a sample is rejected where
    its wall time exceeds the process's CPU time by more than this share.  budget_s: for everything; a section that
    has used up its share stops at its fewest samples (3).
    """

    batches: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    piece_batches: tuple[int, ...] = (1, 4, 16)
    gaps_s: tuple[float, ...] = (0.0, 0.001, 0.01, 0.05, 0.2)
    rows: int = 30
    first_rows: int = 100
    warmups: int = 10
    slow_s: float = 0.5
    slow_total_s: float = 15.0
    tolerance: float = 0.05
    budget_s: float = 600.0


class Job(NamedTuple):
    """``run`` is timed, ``before`` is not."""

    run: Callable[[], Row]
    before: Callable[[], object] = lambda: None


class Sampler:
    """Takes samples, and counts those that it keeps and rejects.

    compare_clocks: reject samples by CPU time; senseless where an accelerator does the work.
    """

    def __init__(self, effort: Effort, compare_clocks: bool, progress: Progress) -> None:
        self.effort, self.compare_clocks, self.progress = effort, compare_clocks, progress
        self.kept = self.rejected = 0

    def collect(self, section: str, jobs: Mapping[Key, Job], rows: int, share: float) -> dict[Key, list[Row]]:
        """Rows of every job; one run of each job a round, so that slow drifts of the machine meet all alike.

        share: of the effort's budget.  Raises Busy where too many samples are rejected.
        """
        began = time.monotonic()
        wanted = {key: self._warm_up(job, rows) for key, job in jobs.items()}
        taken: dict[Key, list[Row]] = {key: [] for key in jobs}
        rounds, most = 0, max(wanted.values())
        while True:
            late = time.monotonic() - began > share * self.effort.budget_s
            missing = [key for key in jobs if len(taken[key]) < (FEWEST if late else wanted[key])]
            if not missing:
                return taken
            if rounds >= PATIENCE * most:
                raise Busy(self._complaint(section))
            for key in missing:
                if (row := self._attempt(jobs[key])) is not None:
                    taken[key].append(row)
            rounds += 1
            self.progress(section, min(map(len, taken.values())), most)

    def _warm_up(self, job: Job, rows: int) -> int:
        """Run the job until it is warm; returns how many rows of it to keep."""
        longest = 0.0
        for count in range(self.effort.warmups):
            job.before()
            began = time.perf_counter()
            job.run()
            longest = time.perf_counter() - began
            if count >= 1 and longest > self.effort.slow_s:
                break
        if longest <= self.effort.slow_s:
            return rows
        return max(FEWEST, min(rows, int(self.effort.slow_total_s / longest)))

    def _attempt(self, job: Job) -> Row | None:
        job.before()
        collecting = gc.isenabled()
        gc.disable()
        try:
            cpu, wall = time.process_time(), time.perf_counter()
            row = job.run()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        finally:
            if collecting:
                gc.enable()
        if self.compare_clocks and wall > (1 + self.effort.tolerance) * cpu + SLACK_S:
            self.rejected += 1
            return None
        self.kept += 1
        return row

    def _complaint(self, section: str) -> str:
        return (
            f"this machine is too busy to measure on ({section}): {self.rejected} of {self.kept + self.rejected} "
            f"samples took over {100 * self.effort.tolerance:g} % longer than their CPU time; end other work and retry"
        )
