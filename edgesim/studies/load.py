"""Loading what a scenario names: models, profiles, outcomes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from edgesim.codecs.informative import has_informative
from edgesim.codecs.names import fits
from edgesim.engine.assets import Assets
from edgesim.errors import InputError
from edgesim.models.zoo import model_card
from edgesim.outcomes.obtain import live_executor, obtain
from edgesim.outcomes.path import Path
from edgesim.outcomes.table import Outcomes
from edgesim.policies.arms import arm_paths
from edgesim.policies.base import ModelShape
from edgesim.policies.registry import build_policy
from edgesim.profiling.costs import ModelCosts, SyntheticCosts, synthetic_costs
from edgesim.profiling.profile import Profile, find_profile
from edgesim.scenario.depths import Depth, check_depths
from edgesim.scenario.models import Model, TimmModel
from edgesim.scenario.policies import AnyPolicy
from edgesim.scenario.scenario import Scenario

Progress = Callable[[str, int, int], None]
"""(what is being done, done, in all)."""


def load_assets(
    scenario: Scenario, progress: Progress = lambda *_: None, decisions: Mapping[str, list[float]] | None = None
) -> Assets:
    """Everything that the cells of a scenario share.

    decisions: decision times by policy type; those that ship if None.
    Outcomes that are not in the cache are executed now, which imports torch; otherwise nothing here does.
    Raises InputError, with the scenario's line where there is one, for what is missing, broken or does not fit.
    """
    costs = {name: _costs(scenario, name, spec) for name, spec in scenario.models.items()}
    shapes = {name: ModelShape(name, each.num_blocks, each.exits, each.cuts) for name, each in costs.items()}
    paths = _paths(scenario, shapes)
    outcomes: dict[str, dict[str, Outcomes]] = {
        split: {name: _outcomes(scenario, shapes[name], paths[name], split, progress) for name in shapes}
        for split in ("test", "validation")
    }
    decision_s = read_decisions() if decisions is None else decisions
    assets = Assets(shapes, costs, outcomes["test"], outcomes["validation"], decision_s)
    _check_processors(scenario, assets)
    return assets


def check_assets(scenario: Scenario, assets: Assets) -> None:
    """Refuse what does not fit, as ``load_assets`` does, where another scenario with the same models, data, policies
    and seed has loaded them already."""
    _paths(scenario, assets.shapes)
    _check_processors(scenario, assets)


def _paths(scenario: Scenario, shapes: Mapping[str, ModelShape]) -> dict[str, list[Path]]:
    """What is to be executed of each model; refuses depths and paths that the models do not have."""
    check_depths(scenario, {name: Depth(shape.num_blocks, len(shape.exits)) for name, shape in shapes.items()})
    return {name: declared_paths(scenario, shape) for name, shape in shapes.items()}


def read_decisions() -> dict[str, list[float]]:
    """Measured decision times in seconds, by policy type; ``user`` stands for a user's own."""
    document = json.loads((files("edgesim.profiling") / "decisions.json").read_text(encoding="utf-8"))
    found: dict[str, list[float]] = document["decision_s"]
    return found


def declared_paths(scenario: Scenario, shape: ModelShape) -> list[Path]:
    """Every path of one model that some policy may send a request along.

    Refuses a policy that sends without a link, or with a codec that does not fit.
    """
    found: dict[Path, None] = {}
    for name, spec in scenario.policies.items():
        models = scenario.models_of(name)
        if shape.name not in models:
            continue
        if spec.type == "static_best":
            declared = arm_paths(shape, spec.codecs, *models)  # type: ignore[union-attr]
        else:
            declared = list(build_policy(spec, models).paths(shape))
        if shape.name == models[0] and (unfit := next(_unfit(spec, shape, declared), None)):
            cuts = [str(cut) for cut, tensors in enumerate(shape.cuts) if has_informative(tensors)]
            allowed = f"at cuts {', '.join(cuts)}" if cuts else "with Evo-ViT"
            raise scenario.error(f"policies.{name}", f"found {unfit} of model '{shape.name}', allowed: {allowed}")
        if declared and (alone := [each for each, device in scenario.devices.items() if device.link is None]):
            raise scenario.error(f"policies.{name}", f"it sends to a server, but devices.{alone[0]} has no link")
        found.update(dict.fromkeys(declared))
    return list(found)


def _unfit(spec: AnyPolicy, shape: ModelShape, declared: list[Path]) -> Iterator[str]:
    """What a policy asks of ``+informative`` that the model's cuts do not have."""
    sent = {hop for path in declared for hop in path}
    for cut, codec in sorted(sent):
        if codec in _informative([codec]) and not fits(codec, cut, shape.cuts[cut]):
            yield f"{codec} at cut {cut}"
    named = _informative(getattr(spec, "codecs", ()))
    yield from (f"{codec} for any cut" for codec in named if codec not in {codec for _, codec in sent})
    for cut in (getattr(spec, "cuts", None) or ()) if named else ():
        if 0 < cut < shape.num_blocks and cut not in {cut for cut, _ in sent}:
            yield f"{named[0]} for cut {cut}"


def _informative(codecs: Iterable[str]) -> list[str]:
    return [codec for codec in codecs if "+informative" in codec]


def live_executors(scenario: Scenario, split: str) -> dict[str, Any]:
    """For every model of the scenario what executes it inside a run."""
    for name, spec in scenario.models.items():
        if spec.source not in ("zoo", "timm"):
            raise scenario.error("execution", f"live needs models that can be executed, {name!r} is {spec.source}")
    return {name: live_executor(spec, scenario.data, split) for name, spec in scenario.models.items()}  # type: ignore[arg-type]


def _costs(scenario: Scenario, name: str, spec: Model) -> ModelCosts | SyntheticCosts:
    if spec.source == "synthetic":
        return synthetic_costs(spec)
    try:
        if spec.source == "outcomes":
            return ModelCosts(find_profile(spec.profile, name))
        profile = find_profile(spec.profile, spec.variant if spec.source == "timm" else spec.name)
        if spec.source == "timm":
            _check_merge(spec, profile)
        exits = model_card(spec.name).exits if spec.source == "zoo" else (*spec.exits, profile.num_blocks)
        return ModelCosts(profile, exits)
    except InputError as error:
        raise scenario.error(f"models.{name}", str(error)) from error


def _check_merge(spec: TimmModel, profile: Profile) -> None:
    """Refuse a profile of the same backbone with other token merging: its times and cuts are others."""
    if profile.model.name.partition("+merge")[2] != spec.variant.partition("+merge")[2]:
        raise InputError(
            f"merge: found {spec.merge}, but its profile is of {profile.model.name}, not of {spec.variant}"
        )


def _outcomes(scenario: Scenario, shape: ModelShape, paths: list[Path], split: str, progress: Progress) -> Outcomes:
    name = shape.name
    try:
        return obtain(
            name,
            scenario.models[name],
            scenario.data,
            split,  # type: ignore[arg-type]
            paths,
            shape.exits,
            shape.cuts,
            scenario.seed,
            lambda done, total: progress(f"executing {name} ({split})", done, total),
        )
    except InputError as error:
        raise scenario.error(f"models.{name}", str(error)) from error


def _check_processors(scenario: Scenario, assets: Assets) -> None:
    """Refuse processors that cannot run the models, batches without a known time, and rates that cannot be built."""
    for room, nodes in (("devices", scenario.devices), ("servers", scenario.servers)):
        for name, node in nodes.items():
            for model in scenario.models:
                try:
                    costs = assets.on(node.processor, model)
                except InputError as error:
                    raise scenario.error(f"{room}.{name}.processor", str(error)) from error
                batch = getattr(node, "batch", None)
                if batch is not None and costs.max_batch is not None and batch.max_size > costs.max_batch:
                    raise scenario.error(
                        f"{room}.{name}.batch.max_size",
                        f"found {batch.max_size}, allowed: at most {costs.max_batch}, the largest batch of {model!r} "
                        "with a known time there",
                    )
