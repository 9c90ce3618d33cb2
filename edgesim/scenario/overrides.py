"""Changes to a scenario: ``--set devices.camera.count=3`` on the command line, or the keys that a study varies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgesim.errors import InputError
from edgesim.scenario.document import Document, Place, dotted, shown
from edgesim.scenario.files import CommandLineText
from edgesim.scenario.problems import not_among
from edgesim.scenario.reader import parse_value

NAMED = ("models", "devices", "links", "servers", "policies")
"""Mappings whose keys are the user's names: what is to be changed in one of them must be there."""


def override(document: Document, changes: Sequence[str]) -> None:
    """Set each ``key=value`` in ``document``; a value is YAML, a key a path of names and list positions with dots.

    Raises InputError naming the key for one that leads nowhere.  Keys that the schema does not know are left to
    the validation, which finds them at their place ``--set key``.
    """
    if isinstance(changes, str | Mapping):
        raise InputError(f"overrides: found {shown(changes)}, allowed: a list, as in ['devices.camera.count=3']")
    for number, change in enumerate(changes):
        path, equals, text = change.partition("=")
        if not equals or not all(path.strip().split(".")):
            raise InputError(f"--set {change}: allowed: key=value, as in devices.camera.count=3")
        value, _ = parse_value(text, f"--set {path}")
        set_key(document, path.strip(), _typed(value), Place(0, number, f"--set {path}"))


def set_key(document: Document, key: str, value: Any, place: Place) -> None:
    """Set ``key``, a path of names and list positions with dots, to a plain value that was written at ``place``.

    Raises InputError as ``override`` does.
    """
    names = key.split(".")
    data: Any = document.data
    for depth, name in enumerate(names[:-1]):
        step = _step(data, name, place)
        if isinstance(data, dict) and data.get(step) is None:
            if depth == 1 and names[0] in NAMED:
                raise InputError(f"{place.text}: {not_among(name, data, f'a name in {names[0]}')}")
            data[step] = {}
            document.places[dotted(tuple(names[: depth + 1]))] = place
        data = data[step]
    data[_step(data, names[-1], place)] = value
    path = dotted(tuple(names))
    for stale in [key for key in document.places if key.startswith(f"{path}.")]:
        del document.places[stale]
    document.places[path] = place


def _step(data: Any, name: str, place: Place) -> str | int:
    """The key or list position that ``name`` means in ``data``."""
    if isinstance(data, dict):
        return name
    if not isinstance(data, list):
        raise InputError(f"{place.text}: '{name}' leads nowhere: found {shown(data)} before it")
    if not name.isdecimal() or int(name) >= len(data):
        raise InputError(f"{place.text}: found '{name}', allowed: a position in the list, 0 to {len(data) - 1}")
    return int(name)


def _typed(value: Any) -> Any:
    """``value`` with every text marked as typed on the command line, so that paths in it may lie anywhere."""
    if isinstance(value, dict):
        return {name: _typed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]
    return CommandLineText(value) if isinstance(value, str) else value
