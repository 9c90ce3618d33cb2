"""Everything that is measured of a run, in groups, each value an array over the run's cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from edgesim.results import metrics, usage
from edgesim.results.metrics import PerCell
from edgesim.results.recorded import RecordedRun

PerCells = dict[str, PerCell]


class Measures(NamedTuple):
    """The groups of a run in ``summary.json``: what each is, docs/metrics.md says."""

    metrics: PerCells
    ends: PerCells
    stages: PerCells
    reasons: PerCells
    exits: PerCells
    cuts: PerCells
    nodes: dict[str, PerCells]
    links: dict[str, PerCells]


def measures_of(run: RecordedRun) -> Measures:
    """What the tables of a run say."""
    counted, window = run.counted, run.window
    return Measures(
        {
            **metrics.rates(counted, run.tables, window),
            **metrics.answers(counted),
            **(metrics.errors(counted) if run.regression else {}),
            **metrics.spending(counted),
        },
        metrics.ends(counted),
        metrics.stages(counted),
        metrics.reasons(counted),
        metrics.exit_shares(counted),
        metrics.cut_shares(counted),
        usage.node_usage(run.tables.nodes, run.cells, run.axis.means_s),
        usage.link_usage(run.tables.links, run.cells, window[1] - window[0]),
    )


def quantities(measures: Measures) -> Iterator[tuple[str, PerCell]]:
    """All that is measured, by one name each: ``latency_p95_s``, ``exit:fashion/2``, ``node:edge:utilisation``."""
    yield from measures.metrics.items()
    groups = ("end", "stage", "reason", "exit", "cut")
    for group, values in zip(groups, measures[1:6], strict=True):
        yield from ((f"{group}:{name}", of_cells) for name, of_cells in values.items())
    for group, members in (("node", measures.nodes), ("link", measures.links)):
        for member, values in members.items():
            yield from ((f"{group}:{member}:{name}", of_cells) for name, of_cells in values.items())
