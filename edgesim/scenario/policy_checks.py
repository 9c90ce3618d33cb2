"""What a policy asks of the models, devices and links of its scenario."""

from __future__ import annotations

from collections.abc import Iterator

from edgesim.scenario.codecs import IMAGE_WORDS, STATE_WORDS, is_image_codec
from edgesim.scenario.policies import (
    AnyPolicy,
    Anytime,
    Clairvoyant,
    DeviceOnly,
    ExitsThenImage,
    FixedCut,
    LinkOracle,
    Neurosurgeon,
    RandomCut,
    ServerOnly,
    StaticBest,
    Thresholds,
    Tiers,
    UserPolicy,
)
from edgesim.scenario.problems import Problem, not_among
from edgesim.scenario.scenario import Scenario

WithCut = FixedCut | Thresholds | Anytime
WithCodecs = RandomCut | StaticBest | LinkOracle | Clairvoyant


def check_policies(scenario: Scenario) -> Iterator[Problem]:
    """Everything that is wrong between the policies and the rest of a scenario."""
    for name, policy in scenario.policies.items():
        unknown = list(_references(scenario, name, policy))
        yield from unknown
        yield from _codecs(name, policy)
        if not unknown:
            yield from _models(scenario, name, policy)
        yield from _devices(scenario, name, policy)
        yield from _seeds(scenario, name, policy)
        yield from _scores(scenario, name, policy)


def _references(scenario: Scenario, name: str, policy: AnyPolicy) -> Iterator[Problem]:
    wanted: dict[tuple[str, ...], str | None] = {}
    if isinstance(policy, ServerOnly):
        wanted[("model",)] = policy.model
    elif policy.models is not None:
        wanted = {("models", "device"): policy.models.device, ("models", "server"): policy.models.server}
    for key, model in wanted.items():
        if model is not None and model not in scenario.models:
            yield Problem(("policies", name, *key), not_among(model, scenario.models, "a name in models"))


def _codecs(name: str, policy: AnyPolicy) -> Iterator[Problem]:
    if isinstance(policy, WithCut) and policy.cut is not None and is_image_codec(policy.codec) != (policy.cut == 0):
        words = IMAGE_WORDS if policy.cut == 0 else STATE_WORDS
        yield Problem(("policies", name, "codec"), f"found '{policy.codec}' at cut {policy.cut}, allowed: {words}")
    if isinstance(policy, RandomCut):
        for position, cut in enumerate(policy.cuts or ()):
            if not any(is_image_codec(codec) == (cut == 0) for codec in policy.codecs):
                words = IMAGE_WORDS if cut == 0 else STATE_WORDS
                message = f"found {cut}, but none of codecs fits this cut; allowed in codecs: {words}"
                yield Problem(("policies", name, "cuts", position), message)


def _models(scenario: Scenario, name: str, policy: AnyPolicy) -> Iterator[Problem]:
    device, server = scenario.models_of(name)
    if device != server and _sends_states(policy):
        found = f"found '{device}' on the device and '{server}' on the server, which cannot read its states"
        yield Problem(("policies", name, "models"), f"{found}; allowed: one model, or a policy that sends the image")


def _sends_states(policy: AnyPolicy) -> bool:
    if isinstance(policy, WithCut):
        return bool(policy.cut)
    if isinstance(policy, RandomCut) and policy.cuts is not None:
        return any(policy.cuts)
    if isinstance(policy, WithCodecs):
        return not all(map(is_image_codec, policy.codecs))
    return isinstance(policy, Neurosurgeon)


def _devices(scenario: Scenario, name: str, policy: AnyPolicy) -> Iterator[Problem]:
    for device_name, device in scenario.devices.items():
        if _sends(policy) and device.link is None:
            message = f"found a policy that sends, but devices.{device_name} has no link; allowed: a link and a server"
            yield Problem(("policies", name, "type"), message)
        if isinstance(policy, Neurosurgeon) and policy.objective == "energy" and device.power is None:
            message = f"found energy, but devices.{device_name} has no power; allowed: power there, or latency"
            yield Problem(("policies", name, "objective"), message)


def _sends(policy: AnyPolicy) -> bool:
    if isinstance(policy, Thresholds | Anytime):
        return policy.cut is not None
    return not isinstance(policy, DeviceOnly | UserPolicy)


def _seeds(scenario: Scenario, name: str, policy: AnyPolicy) -> Iterator[Problem]:
    """What is tuned on a run must not be reported on the same run."""
    last = scenario.seed + scenario.replications - 1
    if isinstance(policy, StaticBest) and scenario.seed <= policy.calibration_seed <= last:
        message = f"found {policy.calibration_seed}, allowed: none of the reported seeds {scenario.seed} to {last}"
        yield Problem(("policies", name, "calibration_seed"), message)


def _scores(scenario: Scenario, name: str, policy: AnyPolicy) -> Iterator[Problem]:
    """Values have no confidence, and classes no distance."""
    score = policy.score if isinstance(policy, Thresholds | ExitsThenImage | Tiers) else None
    if isinstance(policy, Tiers) and policy.threshold is None:
        return
    if score is not None and (score == "change") != scenario.regression:
        allowed = "change, as data asks for counts" if scenario.regression else "confidence, entropy, margin"
        yield Problem(("policies", name, "score"), f"found {score}, allowed: {allowed}")
