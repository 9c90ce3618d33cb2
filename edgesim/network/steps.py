"""A rate that changes at given times, written by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgesim.errors import InputError
from edgesim.network.rate import Stretch
from edgesim.network.tabled import stretch_of_rows


def steps_table(steps: Sequence[Sequence[float]]) -> Stretch:
    """The table of steps (seconds, Mb/s): times grow from 0; the last step lasts as long as the one before it.

    Raises InputError where a step is not such a pair.
    """
    if not steps or steps[0][0] != 0:
        raise InputError("steps: the first step must be at 0 s")
    for number, (time_s, rate_mbps) in enumerate(steps):
        where = f"steps: step {number} [{time_s}, {rate_mbps}]"
        if not 0 <= rate_mbps < math.inf:
            raise InputError(f"{where}: the rate must be finite and not negative (Mb/s)")
        if not math.isfinite(time_s) or (number and time_s <= steps[number - 1][0]):
            raise InputError(f"{where}: times must be finite and grow (s)")
    return stretch_of_rows([time_s for time_s, _ in steps], [rate_mbps * 1e6 for _, rate_mbps in steps])
