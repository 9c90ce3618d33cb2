"""From what a scenario says of a policy to its class."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from edgesim.errors import InputError
from edgesim.policies.at_cut import Anytime, FixedCut, ServerOnly, Thresholds
from edgesim.policies.base import Policy
from edgesim.policies.fixed_arm import ArmSpec, FixedArm
from edgesim.policies.local_first import DeviceOnly, ExitsThenImage
from edgesim.policies.neurosurgeon import Neurosurgeon
from edgesim.policies.oracles import Clairvoyant, LinkOracle
from edgesim.policies.random_cut import RandomCut
from edgesim.policies.tiers import Tiers

BUILT_IN: dict[str, type[Policy]] = {
    "device_only": DeviceOnly,
    "server_only": ServerOnly,
    "fixed_cut": FixedCut,
    "random": RandomCut,
    "exits_then_image": ExitsThenImage,
    "thresholds": Thresholds,
    "anytime": Anytime,
    "neurosurgeon": Neurosurgeon,
    "link_oracle": LinkOracle,
    "clairvoyant": Clairvoyant,
    "tiers": Tiers,
}


def build_policy(spec: Any, models: Sequence[str]) -> Policy:
    """A new instance for one node.

    spec: a policy of a scenario, or an :class:`ArmSpec`.  models: the models it works with, the device's first.
    Raises InputError where a user's class cannot be found, is not a :class:`Policy`, or does not take its options.
    """
    if isinstance(spec, ArmSpec):
        return FixedArm(models, spec.arm)
    if spec.type in BUILT_IN:
        keys = set(type(spec).model_fields) - {"type", "models", "model"}
        return BUILT_IN[spec.type](models, **{key: getattr(spec, key) for key in keys})  # type: ignore[arg-type]
    policy = user_class(spec)
    try:
        return policy(models, **spec.options)
    except TypeError as error:
        raise InputError(f"policy {spec.type}: options {dict(spec.options)} do not fit: {error}") from None


def user_class(spec: Any) -> type[Policy]:
    """The class that a scenario names as ``file.py:Class`` or ``package.module:Class``."""
    module = _from_file(spec.file) if spec.file is not None else _by_name(spec.module, spec.type)
    found = getattr(module, spec.class_name, None)
    if not (isinstance(found, type) and issubclass(found, Policy)):
        what = "is no subclass of edgesim.policies.base.Policy" if found is not None else f"is not in {spec.module}"
        raise InputError(f"policy {spec.type}: {spec.class_name} {what}")
    if missing := sorted(found.__abstractmethods__):
        raise InputError(f"policy {spec.type}: {spec.class_name} does not say what to do: define {', '.join(missing)}")
    return found


def _from_file(path: Path) -> ModuleType:
    name = f"edgesim_user_{path.stem}_{sha256(path.read_bytes() + str(path).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise InputError(f"policy file {path} could not be loaded: {type(error).__name__}: {error}") from error
    return module


def _by_name(module: str, named: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:
        raise InputError(f"policy {named} could not be loaded: {type(error).__name__}: {error}") from error
