"""What happened when, as a trace for Perfetto (ui.perfetto.dev) and chrome://tracing.

The format is Chrome's: N. Duca and D. Sinclair, Trace Event Format (2016).  A process is a node or a link, its threads
are tracks of it; slices that overlap without being parts of each other get tracks of their own, as the format wants
them nested.
"""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, groupby
from math import inf, nextafter
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from edgesim.errors import InputError

Event = dict[str, Any]

LONGER_NS, BEHIND_NS = 0.25, 0.5
"""What chrome://tracing needs to tell slices apart: to it a slice lasts up to its end, that one included, so that where
two meet an arrow would be bound to the former; and a mark at the end of the slice around it would, as numbers are
rounded, be found outside.  So arrows are bound a little behind the beginning, and a slice that ends with a mark lasts a
little longer.  Perfetto cuts both off."""


class Track(NamedTuple):
    """A row of the picture: what it is of, and a name in it."""

    owner: str
    name: str


class Slice(NamedTuple):
    """Something that lasted; times in s.

    flow: the request whose arrows begin, pass or end where the slice begins; empty: none.  group: slices of a track
    with the same one lie within the longest of them.
    """

    track: Track
    name: str
    start_s: float
    stop_s: float
    args: Mapping[str, Any] = {}
    flow: str = ""
    group: Hashable = None


class Instant(NamedTuple):
    track: Track
    name: str
    time_s: float


class Counter(NamedTuple):
    """Steps: each of the values holds from its time on."""

    owner: str
    name: str
    unit: str
    steps: Sequence[tuple[float, float]]


@dataclass
class Timeline:
    """about: of which simulation.  tracks: in the order of the picture; those that hold nothing are not drawn."""

    about: Mapping[str, Any]
    tracks: Sequence[Track]
    slices: list[Slice] = field(default_factory=list)
    instants: list[Instant] = field(default_factory=list)
    counters: list[Counter] = field(default_factory=list)


def write_timeline(timeline: Timeline, path: Path) -> None:
    """Write the trace, whole or not at all.  Raises InputError where it cannot be written."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(json.dumps(as_trace(timeline), separators=(",", ":"), allow_nan=False), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def as_trace(timeline: Timeline) -> dict[str, Any]:
    """The trace as a JSON object: ``traceEvents`` in the order of time, ``otherData`` says what it is of.

    By its unit of display chrome://tracing also rounds before it nests slices: with ms, those of less than 1 us that
    follow each other would be parts of each other.
    """
    used = {track: lanes(slices) for track, slices in _by_track(timeline.slices).items()}
    used.update({instant.track: used.get(instant.track, [[]]) for instant in timeline.instants})
    tracks = [track for track in timeline.tracks if track in used]
    owners = list(dict.fromkeys([track.owner for track in tracks]))
    pids = {owner: pid for pid, owner in enumerate(owners, start=1)}
    number = count(len(pids) + 1)  # a number stands for one thing only, be it a process or a track
    tids = {(track, lane): next(number) for track in tracks for lane in range(len(used[track]))}
    timed = [
        *_slices(used, pids, tids),
        *_instants(timeline.instants, pids, tids),
        *_counters(timeline.counters, pids),
    ]
    timed.sort(key=itemgetter("ts"))  # in ns up to here, and stable: an arrow stays behind the slice it is bound to
    for event in timed:
        event["ts"] = _us(event["ts"], event.pop("more_ns", 0))
    events = [*_metadata(pids, tids), *timed]
    return {"displayTimeUnit": "ns", "traceEvents": events, "otherData": dict(timeline.about)}


def lanes(slices: Iterable[Slice]) -> list[list[Slice]]:
    """The slices of a track on as few lanes as keep those of different groups apart, each in the order of drawing."""
    groups: dict[Hashable, list[Slice]] = {}
    for alone, each in enumerate(slices):
        groups.setdefault((each.group,) if each.group is not None else alone, []).append(each)
    found: list[list[Slice]] = []
    free_s: list[float] = []
    for group in sorted(groups.values(), key=lambda group: min(each.start_s for each in group)):
        start_s, stop_s = min(each.start_s for each in group), max(each.stop_s for each in group)
        lane = next((lane for lane, until_s in enumerate(free_s) if until_s <= start_s), len(free_s))
        if lane == len(free_s):
            free_s.append(0.0)
            found.append([])
        free_s[lane] = stop_s
        found[lane] += sorted(group, key=lambda each: (each.start_s, -each.stop_s))
    return found


def _by_track(slices: Iterable[Slice]) -> dict[Track, list[Slice]]:
    found: dict[Track, list[Slice]] = {}
    for each in slices:
        found.setdefault(each.track, []).append(each)
    return found


def _ns(time_s: float) -> int:
    return round(1e9 * time_s)


def _us(time_ns: int, more_ns: float = 0) -> float:
    """Microseconds, of which Perfetto makes the same nanoseconds again: it multiplies and cuts off, and drops slices
    that overlap, be it by a nanosecond."""
    time_us = (time_ns + more_ns) / 1000
    return time_us if int(time_us * 1000) == time_ns else nextafter(time_us, inf)


def _metadata(pids: Mapping[str, int], tids: Mapping[tuple[Track, int], int]) -> Iterator[Event]:
    for owner, pid in pids.items():
        yield {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": owner}}
        yield {"ph": "M", "name": "process_sort_index", "pid": pid, "args": {"sort_index": pid}}
    for (track, lane), tid in tids.items():
        where = {"ph": "M", "pid": pids[track.owner], "tid": tid}
        yield {**where, "name": "thread_name", "args": {"name": f"{track.name} ({lane + 1})" if lane else track.name}}
        yield {**where, "name": "thread_sort_index", "args": {"sort_index": tid}}


def _slices(
    used: Mapping[Track, list[list[Slice]]], pids: Mapping[str, int], tids: Mapping[tuple[Track, int], int]
) -> Iterator[Event]:
    """Each slice, and right behind it the arrow that is bound to it."""
    arrows = _arrows([each for found in used.values() for lane in found for each in lane])
    for (track, lane), tid in tids.items():
        marks_ns = {_ns(each.start_s) for each in used[track][lane] if each.start_s == each.stop_s}
        for each in used[track][lane]:
            where = {"pid": pids[track.owner], "tid": tid, "ts": _ns(each.start_s)}
            length_ns = _ns(each.stop_s) - where["ts"]
            dur = _us(length_ns, LONGER_NS if length_ns and where["ts"] + length_ns in marks_ns else 0)
            yield {"ph": "X", "name": each.name, "cat": track.name, **where, "dur": dur, "args": each.args}
            if each.flow:
                yield {
                    "cat": "request",
                    "name": each.flow,
                    **where,
                    **arrows[id(each)],
                    "more_ns": BEHIND_NS if length_ns else 0,
                }


def _arrows(slices: Iterable[Slice]) -> dict[int, Event]:
    """By slice: whether its request's flow begins there (s), passes (t) or ends (f)."""
    flowing = sorted(
        (each for each in slices if each.flow), key=lambda each: (each.flow, _ns(each.start_s), -_ns(each.stop_s))
    )
    found = {}
    for number, (_, group) in enumerate(groupby(flowing, key=lambda each: each.flow), start=1):
        first, *others = group
        found[id(first)] = {"ph": "s", "id": number}
        found.update({id(each): {"ph": "t", "id": number} for each in others})
        if others:
            found[id(others[-1])] = {"ph": "f", "bp": "e", "id": number}
    return found


def _instants(
    instants: Iterable[Instant], pids: Mapping[str, int], tids: Mapping[tuple[Track, int], int]
) -> Iterator[Event]:
    for track, name, time_s in instants:
        where = {"pid": pids[track.owner], "tid": tids[track, 0], "ts": _ns(time_s)}
        yield {"ph": "i", "s": "t", "name": name, "cat": track.name, **where}


def _counters(counters: Iterable[Counter], pids: Mapping[str, int]) -> Iterator[Event]:
    for owner, name, unit, steps in counters:
        if owner in pids:
            for time_s, value in steps:
                yield {"ph": "C", "name": name, "pid": pids[owner], "ts": _ns(time_s), "args": {unit: value}}
