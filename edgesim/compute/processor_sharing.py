"""Workers that all requests share at once, instead of a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgesim.network.cell import SharedCell
from edgesim.network.constant import ConstantRate

if TYPE_CHECKING:
    from edgesim.engine.request import Task


def shared_workers(workers: int) -> SharedCell[Task]:
    """Egalitarian processor sharing: k workers serve each of n tasks at the speed of min(1, k / n) of one.

    A cell whose bits are seconds of work: ``add(now_s, work_s, task)``, then ``pop`` at ``next_event_s``.  Its rate is
    k, of which fewer than k tasks leave some unused, as none runs on two workers.  Sharing itself costs nothing here,
    where real processors lose caches and memory to it.  Source: Kleinrock, Queueing Systems II (1976), section 4.4.
    """
    return SharedCell(ConstantRate(float(workers)), lambda tasks: min(1.0, tasks / workers))
