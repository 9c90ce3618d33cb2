"""Finding the static best: the one arm that is best for every request, on a calibration seed and validation images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan

from edgesim.engine.assets import Assets, missed_errors
from edgesim.engine.request import Request
from edgesim.engine.simpy_clock import SimpyClock
from edgesim.engine.world import Cell, World
from edgesim.policies.arms import Arm, all_arms, arm_paths
from edgesim.policies.fixed_arm import ArmSpec
from edgesim.scenario.policies import StaticBest
from edgesim.scenario.scenario import Scenario
from edgesim.studies.cells import reacts_to_deadlines
from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S


@dataclass
class OnTimeCount:
    """Counts requests, and what their one answer is worth and when it came; stands in for a recorder.

    An answer is worth 1 where it is right; in regression, what it is less off than no answer (``missed_errors``, by
    sample).
    """

    window: tuple[float, float]
    missed_errors: Sequence[float]

    def __post_init__(self) -> None:
        self.requests = 0
        self._answers: list[tuple[float, float, float]] = []

    def request(self, request: Request, end_s: float) -> None:
        low, high = self.window
        if not low <= request.arrival_s <= high:
            return
        self.requests += 1
        missed_error = self.missed_errors[request.sample]
        for time_s, _, _, _, scores in request.answers:
            worth = float(scores.correct) if isnan(missed_error) else missed_error - scores.error
            self._answers.append((time_s - request.arrival_s, request.deadline_s - request.arrival_s, worth))

    def worth(self, scale: float) -> float:
        """On-time accuracy if every deadline were ``scale`` times what it was; in regression, by how much the on-time
        error would be less than without any answer."""
        on_time = [
            worth
            for latency_s, deadline_s, worth in self._answers
            if latency_s <= scale * deadline_s + ON_TIME_TOLERANCE_S
        ]
        return sum(on_time) / self.requests if self.requests else 0.0


def find_static_best(
    scenario: Scenario, assets: Assets, name: str, progress: Callable[[int, int], None] = lambda *_: None
) -> dict[float | None, Arm]:
    """The best arm of policy ``name`` for each deadline of the axis (None: the devices' own deadlines).

    Every arm runs once on the calibration seed with validation images; ties go to the arm listed first.  Where the
    world reacts to deadlines, once for each deadline.
    """
    spec = scenario.policies[name]
    assert isinstance(spec, StaticBest)
    models = scenario.models_of(name)
    paths = {model: arm_paths(assets.shapes[model], spec.codecs, *models) for model in models}
    arms = all_arms(assets.shapes, paths, *models)
    deadlines: Sequence[float | None] = scenario.deadlines_ms or (None,)
    calibration = scenario.model_copy(update={"seed": spec.calibration_seed})
    scores: dict[float | None, list[float]] = {deadline_ms: [] for deadline_ms in deadlines}
    for number, arm in enumerate(arms):
        progress(number, len(arms))
        if reacts_to_deadlines(scenario) or deadlines == (None,):
            for deadline_ms in deadlines:
                scores[deadline_ms].append(_run(calibration, assets, name, arm, deadline_ms).worth(1.0))
        else:
            longest_ms = scenario.deadlines_ms[-1]
            counted = _run(calibration, assets, name, arm, longest_ms)
            for deadline_ms in scenario.deadlines_ms:
                scores[deadline_ms].append(counted.worth(deadline_ms / longest_ms))
    progress(len(arms), len(arms))
    return {deadline_ms: arms[max(range(len(arms)), key=found.__getitem__)] for deadline_ms, found in scores.items()}


def _run(scenario: Scenario, assets: Assets, name: str, arm: Arm, deadline_ms: float | None) -> OnTimeCount:
    counted = OnTimeCount((scenario.warmup_s, scenario.duration_s), missed_errors(assets.validation))
    clock = SimpyClock()
    world = World(scenario, assets, Cell(name, ArmSpec(arm), deadline_ms, 0), clock, counted, assets.validation)
    clock.run_until(scenario.end_s)
    world.engine.finish()
    return counted


def resolve(cell: Cell, found: Mapping[str, Mapping[float | None, Arm]]) -> Cell:
    """The cell with the arm that was found, where its policy is a static best."""
    if cell.policy not in found:
        return cell
    return replace(cell, spec=ArmSpec(found[cell.policy][cell.axis_deadline_ms]))
