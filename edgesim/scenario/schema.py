"""The JSON Schema of what users write: for editors, and to say in an error what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel

from edgesim.scenario.document import Key
from edgesim.scenario.scenario import Scenario

Part = dict[str, Any]
KINDS = ("process", "distribution", "source", "type", "what")
"""The keys that say which of several kinds a mapping is."""

UNITS = {"ms": "ms", "s": "s", "mbps": "Mb/s", "hz": "Hz", "w": "W", "j": "J", "bytes": "bytes"}
UNITS |= {"m": "m", "mps": "m/s", "mhz": "MHz", "ghz": "GHz", "db": "dB", "dbm": "dBm"}
NOUNS = {"number": "a number", "integer": "a whole number", "string": "text", "boolean": "true or false"}
TYPES: dict[str, Any] = {
    "number": (int, float),
    "integer": int,
    "string": str,
    "array": list,
    "object": dict,
    "null": type(None),
}


@cache
def json_schema(model: type[BaseModel] = Scenario) -> Part:
    """JSON Schema (draft 2020-12) of a scenario, or of another file, with a description of every key."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}


@cache
def linked(model: type[BaseModel]) -> Part:
    """The JSON Schema with every reference in the place of its name: a graph to walk, no longer JSON."""
    schema: Part = model.model_json_schema()
    _link([schema], schema.get("$defs", {}))
    return schema


def _link(values: Any, definitions: Part) -> None:
    for value in values:
        if isinstance(value, dict):
            _link([inner for name, inner in value.items() if name != "$ref"], definitions)
            if "$ref" in value:
                value["$ref"] = definitions[value["$ref"].rpartition("/")[2]]
        elif isinstance(value, list):
            _link(value, definitions)


def part(model: type[BaseModel], data: Any, key: Key) -> Part | None:
    """What the schema of ``model`` says of the value at ``key`` in ``data``; None for a key that it does not know."""
    found: Part | None = linked(model)
    for name in key:
        inner = found and variant(found, data)
        found = _child(inner, name) if inner else None
        data = _get(data, name)
    return found


def variant(schema: Part, data: Any) -> Part | None:
    """The branch of a union that ``data`` means; None where it means none of them."""
    return next((branch for branch in branches(schema) if _meant(branch, data)), None)


def branches(schema: Part) -> Iterator[Part]:
    """The kinds that a value may have: a union laid flat, references followed."""
    if "$ref" in schema:
        yield from branches(schema["$ref"])
    elif "anyOf" in schema or "oneOf" in schema:
        for branch in schema.get("anyOf") or schema["oneOf"]:
            yield from branches(branch)
    else:
        yield schema


def keys(schema: Part, data: Any) -> list[str]:
    """The keys that the mapping ``data`` may have; none where any name will do."""
    inner = variant(schema, data)
    return list(inner.get("properties", ())) if inner else []


def kind_key(schema: Part) -> str | None:
    """The key that says which kind of mapping is meant, where there are several."""
    kinds = [{name for name in KINDS if name in branch.get("properties", ())} for branch in branches(schema)]
    common = set.intersection(*filter(None, kinds)) if any(kinds) else set()
    return next(iter(common), None)


def allowed(schema: Part, name: str = "") -> str:
    """What a value may be, in words; ``name`` is its key, which holds the unit."""
    return " or ".join(_words(list(branches(schema)), name))


def _words(kinds: list[Part], name: str) -> Iterator[str]:
    mappings = [kind for kind in kinds if kind.get("type") == "object"]
    for kind in kinds:
        if kind.get("type") != "object":
            yield _plain_words(kind, name)
    chosen = kind_key({"oneOf": mappings}) if mappings else None
    if chosen:
        yield f"a mapping with {chosen}: {one_of([tag(kind['properties'][chosen]) for kind in mappings])}"
    elif mappings:
        known = mappings[0].get("properties")
        yield f"a mapping with keys among {', '.join(known)}" if known else "a mapping of names, not empty"


def _plain_words(kind: Part, name: str) -> str:
    if "enum" in kind or "const" in kind:
        return one_of(kind.get("enum") or [kind["const"]])
    if kind.get("type") == "array":
        return _list_words(kind, name)
    if "pattern" in kind:
        return f"text: {kind['title']}"
    if kind.get("type") == "null":
        return "null"
    return NOUNS.get(kind.get("type", ""), "anything") + _bounds(kind) + unit(name)


def _list_words(kind: Part, name: str) -> str:
    if "prefixItems" in kind:
        return f"a list of {len(kind['prefixItems'])}: [{', '.join(allowed(item) for item in kind['prefixItems'])}]"
    least = " not empty," if kind.get("minItems") else ""
    return f"a list,{least} of: {allowed(kind.get('items', {}), name)}"


def _bounds(kind: Part) -> str:
    words = {"exclusiveMinimum": "above", "minimum": "at least", "maximum": "at most", "exclusiveMaximum": "below"}
    bounds = [f"{word} {kind[key]:g}" for key, word in words.items() if key in kind]
    return f" {' and '.join(bounds)}" if bounds else ""


def unit(name: str) -> str:
    """', in ms' for a key that ends in the unit of its value."""
    found = re.search(r"(?:^|_)([a-z]+)$", name)
    return f", in {UNITS[found[1]]}" if found and found[1] in UNITS else ""


def one_of(values: list[Any]) -> str:
    """``a, b or c``."""
    *some, last = map(str, values)
    return f"{', '.join(some)} or {last}" if some else last


def tag(kind: Part) -> str:
    """How a kind of mapping is named: its constant, or for a user's own policy the shape of the text."""
    return kind.get("const") or "FILE.py:CLASS"


def _meant(branch: Part, data: Any) -> bool:
    wanted = TYPES.get(branch.get("type", ""))
    if wanted and not isinstance(data, wanted):
        return False
    properties = branch.get("properties", {})
    return all(_is(properties[name], data.get(name)) for name in KINDS if name in properties)


def _is(kind: Part, value: Any) -> bool:
    if "const" in kind:
        return value == kind["const"] or (value is None and "default" in kind)
    return isinstance(value, str)


def _child(schema: Part, name: str | int) -> Part | None:
    if isinstance(name, int):
        several = schema.get("prefixItems")
        return (several[name] if name < len(several) else None) if several else schema.get("items")
    if name in schema.get("properties", {}):
        return schema["properties"][name]
    any_name = schema.get("additionalProperties") or None
    return next(iter(schema.get("patternProperties", {}).values()), any_name)


def _get(data: Any, name: str | int) -> Any:
    try:
        return data[name]
    except (KeyError, IndexError, TypeError):
        return None
