"""In what a profile was made otherwise than what it is used with.

Nothing here is wrong by itself (a profile may describe another machine on purpose), but it must be said.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from edgesim.profiling.machine import cpu_name
from edgesim.profiling.profile import Profile


def differences(profile: Profile, model_hash: str | None = None) -> list[str]:
    """A sentence for each difference: the model's structure (where its hash is given), CPU, torch, Python."""
    name, machine = profile.model.name, profile.machine
    found = [("CPU", machine.cpu, cpu_name()), ("torch", machine.torch, _installed("torch"))]
    found.append(("Python", _minor(machine.python), _minor(platform.python_version())))
    if model_hash is not None:
        found.insert(0, ("model structure", profile.model.hash, model_hash))
    return [f"profile of {name}: {what} was {then}, here it is {now}" for what, then, now in found if then != now]


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])
