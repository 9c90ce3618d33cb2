"""How deep a server should run each of its requests so that deadlines hold and the answers are worth the most.

Source: Yao et al., Scheduling real-time deep learning services as imprecise computations, RTCSA 2020 (arXiv
2011.01112): requests in the order of their deadlines, and the least time P[i][r] in which the first i of them can earn
the reward r, for every quantised r.  How the paper treats a load whose mandatory parts alone are too much we have not
confirmed: here the plan leaves out as few of them as it can.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import floor
from typing import NamedTuple


class Job(NamedTuple):
    """A request, from the next stage that it may run.

    deadline_s: from now.  stages_s: what each stage that is left takes, up to the deepest exit asked for.
    utilities: of its answer once it has run 0, 1, ... of them, so one more than stages; the first is what it has
    already.  answered: whether it has run its mandatory first stage.
    """

    deadline_s: float
    stages_s: Sequence[float]
    utilities: Sequence[float]
    answered: bool = False


class Partial(NamedTuple):
    """What is decided of the first requests.  before: of all but the last of these, which runs ``stages``."""

    answered: int
    reward: float
    time_s: float
    stages: int = 0
    before: Partial | None = None


def plan(jobs: Sequence[Job], quantum: float = 0.0) -> list[int]:
    """How many more stages each job runs, one after the other in this order, which is that of their deadlines.

    As many jobs as possible end their mandatory stage by their deadline; of all such plans this one's sum of utilities
    is the greatest.  Whoever runs anything ends by its deadline, if stages take what they say.

    quantum: utilities are rounded down to multiples of it, and the sum may be less than the greatest by up to
    ``quantum`` a job; in return at most (n + 1) (n U / quantum + 1) partial plans of n jobs are kept, with U the
    greatest utility.  0: exact, for few jobs or jobs with the same few utilities.

    >>> plan([Job(3.0, [1.0, 1.0, 1.0], [0.0, 0.5, 0.8, 0.9]), Job(3.0, [1.0, 1.0, 1.0], [0.0, 0.5, 0.7, 0.9])])
    [2, 1]
    """
    partials = [Partial(0, 0.0, 0.0)]
    for job in jobs:
        partials = _undominated(_extended(partials, job, quantum))
    stages = []
    last: Partial | None = partials[0]
    while last is not None and last.before is not None:
        stages.append(last.stages)
        last = last.before
    return stages[::-1]


def _extended(partials: Iterable[Partial], job: Job, quantum: float) -> Iterable[Partial]:
    """Every partial plan with each number of stages of the next job that it leaves time for."""
    spent_s = list(accumulate(job.stages_s, initial=0.0))
    rewards = [floor(utility / quantum) if quantum else utility for utility in job.utilities]
    for before in partials:
        for stages, (job_s, reward) in enumerate(zip(spent_s, rewards, strict=True)):
            time_s = before.time_s + job_s
            if stages == 0 or time_s <= job.deadline_s:
                answered = before.answered + (stages > 0 and not job.answered)
                yield Partial(answered, before.reward + reward, time_s, stages, before)


def _undominated(partials: Iterable[Partial]) -> list[Partial]:
    """The best first, and of the others those that take less time than every better one."""
    kept: list[Partial] = []
    for each in sorted(partials, key=lambda each: (-each.answered, -each.reward, each.time_s)):
        if not kept or each.time_s < kept[-1].time_s:
            kept.append(each)
    return kept
