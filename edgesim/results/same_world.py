"""Whether two runs meet the same requests, so that their replications may be paired."""

from __future__ import annotations

import numpy as np

from edgesim.results.recorded import RecordedRun


def why_unpaired(first: RecordedRun, second: RecordedRun) -> str | None:
    """Why replications of two runs are no pairs, in words; None where they are.

    Pairs have one seed, the same replications, and in each of them the same images of the same data, arriving at the
    same devices at the same times, of which the same count.
    """
    if first.seed != second.seed:
        return f"their seeds differ ({first.seed} and {second.seed})"
    met = [_Met(run) for run in (first, second)]
    numbers = [each.replications for each in met]
    if numbers[0] != numbers[1]:
        return f"they have {len(numbers[0])} and {len(numbers[1])} replications"
    if first.scenario.get("data") != second.scenario.get("data"):
        return "their images are of other data"
    for name, what in (("devices", "other devices"), ("arrival_s", "other arrivals"), ("sample", "other images"),
                       ("counted", "another warm-up")):  # fmt: skip
        if not np.array_equal(getattr(met[0], name), getattr(met[1], name)):
            return f"they have {what}"
    return None


class _Met:
    """The requests that every policy of a run meets, in one order: those of the first policy's first run."""

    def __init__(self, run: RecordedRun) -> None:
        cells = next(iter(run.cells.runs(run.policies[0]).values()))
        requests = run.tables.requests
        rows = np.flatnonzero(np.isin(run.cells.of_requests, cells))
        devices = requests.names("device")
        device = np.array(devices.words)[devices.codes[rows]]
        replication, number = requests.column("replication")[rows], requests.column("number")[rows]
        order = np.lexsort((number, device, replication))
        self.replications = sorted(set(replication.tolist()))
        self.devices = device[order]
        self.arrival_s, self.sample, self.counted = (
            requests.column(name)[rows][order] for name in ("arrival_s", "sample", "counted")
        )
