"""What is wrong with a file, said so that it can be mended: place, key, what was found, what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from edgesim.errors import InputError, closest, nearest
from edgesim.scenario.document import Document, Key, shown
from edgesim.scenario.scenario import Scenario
from edgesim.scenario.schema import KINDS, allowed, branches, keys, kind_key, one_of, part, tag

MOST = 10


class Problem(NamedTuple):
    """One thing that is wrong, at one key."""

    key: Key
    message: str


def input_error(document: Document, problems: Iterable[Problem]) -> InputError:
    """One error for all problems, in the order of the file; at most ten are shown."""
    ordered = sorted(problems, key=lambda problem: document.place(problem.key)[:2])
    lines = [document.error(*problem) for problem in ordered[:MOST]]
    if len(ordered) > MOST:
        lines.append(f"... and {len(ordered) - MOST} more")
    return InputError("\n".join(lines))


def not_among(name: str, names: Iterable[str], what: str) -> str:
    """The message for a reference that names nothing."""
    known = list(names)
    return f"found '{name}', allowed: {what} ({', '.join(known) or 'there are none'}){closest(name, known)}"


def is_one_of(name: str, counts: Mapping[str, int]) -> bool:
    """Whether ``name`` is a class, or NAME-NUMBER of one with that many members."""
    class_name, _, number = name.rpartition("-")
    return name in counts or (class_name in counts and number.isdecimal() and int(number) < counts[class_name])


def from_validation(error: ValidationError, data: dict[str, Any], model: type[BaseModel] = Scenario) -> list[Problem]:
    """Problems of ``data``, which should be a ``model``, from pydantic's account of it.

    A key that is missing because it is mistyped is one problem, not two.
    """
    found = error.errors(include_url=False)
    unknown = [_key(details["loc"], data, "") for details in found if details["type"] == "extra_forbidden"]
    meant = {(*key[:-1], nearest(str(key[-1]), _known(data, key, model))) for key in unknown}
    return [
        _problem(details, data, model)
        for details in found
        if details["type"] != "missing" or _key(details["loc"], data, "missing") not in meant
    ]


def _problem(details: ErrorDetails, data: dict[str, Any], model: type[BaseModel]) -> Problem:
    kind = details["type"]
    key = _key(details["loc"], data, kind)
    if kind == "missing" and isinstance(key[-1], int):
        key = key[:-1]
    elif kind == "missing":
        return Problem(key, f"missing key; allowed: {_allowed(data, key, model)}")
    if kind == "extra_forbidden":
        return Problem(key, _unknown(data, key, model))
    if kind == "value_error":
        return Problem(key, str(details["ctx"]["error"]))
    if kind.startswith("union_tag"):
        return _wrong_kind(data, key, model)
    if details["loc"] and details["loc"][-1] == "[key]":
        return Problem(key, f"found the name {key[-1]!r}, allowed: letters, digits, '_' and '-'")
    found = _at(data, key)
    return Problem(key, f"found {shown(found)}, allowed: {_allowed(data, key, model)}{_hint(found)}")


def _key(loc: tuple[str | int, ...], data: Any, kind: str) -> Key:
    """pydantic's location without the tags of unions, which no user wrote.

    A tag follows the mapping, list or number that it belongs to: it is either the value of the mapping's key of
    kind, or it leads nowhere in the data.
    """
    key: list[str | int] = []
    tag_may_come = True
    for position, step in enumerate(loc):
        missing = kind == "missing" and position == len(loc) - 1
        if isinstance(data, dict) and tag_may_come and any(data.get(name) == step for name in KINDS):
            tag_may_come = False
        elif missing or _leads_on(data, step):
            key.append(step)
            data = None if missing else data[step]
            tag_may_come = True
    return tuple(key)


def _leads_on(data: Any, step: str | int) -> bool:
    if isinstance(data, dict):
        return step in data
    return isinstance(data, list) and isinstance(step, int) and step < len(data)


def _unknown(data: dict[str, Any], key: Key, model: type[BaseModel]) -> str:
    known = _known(data, key, model)
    return f"unknown key; allowed: {', '.join(known)}{closest(str(key[-1]), known)}"


def _known(data: dict[str, Any], key: Key, model: type[BaseModel]) -> list[str]:
    """The keys that might stand in the place of this one."""
    around = key[:-1]
    return keys(part(model, data, around) or {}, _at(data, around))


def _wrong_kind(data: dict[str, Any], key: Key, model: type[BaseModel]) -> Problem:
    schema, found = part(model, data, key) or {}, _at(data, key)
    chosen = kind_key(schema)
    if not isinstance(found, dict) or chosen is None:
        return Problem(key, f"found {shown(found)}, allowed: {allowed(schema, str(key[-1]))}{_hint(found)}")
    known = _tags(schema, chosen)
    if chosen not in found:
        return Problem((*key, chosen), f"missing key; allowed: {one_of(known)}")
    value = found[chosen]
    return Problem((*key, chosen), f"found {shown(value)}, allowed: {one_of(known)}{closest(str(value), known)}")


def _tags(schema: dict[str, Any], chosen: str) -> list[str]:
    return [tag(branch["properties"][chosen]) for branch in branches(schema) if chosen in branch.get("properties", ())]


def _allowed(data: dict[str, Any], key: Key, model: type[BaseModel]) -> str:
    schema = part(model, data, key) or {}
    named = next((str(name) for name in reversed(key) if isinstance(name, str)), "")
    described = part(model, data, tuple(key[: len(key) - _trailing(key)])) or {}
    meaning = described.get("description")
    return allowed(schema, named) + (f" ({meaning.rstrip('.')})" if meaning else "")


def _trailing(key: Key) -> int:
    """How many list positions end the key: the description belongs to the list."""
    return next((count for count, name in enumerate(reversed(key)) if isinstance(name, str)), len(key))


def _hint(found: Any) -> str:
    """A number with a unit behind it is the most likely slip."""
    if isinstance(found, str) and re.fullmatch(r"\s*[-+]?[\d.]+(e[-+]?\d+)?\s*[a-zA-Z/%]*\s*", found):
        if found.strip().endswith("%"):
            return "; write a share as a number, such as 0.6 for 60 %"
        return "; write the number alone, without quotes: the unit is in the key"
    return ""


def _at(data: Any, key: Key) -> Any:
    for name in key:
        if not _leads_on(data, name):
            return None
        data = data[name]
    return data
