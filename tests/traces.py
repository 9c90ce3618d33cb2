"""Reads traces as viewers do, and says what these would refuse."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

Event = dict[str, Any]


def ns(microseconds: float) -> int:
    """As Perfetto reads a time or a length: what is less than a nanosecond is cut off."""
    return int(microseconds * 1000.0)


def check(events: list[Event]) -> None:
    """Raises AssertionError for a trace that a viewer would not show as it is meant."""
    _fields(events)
    _slices(events)
    _flows(events)
    _bound_in_chrome(events)


def _fields(events: list[Event]) -> None:
    """What each phase must have (Trace Event Format); tracks are named, and their numbers are of one process."""
    named, owners = set[tuple[int, Any]](), dict[int, int]()
    for event in events:
        assert event["name"] and event["pid"] > 0
        if event["ph"] == "M":
            named.add((event["pid"], event.get("tid")))
            assert len(event["args"]) == 1
            continue
        assert event["ph"] in "XistfC" and event["ts"] >= 0
        assert (event["pid"], event.get("tid")) in named
        if event["ph"] == "C":
            assert all(isinstance(value, float | int) for value in event["args"].values()) and event["args"]
        else:
            assert owners.setdefault(event["tid"], event["pid"]) == event["pid"]
        if event["ph"] == "X":
            assert event["dur"] >= 0
        if event["ph"] == "i":
            assert event["s"] == "t"
    times = [ns(event["ts"]) for event in events if event["ph"] != "M"]
    assert times == sorted(times)
    assert not owners.keys() & {pid for pid, _ in named}


def _slices(events: list[Event]) -> None:
    """On a track, each slice lies within the one before, or behind it: viewers drop those that overlap."""
    open_until: defaultdict[int, list[int]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            start, stop, stack = ns(event["ts"]), ns(event["ts"]) + ns(event["dur"]), open_until[event["tid"]]
            while stack and stack[-1] <= start:
                stack.pop()
            assert not stack or stop <= stack[-1], f"{event['name']} overlaps {stop - stack[-1]} ns"
            stack.append(stop)


def _flows(events: list[Event]) -> None:
    """Arrows go from s over t to f, and each follows the slice at whose begin it is bound."""
    phases: defaultdict[int, list[str]] = defaultdict(list)
    for before, event in zip([None, *events], events, strict=False):
        if event["ph"] in "stf":
            assert before is not None and before["ph"] == "X"
            assert (ns(before["ts"]), before["tid"]) == (ns(event["ts"]), event["tid"])
            phases[event["id"]].append(event["ph"])
    for found in phases.values():
        first, *others = found
        assert first == "s" and others == ["t"] * (len(others) - 1) + ["f"] * bool(others), found


def _bound_in_chrome(events: list[Event]) -> None:
    """chrome://tracing reads ms as floats, counts a slice's end to it, and binds an arrow to the first it finds so, or
    to what lies innermost in that: there must be none but the arrow's own, those around it, and those that lie in it
    from its begin on, as what is served in one batch."""
    slices: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            slices[event["tid"]].append((event["ts"] * 1e-3, event["ts"] * 1e-3 + event["dur"] * 1e-3))
    for before, event in pairwise(events):
        if event["ph"] in "stf":
            at, start, stop = event["ts"] * 1e-3, before["ts"] * 1e-3, before["ts"] * 1e-3 + before["dur"] * 1e-3
            found = [each for each in slices[event["tid"]] if each[0] <= at <= each[1]]
            assert (start, stop) in found, event
            for each in found:
                around = each[0] <= start and each[1] >= stop
                assert around or (each[0] == start and each[1] <= stop), (event, each)
            outermost = [each for each in slices[event["tid"]] if each[0] <= start and stop <= each[1]]
            assert start < stop or len(outermost) > 1, f"{event['name']}: {before['name']} lies in nothing"
