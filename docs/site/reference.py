"""A page of every key that a YAML file may have, made from the schema, so that it says what the program takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import BaseModel

from edgesim.scenario.schema import Part, allowed, branches, kind_key, linked, tag


@dataclass
class Kind:
    """A mapping with keys of its own: ``schema`` says which.

    group: where it is first met, as ``links.NAME.up``; mappings of which one is chosen there share it.  tag: what
    chooses it, as ``process: ar1``; '' where there is no choice.  again: where else it may stand.
    """

    schema: Part
    group: str
    tag: str
    again: list[str] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        return anchor(self.group, self.tag)


Kinds = dict[int, Kind]
"""By the identity of their schema, in the order in which they are met."""


def reference(model: type[BaseModel], title: str) -> str:
    """The page: a table of keys for each mapping that a file may hold."""
    kinds: Kinds = {}
    _collect(linked(model), "", kinds)
    groups: dict[str, list[Kind]] = {}
    for kind in kinds.values():
        groups.setdefault(kind.group, []).append(kind)
    lines = [f"# {title}", ""]
    sections: set[str] = set()
    for group, members in groups.items():
        section = group.partition(".")[0]
        lines += _of_group(members, kinds, level=3 if section in sections else 2)
        sections.add(section)
    return "\n".join(lines)


def anchor(group: str, chosen: str = "") -> str:
    """The name by which a section is linked."""
    return re.sub(r"[^a-z0-9]+", "-", f"{group} {chosen}".lower()).strip("-")


def _collect(schema: Part, place: str, kinds: Kinds) -> None:
    mappings = [branch for branch in branches(schema) if "properties" in branch]
    chosen_by = kind_key(schema) if len(mappings) > 1 else None
    new = [branch for branch in mappings if id(branch) not in kinds]
    for branch in mappings:
        if branch in new:
            chosen = f"{chosen_by}: {tag(branch['properties'][chosen_by])}" if chosen_by else ""
            kinds[id(branch)] = Kind(branch, place, chosen)
        else:
            kinds[id(branch)].again.append(place)
    for branch in new:
        for key, inner in branch["properties"].items():
            _collect(inner, f"{place}.{key}".lstrip("."), kinds)
    for inner, below in _held(schema):
        _collect(inner, place + below, kinds)


def _held(schema: Part) -> Iterator[tuple[Part, str]]:
    """What lists and mappings of any names hold, and how that is written behind their place."""
    for branch in branches(schema):
        if isinstance(branch.get("items"), dict):
            yield branch["items"], "[]"
        if names := _of_names(branch):
            yield names, ".NAME"


def _of_names(branch: Part) -> Part | None:
    """What a mapping of any names holds, where that is said."""
    of_any = branch.get("additionalProperties")
    return next(iter(branch.get("patternProperties", {}).values()), of_any if isinstance(of_any, dict) else None)


def _of_group(members: list[Kind], kinds: Kinds, level: int) -> Iterator[str]:
    group = members[0].group
    if group:
        yield from (f"{'#' * level} `{group}` {{ #{anchor(group)} }}", "")
    for kind in members:
        if kind.tag:
            yield from (f"{'#' * (level + 1)} `{kind.tag}` {{ #{kind.anchor} }}", "")
        yield from (_cell(kind.schema["description"]), "")
        if kind.again:
            yield from (f"Also at {', '.join(f'`{place}`' for place in kind.again)}.", "")
        yield from ("| key | value | default | meaning |", "|---|---|---|---|")
        for key, inner in kind.schema["properties"].items():
            required = key in kind.schema.get("required", ())
            cells = (f"`{key}`", _value(inner, key, kinds), _default(inner, required), _cell(inner["description"]))
            yield f"| {' | '.join(cells)} |"
        yield ""


def _value(schema: Part, key: str, kinds: Kinds) -> str:
    """What a key may have: in words, and with links to the keys of mappings."""
    mappings = [branch for branch in branches(schema) if "properties" in branch]
    words = [_unless_mapping(branch, key, kinds) for branch in branches(schema) if "properties" not in branch]
    if len(mappings) == 1:
        words.insert(0, f"[a mapping](#{kinds[id(mappings[0])].anchor})")
    elif mappings:
        links = (f"[{kinds[id(each)].tag.partition(': ')[2]}](#{kinds[id(each)].anchor})" for each in mappings)
        words.insert(0, f"a mapping with `{kind_key(schema)}`: {', '.join(links)}")
    return " or ".join(words)


def _unless_mapping(branch: Part, key: str, kinds: Kinds) -> str:
    if "patternProperties" in branch or "additionalProperties" in branch:
        inner = _of_names(branch)
        return f"a mapping of names, each to {_value(inner, key, kinds)}" if inner else "a mapping"
    if any("properties" in each for each in branches(branch.get("items") or {})):
        return f"a list, each {_value(branch['items'], key, kinds)}"
    return _cell(allowed(branch, key))


def _default(schema: Part, required: bool) -> str:
    """As it would be written; a mapping that may be left out has its own defaults."""
    if required:
        return "required"
    default = schema.get("default", {})
    plain = isinstance(default, str) and default
    return f"`{_cell(default if plain else json.dumps(default, ensure_ascii=False))}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
