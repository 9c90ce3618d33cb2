"""Runs cells on simpy's clock and records them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgesim.engine.assets import Assets, missed_errors
from edgesim.engine.live import Agreement, LiveExecution
from edgesim.engine.simpy_clock import SimpyClock
from edgesim.engine.tally import link_rows, node_rows
from edgesim.engine.world import Cell, World
from edgesim.errors import InputError
from edgesim.outcomes.table import Outcomes
from edgesim.policies.user_fault import fault_of_user
from edgesim.results.recorder import RunRecorder
from edgesim.scenario.scenario import Scenario


def simulate(
    scenario: Scenario,
    assets: Assets,
    cell: Cell,
    recorder: RunRecorder,
    outcomes: Mapping[str, Outcomes],
    live: LiveExecution | None = None,
) -> Agreement | None:
    """Run a cell to its end (all requests ended, or ``drain_s`` after the last arrival) and record it.

    outcomes: what requests meet.  Raises InputError where a user's policy makes a mistake.
    """
    recorder.begin(cell.key)
    clock = SimpyClock()
    try:
        run_to_end(World(scenario, assets, cell, clock, recorder, outcomes, live), clock, recorder)
    except InputError:
        raise
    except Exception as error:
        if told := fault_of_user(cell.spec, error):
            raise InputError(told) from error
        raise
    return live.agreement if live else None


def run_to_end(world: World, clock: SimpyClock, recorder: RunRecorder) -> None:
    """Let a world happen on its clock, and record what its links and nodes did."""
    clock.run_until(world.scenario.end_s)
    world.engine.finish()
    for row in link_rows(world):
        recorder.link(row)
    for row in node_rows(world):
        recorder.node(row)


def recorder_for(scenario: Scenario, assets: Assets, folder: Path) -> RunRecorder:
    """Records cells of this scenario into ``folder``."""
    blocks = {name: shape.num_blocks for name, shape in assets.shapes.items()}
    return RunRecorder(folder, (scenario.warmup_s, scenario.duration_s), blocks, missed_errors(assets.test))
