"""Plain warnings where a queue grows without bound, so that its means describe the run's length and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edgesim.results.counted import Counted

WAITS = {
    "device_wait_s": "the devices' processors",
    "uplink_wait_s": "the uplink",
    "server_wait_s": "the servers",
    "downlink_wait_s": "the downlink",
}
BUSY_ALWAYS = 0.995
MOST = 0.9
FEWEST = 30
GROWTH = 1.3
SLOPE = 0.005
"""A wait that grows by less than 5 ms in each second of the run is not called growing: so slow a rise cannot be
told from the slow swings of a stable queue at high load."""
GROW = "grow over the run"
WITHOUT_BOUND = "a queue grows without bound, and a longer run would give longer latencies"
BUSY = "was busy all the time: it is asked for as much as it can serve, or more"

NOTHING_COUNTS = "no request arrived in the measured window: there is nothing to measure"


def without_requests(asked: int, met: int) -> list[str]:
    """A sentence where replications had no request at all: shares and means of theirs do not exist."""
    return (
        [] if met == asked else [f"{asked - met} of {asked} replications had no request and are left out of all means"]
    )


def growing_waits(counted: Counted, cells: list[int]) -> list[str]:
    """A sentence for each wait that trends upwards over the cells (the replications of one run of a policy).

    Growing means, in at least MOST of the replications: a line fitted to the waits by arrival rises by more than
    SLOPE seconds a second, and requests of the last third wait more than GROWTH times as long as those of the first.
    """
    return [
        f"waits for {place} {GROW}, from {before:.3g} s in its first third to {after:.3g} s in its last: "
        f"{WITHOUT_BOUND}"
        for place, before, after in _growing(counted, cells)
    ]


def usual_notes(policy: str, counted: Counted, cells: list[int], utilisation: dict[str, float]) -> list[str]:
    """The same for one replication of a study, and for full nodes, without numbers, so that replications say it alike.

    In one replication chance may do it (an outage at its end): it means something where ``usual`` is true.
    """
    waits = [f"{policy}: waits for {place} {GROW}: {WITHOUT_BOUND}" for place, *_ in _growing(counted, cells)]
    full = [f"{policy}: {node} {BUSY}" for node, busy in utilisation.items() if busy >= BUSY_ALWAYS]
    return full + waits


def usual(note: str, told: int, replications: int) -> bool:
    """Whether a note that so many replications of a cell have told says something of the cell."""
    return told >= MOST * replications or not (GROW in note or BUSY in note)


def _growing(counted: Counted, cells: list[int]) -> Iterator[tuple[str, float, float]]:
    arrival_s = counted.column("arrival_s")
    for column, place in WAITS.items():
        wait_s = counted.column(column)
        trends = np.array(
            [trend(arrival_s[rows], wait_s[rows]) for rows in map(counted.rows, cells) if len(rows) >= FEWEST]
        )
        if len(trends) and _grows(trends):
            yield place, float(trends[:, 1].mean()), float(trends[:, 2].mean())


def trend(arrival_s: np.ndarray, wait_s: np.ndarray) -> tuple[float, float, float]:
    """The slope of waits over arrivals (seconds a second), and the mean wait of the first and last third of time."""
    centred = arrival_s - arrival_s.mean()
    spread = float(centred @ centred)
    slope = float(centred @ (wait_s - wait_s.mean())) / spread if spread > 0 else 0.0
    third = np.clip(np.floor(3 * (arrival_s - arrival_s.min()) / max(np.ptp(arrival_s), 1e-12)), 0, 2)
    means = [float(wait_s[third == part].mean()) if (third == part).any() else 0.0 for part in (0, 2)]
    return slope, means[0], means[1]


def _grows(trends: np.ndarray) -> bool:
    slope, before, after = trends.T
    return bool(np.mean((slope > SLOPE) & (after > GROWTH * before)) >= MOST)


def full_nodes(utilisation: dict[str, float]) -> list[str]:
    """A sentence for each node (or class of devices) that was busy all the time."""
    return [
        f"{node} was busy {busy:.1%} of the time: it is asked for as much as it can serve, or more"
        for node, busy in utilisation.items()
        if busy >= BUSY_ALWAYS
    ]


def cut_off(unfinished: float | None) -> list[str]:
    """A sentence where requests were still under way when the run ended."""
    if unfinished is None or not unfinished > 0:
        return []
    return [f"{unfinished:.2%} of the requests were unfinished at the end of the drain and count as misses"]
