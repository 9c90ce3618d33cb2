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
    ("admission: {type: wait}", "wait", "admission.type", "found 'wait'|max_wait or deadline|did you mean 'max_wait'?"),
    ("admission: {max_wait_ms: 5}", "max_wait", "admission.type", "missing key|max_wait or deadline"),
    ("admission: {type: max_wait}", "max_wait", "admission.max_wait_ms", "missing key|at least 0, in ms"),
    ("admission: {type: max_wait, max_wait_ms: -1}", "-1", "admission.max_wait_ms", "found -1|at least 0, in ms"),
    ("admission: {type: deadline}", "deadline", "admission.type", "needs the deadline|devices.camera.deadline.known"),
    ("count: 0", "0", "count", "found 0|a whole number at least 1"),
    ("balance: two", "two", "balance", "found 'two'|two_choices, random or nearest"),
    ("scheduler: {type: ps}", "ps", "scheduler.type", "found 'ps'|in_turn, processor_sharing or imprecise"),
    ("scheduler: imprecise", "imprecise", "scheduler", "found 'imprecise'|a mapping with type"),
    ("scheduler: {type: imprecise, quantum: -1}", "-1", "scheduler.quantum", "found -1|at least 0"),
    ("scheduler: {type: imprecise}", "imprecise", "scheduler.type", "needs the deadline|devices.camera.deadline.known"),
    (
        "queue: {bound: 5}\n    scheduler: {type: processor_sharing}",
        "queue",
        "queue",
        "where nobody waits|leave it out",
    ),
    ("queue: {order: priority}\n    scheduler: {type: imprecise}", "order", "queue.order", "priority beside|edf"),
]


@pytest.mark.parametrize(("text", "marker", "key", "words"), CASES, ids=[case[0][:50] for case in CASES])
def test_a_mistake_in_a_servers_section(bench, text, marker, key, words):
    message = bench.refused("workers: 2", f"workers: 2\n    {text}")
    first = text.split("\n")[0]
    line = next((line for line in message.splitlines() if f": servers.edge.{key}: " in line), None)
    assert line is not None, message
    assert line.startswith(bench.where(f"    {first}")) and marker in text, message
    for word in words.split("|"):
        assert word in line


def test_a_priority_is_a_whole_number(bench):
    message = bench.refused("count: 2", "count: 2\n    priority: -1")
    assert message.startswith(bench.where("priority: -1"))
    assert "devices.camera.priority: found -1 (a whole number), allowed: a whole number at least 0" in message


def test_a_replica_is_named_as_no_other_server(bench):
    message = bench.refused("workers: 2", "count: 3\n  edge-2:\n    workers: 2")
    assert f"{bench.where('count: 3')}5: servers.edge.count: found 3 replicas beside a server named edge-2" in message


@pytest.mark.parametrize("kind", ["processor_sharing", "imprecise"])
def test_a_scheduler_of_another_kind_takes_no_batches(bench, kind):
    message = bench.refused("workers: 2", f"workers: 2\n    scheduler: {{type: {kind}}}")
    assert f"servers.edge.batch.max_size: found 4 beside {kind}; allowed: 1" in message
    assert ("servers.edge.workers: found 2 beside imprecise" in message) == (kind == "imprecise")


@pytest.mark.parametrize(
    ("data", "asks"),
    [
        ({}, []),
        (
            {"queue": {"order": "edf", "bound": 9}, "admission": {"type": "max_wait", "max_wait_ms": 5}},
            [("queue", "order")],
        ),
        ({"admission": {"type": "deadline"}}, [("admission", "type")]),
        ({"scheduler": {"type": "imprecise"}}, [("scheduler", "type")]),
        ({"scheduler": {"type": "processor_sharing"}}, []),
    ],
)
def test_who_acts_on_deadlines(data: dict[str, Any], asks: list[Any]) -> None:
    assert list(TypeAdapter(Server).validate_python(data).asks_deadlines()) == asks
