"""Plain values that remember where a user wrote them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Key = tuple[str | int, ...]
"""Where a value stands: ("links", "access", "up", "steps", 0, 1)."""


class Place(NamedTuple):
    """Where a value was written; places sort as a reader meets them."""

    line: int
    column: int
    text: str


@dataclass
class Document:
    """Plain values, and the place of each: of the key in a mapping, of the element in a list.

    name: of the file, as errors say it.
    """

    name: str
    data: dict[str, Any]
    places: dict[str, Place] = field(default_factory=dict)

    def place(self, key: Key) -> Place:
        """The place of ``key``, or of the nearest mapping or list around it."""
        for length in range(len(key), 0, -1):
            found = self.places.get(dotted(key[:length]))
            if found:
                return found
        return Place(1, 1, f"{self.name}:1:1" if self.places else self.name)

    def error(self, key: Key, message: str) -> str:
        """The text of an error at ``key``: place, key (unless the place ends with it, as in ``--set``) and message."""
        place = self.place(key).text
        return (
            f"{place}: {message}"
            if place.split()[-1].lstrip("-") == dotted(key)
            else f"{place}: {dotted(key)}: {message}"
        )


def is_study(data: dict[str, Any]) -> bool:
    """Whether somebody wrote a study file, and no scenario."""
    return {"study", "axes", "scenario"} & data.keys() != set() and not is_scenario(data)


def is_scenario(data: dict[str, Any]) -> bool:
    """Whether somebody wrote a scenario, and no study file."""
    return {"devices", "models", "links"} & data.keys() != set()


def dotted(key: Key) -> str:
    """A key as it is written after ``--set``."""
    return ".".join(map(str, key)) or "(top)"


def shown(value: Any) -> str:
    """A value as an error shows it, with its kind."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return f"{str(value).lower()} (true or false)"
        case int():
            return f"{value} (a whole number)" if abs(value) < 10**18 else "a huge whole number"
        case float():
            return f"{value} (a number)"
        case str():
            return f"{value[:60]!r} (text)"
        case dict():
            return "a mapping" if value else "an empty mapping"
        case _:
            return f"a list of {len(value)}" if value else "an empty list"
