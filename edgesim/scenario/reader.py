"""A YAML text as a document: plain values, each of which remembers its line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from edgesim.errors import InputError
from edgesim.scenario.document import Document, Key, Place, dotted, shown

PREFIX = "tag:yaml.org,2002:"
TAGS = {PREFIX + name for name in ("str", "int", "float", "bool", "null", "map", "seq")}


def read(path: Path) -> Document:
    """Read a YAML file.  Raises InputError where there is none, where it is no text, and as ``parse``."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: this is no text in UTF-8") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Document:
    """Read YAML 1.2 (1e6 is a number, ``on`` is text).

    Raises InputError with the line for text that is no YAML, duplicate keys, keys that are no plain text, NaN and
    infinity, tags, merge keys, aliases that hold themselves, and for anything but a mapping at the top.
    """
    value, places = parse_value(text, name)
    if not isinstance(value, dict):
        raise InputError(f"{name}:1:1: found {shown(value)}, allowed: a mapping of keys to values")
    return Document(name, value, places)


def parse_value(text: str, name: str) -> tuple[Any, dict[str, Place]]:
    """Any YAML value and the places in it; errors as in ``parse``."""
    reader = _Reader(name)
    try:
        node = reader.yaml.compose(text)
        return (None if node is None else reader.value(node, ())), reader.places
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise InputError(f"{where}: this is no YAML: {error.problem or error.context}") from None
    except YAMLError as error:
        raise InputError(f"{name}: this is no YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise InputError(f"{name}: nested too deeply, or an alias that holds itself") from None


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[str, Place] = {}
        self.yaml = YAML(typ="safe", pure=True)

    def value(self, node: Node, key: Key) -> Any:
        tag = str(node.tag)
        if isinstance(node, ScalarNode) and tag == PREFIX + "timestamp":
            return node.value
        if tag not in TAGS:
            raise InputError(self._error(node, key, f"found the tag {tag}, allowed: plain values"))
        if isinstance(node, MappingNode):
            return {name: self.value(child, (*key, name)) for name, child in self._entries(node, key)}
        if isinstance(node, SequenceNode):
            return [self._element(child, (*key, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, key)

    def _entries(self, node: MappingNode, key: Key) -> Iterator[tuple[str, Node]]:
        seen: dict[str, Place] = {}
        for name_node, child in node.value:
            if str(name_node.tag) == PREFIX + "merge":
                raise InputError(self._error(name_node, key, "found a merge key '<<', allowed: plain keys"))
            if not isinstance(name_node, ScalarNode) or str(name_node.tag) not in TAGS - {PREFIX + "null"}:
                raise InputError(self._error(name_node, key, "found a key that is no text; allowed: text"))
            name = name_node.value
            place = self._place(name_node)
            if name in seen:
                first = f"line {seen[name].line}"
                raise InputError(self._error(name_node, (*key, name), f"duplicate key; it stands at {first} already"))
            seen[name] = self.places[dotted((*key, name))] = place
            yield name, child

    def _element(self, node: Node, key: Key) -> Any:
        self.places[dotted(key)] = self._place(node)
        return self.value(node, key)

    def _scalar(self, node: Node, key: Key) -> Any:
        try:
            value = self.yaml.constructor.construct_object(node)
        except (YAMLError, ValueError):
            raise InputError(self._error(node, key, f"found {node.value[:60]!r}, allowed: a plain value")) from None
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(self._error(node, key, f"found {node.value[:60]!r}, allowed: a finite number"))
        return value

    def _place(self, node: Node) -> Place:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        return Place(line, column, f"{self.name}:{line}:{column}")

    def _error(self, node: Node, key: Key, message: str) -> str:
        return f"{self._place(node).text}: {dotted(key)}: {message}"
