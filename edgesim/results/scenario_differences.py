"""What two resolved scenarios say differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SHOWN = 6
LONGEST = 40


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(key with dots, value in the first, value in the second); a key that one lacks has None there."""
    for key in dict.fromkeys([*first, *second]):
        values = first.get(key), second.get(key)
        if all(isinstance(value, Mapping) for value in values):
            yield from ((f"{key}.{inner}", *pair) for inner, *pair in differences(*values))  # type: ignore[misc, arg-type]
        elif values[0] != values[1]:
            yield key, *values


def differences_in_words(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """``links.radio.delay_ms (5, 20), seed (1, 2)``; empty where nothing differs but the name."""
    found = [
        f"{key} ({_short(one)}, {_short(other)})" for key, one, other in differences(first, second) if key != "name"
    ]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def _short(value: Any) -> str:
    text = "none" if value is None else "given" if isinstance(value, Mapping) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
