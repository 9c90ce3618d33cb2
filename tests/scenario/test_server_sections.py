"""Sections of a server: what they take, and one located error for each mistake."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from edgesim.scenario.servers import Server

CASES = [
    # what the server says, a mark of the line, the key, words of the message
    ("queue: {order: lifo}", "order", "queue.order", "found 'lifo'|fifo, priority or edf|Who is next"),
    ("queue: {ordre: edf}", "ordre", "queue.ordre", "unknown key|did you mean 'order'?"),
    ("queue: {bound: 0}", "bound", "queue.bound", "found 0|a whole number at least 1|null"),
    ("queue: edf", "queue: edf", "queue", "found 'edf'|a mapping with keys among order, bound"),
    ("queue: {order: edf}", "order", "queue.order", "needs the deadline|'none' at devices.camera.deadline.known|exact"),
]


@pytest.mark.parametrize(("text", "marker", "key", "words"), CASES, ids=[case[0][:50] for case in CASES])
def test_a_mistake_in_a_servers_section(bench, text, marker, key, words):
    message = bench.refused("workers: 2", f"workers: 2\n    {text}")
    line = next((line for line in message.splitlines() if f": servers.edge.{key}: " in line), None)
    assert line is not None, message
    assert line.startswith(bench.where(f"    {text}")) and marker in text, message
    for word in words.split("|"):
        assert word in line


def test_a_priority_is_a_whole_number(bench):
    message = bench.refused("count: 2", "count: 2\n    priority: -1")
    assert message.startswith(bench.where("priority: -1"))
    assert "devices.camera.priority: found -1 (a whole number), allowed: a whole number at least 0" in message


@pytest.mark.parametrize(("data", "asks"), [({}, []), ({"queue": {"order": "edf", "bound": 9}}, [("queue", "order")])])
def test_who_acts_on_deadlines(data: dict[str, Any], asks: list[Any]) -> None:
    assert list(TypeAdapter(Server).validate_python(data).asks_deadlines()) == asks
