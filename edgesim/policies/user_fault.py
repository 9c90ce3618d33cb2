"""A mistake in a user's policy, told by the line where it happened."""

from __future__ import annotations

from inspect import getfile
from traceback import extract_tb
from typing import Any

from edgesim.policies.registry import user_class
from edgesim.scenario.policies import UserPolicy


def fault_of_user(spec: Any, error: Exception) -> str | None:
    """File, line and error, where ``error`` came out of the file of the policy's class; None where it did not.

    spec: a policy of a scenario.
    """
    if not isinstance(spec, UserPolicy):
        return None
    file = getfile(user_class(spec))
    frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename == file]
    if not frames:
        return None
    return f"{file}:{frames[-1].lineno}: in {frames[-1].name}: {type(error).__name__}: {error}"
