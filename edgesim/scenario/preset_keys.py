"""Mappings of which a preset may bring the keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def any_key_may_be_left_out(schema: dict[str, Any]) -> None:
    """For the JSON Schema: a preset may bring the keys that are needed."""
    schema.pop("required")


def with_preset(data: Any, presets: Mapping[str, Any]) -> Any:
    """``data`` on top of what its preset says; an unknown name brings every key, so that it alone is refused."""
    name = data.get("preset") if isinstance(data, dict) else None
    if name is None:
        return data
    if isinstance(name, str) and name in presets:
        return {**presets[name].values, **data}
    return {**{key: value for preset in presets.values() for key, value in preset.values.items()}, **data}


def known(name: str | None, presets: Mapping[str, Any]) -> str | None:
    """Refuse the name of no preset."""
    if name is not None and name not in presets:
        raise ValueError(f"found '{name}', allowed: {', '.join(presets)}")
    return name
