"""What every cell of a run shares: shapes, costs, answers.  Made once, read by all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan

from edgesim.engine.places import Place, build_places
from edgesim.outcomes.table import Outcomes
from edgesim.policies.base import ModelShape
from edgesim.profiling.costs import ModelCosts, SyntheticCosts
from edgesim.profiling.presets import on_processor
from edgesim.scenario.processors import Processor
from edgesim.scenario.scenario import Scenario


@dataclass(frozen=True)
class Assets:
    """shapes, costs (of the profiled machine): by model.  test, validation: outcomes by model.

    decision_s: measured decision times by policy type, of the profiled machine.
    """

    shapes: Mapping[str, ModelShape]
    costs: Mapping[str, ModelCosts | SyntheticCosts]
    test: Mapping[str, Outcomes]
    validation: Mapping[str, Outcomes]
    decision_s: Mapping[str, list[float]]
    _on: dict[tuple[Processor, str], ModelCosts | SyntheticCosts] = field(default_factory=dict)
    _places: dict[int, dict[str, Place]] = field(default_factory=dict)

    def on(self, processor: Processor, model: str) -> ModelCosts | SyntheticCosts:
        """The model's costs on a scenario's processor."""
        key = (processor, model)
        if key not in self._on:
            self._on[key] = on_processor(self.costs[model], processor)
        return self._on[key]

    def places(self, outcomes: Mapping[str, Outcomes]) -> dict[str, Place]:
        """The root places of these outcomes (``test`` or ``validation``), built once."""
        key = id(outcomes)
        if key not in self._places:
            self._places[key] = build_places(outcomes)
        return self._places[key]

    def decisions_on(self, processor: Processor, policy_type: str) -> list[float]:
        """Decision times on a processor; none where the world's models are synthetic."""
        models = [self.on(processor, model) for model in self.costs]
        measured = [costs for costs in models if isinstance(costs, ModelCosts)]
        if not measured:
            return [0.0]
        samples = self.decision_s.get(policy_type) or self.decision_s["user"]
        return [seconds * measured[0].codec_factor for seconds in samples]


def missed_errors(outcomes: Mapping[str, Outcomes]) -> list[float]:
    """By sample, the absolute error of a request without an answer; NaN in classification."""
    found = next(iter(outcomes.values())).missed_error
    return [nan] * max(each.samples for each in outcomes.values()) if found is None else found.tolist()


def depths(scenario: Scenario, shapes: Mapping[str, ModelShape]) -> dict[str, tuple[int, ...]]:
    """For each model the rank of its exits over all models: deeper exits, and later models, rank higher."""
    ranks: dict[str, tuple[int, ...]] = {}
    start = 0
    for name in scenario.models:
        count = len(shapes[name].exits)
        ranks[name] = tuple(range(start, start + count))
        start += count
    return ranks
