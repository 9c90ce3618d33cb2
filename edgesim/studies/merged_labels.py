"""What marks the numbers of a study: the labels of all its cells together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

BY_NAME = ("costs", "outcomes", "links")


def merged(labels: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One mapping as ``edgesim.studies.labels.labels_of`` makes them; where cells differ, ``one or other``."""
    every = list(labels)
    found: dict[str, Any] = {}
    for kind in BY_NAME:
        names = dict.fromkeys(name for each in every for name in each.get(kind, {}))
        found[kind] = {name: " or ".join(_all(each.get(kind, {}).get(name) for each in every)) for name in names}
    for kind in ("oracles", "assumptions"):
        found[kind] = _all(text for each in every for text in each.get(kind, ()))
    return found


def _all(texts: Iterable[str | None]) -> list[str]:
    """Each once, in order."""
    return list(dict.fromkeys(text for text in texts if text))
