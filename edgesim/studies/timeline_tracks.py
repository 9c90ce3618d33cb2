"""From what was seen of a cell to the tracks, slices, arrows and counters of its timeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import inf, isfinite
from typing import Any

import numpy as np

from edgesim.compute.nodes import Node
from edgesim.engine.observed import AWAY, QUEUE, TRANSFER, WORK, ObservedWorld, Span, carrier
from edgesim.engine.request import Request
from edgesim.network.rate import RateProcess, pieces
from edgesim.results.request_rows import LATE, ON_TIME
from edgesim.results.timeline import Counter, Instant, Slice, Timeline, Track
from edgesim.workload.deadlines import ON_TIME_TOLERANCE_S

Place = Any
"""A node, a link of a device's own, a direction of a cell, or a hop between servers."""
Names = dict[Place, tuple[str, dict[str, str]]]
"""By place: the owner of its tracks, and their names by the kind of a span."""


def draw(world: ObservedWorld, rows: Mapping[str, np.ndarray], chosen: range, about: Mapping[str, Any]) -> Timeline:
    """The timeline of some requests of a world whose run is over.

    rows: of requests.parquet, in the order of devices' names and numbers.  chosen: numbers by arrival.  Of the other
    requests nothing is drawn, but counters count them.
    """
    asked = sorted(world.seen.ends, key=lambda each: (each.arrival_s, each.device.name, each.number))
    asked = asked[chosen.start : chosen.stop]
    names = _names(world)
    timeline = Timeline(about, list(_tracks(world, names)))
    window = asked[0].arrival_s, max(world.seen.ends[each] for each in asked)
    facts = {key: index for index, key in enumerate(zip(rows["device"], rows["number"].tolist(), strict=True))}
    for request in asked:
        index = facts[request.device.name, request.number]
        row = {name: values[index].item() for name, values in rows.items()}
        timeline.slices += _life(world, request, row)
        if request.deadline_s < world.clock.now:
            track = Track(_device(request.device), "deadlines")
            timeline.instants.append(Instant(track, f"{_name(request)} deadline", request.deadline_s))
    flowing = {request: _last(request, world.seen.ends[request]) for request in asked}
    for place, spans in world.seen.spans.items():
        timeline.slices += _slices(names[place], spans, flowing, window)
    timeline.counters += _counters(world, names, window)
    return timeline


def _name(request: Request) -> str:
    return f"{request.device.name}/{request.number}"


def _device(device: Node) -> str:
    return f"device {device.name}"


def _last(request: Request, end_s: float) -> float:
    """When its last answer came; without one, when it ended."""
    return max((answer[0] for answer in request.answers), default=end_s)


# Tracks


def _names(world: ObservedWorld) -> Names:
    """A device's processor, queue and links of its own are tracks of the device; cells and hops have owners."""
    found: Names = {}
    for device, spec in zip(world.devices, world.classes, strict=True):
        owner = _device(device)
        found[device] = owner, {QUEUE: "queue", WORK: "processor", AWAY: "away"}
        for direction, port in (("up", device.uplink), ("down", device.downlink)):
            if port is not None and carrier(port) is port:
                found[port] = owner, _of_link(f"{spec.link} {direction}")
    for name, cell in world.links.cells.items():
        for direction, link in zip(("up", "down"), cell, strict=True):
            found[link] = f"link {name}", _of_link(direction)
    for hop in world.routes.hops:
        found[hop] = f"link {hop.link}", _of_link(f"{hop.start} to {hop.stop}")
    for server in world.engine.serving:
        work = "worker" if server.sharing is None else "served together"
        found[server] = f"server {server.name}", {QUEUE: "queue", WORK: work, AWAY: "away"}
    return found


def _of_link(name: str) -> dict[str, str]:
    return {QUEUE: f"{name} queue", TRANSFER: name}


def _tracks(world: ObservedWorld, names: Names) -> Iterator[Track]:
    """All of them, a device's requests above what it does with them."""
    for device in world.devices:
        yield from (Track(_device(device), name) for name in ("requests", "deadlines"))
    for owner, kinds in names.values():
        yield from (Track(owner, name) for name in kinds.values())


# Slices


def _life(world: ObservedWorld, request: Request, row: Mapping[str, Any]) -> Iterator[Slice]:
    """A request from its arrival to the end of all work on it; its answers, or its end without one, lie in it."""
    name, track, end_s = _name(request), Track(_device(request.device), "requests"), world.seen.ends[request]
    told = {
        "sample": row["sample"],
        "deadline_ms": round(1e3 * row["deadline_s"], 6),
        "end": row["end"],
        "reason": row["reason"],
        "latency_ms": round(1e3 * row["latency_s"], 6),
        "model": row["model"],
        "exit": row["exit"],
        "correct": row["correct"],
        "cut": row["cut"],
        "codec": row["codec"],
    }
    args = {key: value for key, value in told.items() if not isinstance(value, float) or isfinite(value)}
    yield Slice(track, name, request.arrival_s, end_s, args, name, name)
    for time_s, _, model, exit, _ in request.answers:
        in_time = time_s <= request.deadline_s + ON_TIME_TOLERANCE_S
        said = {"model": model, "exit": exit}
        yield Slice(track, f"{name} answer {ON_TIME if in_time else LATE}", time_s, time_s, said, name, name)
    if not request.answers:
        yield Slice(track, f"{name} {row['end']}", end_s, end_s, {"reason": row["reason"]}, name, name)


def _slices(
    names: tuple[str, dict[str, str]],
    spans: list[Span],
    flowing: Mapping[Request, float],
    window: tuple[float, float],
) -> Iterator[Slice]:
    """What a place did with the chosen requests, and what it did for none within the window.

    flowing: of each chosen request, until when its arrows go on.
    """
    owner, kinds = names
    for span in spans:
        track, args = Track(owner, kinds[span.kind]), dict(span.args)
        if span.request is None:
            if span.start_s < window[1] and span.stop_s > window[0]:
                yield Slice(track, span.what, span.start_s, span.stop_s, args)
        elif span.request in flowing:
            name = _name(span.request)
            flow = name if span.start_s < flowing[span.request] else ""
            yield Slice(track, f"{name} {span.what}", span.start_s, span.stop_s, args, flow, span.batch or None)


# Counters


def _counters(world: ObservedWorld, names: Names, window: tuple[float, float]) -> Iterator[Counter]:
    if window[1] <= window[0]:
        return
    for place, spans in world.seen.spans.items():
        owner, kinds = names[place]
        waits = [(span.start_s, span.stop_s) for span in spans if span.kind == QUEUE]
        if waits:
            yield Counter(owner, f"{kinds[QUEUE]} length", "requests", _to(_within(_lengths(waits), window), window[1]))
    for owner, name, rate in _rates(world, names):
        edges_s, rates_bps = pieces(rate, *window)
        steps = [*zip(edges_s, np.array(rates_bps) / 1e6, strict=False)]
        yield Counter(owner, name, "Mb/s", _to(_merged(steps), window[1]))
    for device, levels in world.seen.levels_j.items():
        yield Counter(_device(device), "battery", "J", _within(levels, window))


def _lengths(waits: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """How many wait, from each time on at which that changes."""
    changes = sorted([(start_s, 1) for start_s, _ in waits] + [(stop_s, -1) for _, stop_s in waits])
    found, length = [(-inf, 0.0)], 0
    for at, (time_s, change) in enumerate(changes):
        length += change
        if at + 1 == len(changes) or changes[at + 1][0] > time_s:
            found.append((time_s, length))
    return found


def _within(steps: list[tuple[float, float]], window: tuple[float, float]) -> list[tuple[float, float]]:
    """The steps within the window, and what holds at its start."""
    *_, (_, first) = (step for step in steps if step[0] <= window[0])
    return [(window[0], first), *(step for step in steps if window[0] < step[0] <= window[1])]


def _to(steps: list[tuple[float, float]], end_s: float) -> list[tuple[float, float]]:
    """What holds last is told again at the end: chrome://tracing draws from step to step, and nothing of a lone one."""
    return [*steps, (end_s, steps[-1][1])] if steps[-1][0] < end_s else steps


def _merged(steps: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without the steps that change nothing."""
    return [
        (time_s, float(value)) for (_, before), (time_s, value) in pairwise([(-inf, -inf), *steps]) if value != before
    ]


def _rates(world: ObservedWorld, names: Names) -> Iterator[tuple[str, str, RateProcess]]:
    """(owner, name, rate) of each link: once where all devices of a cell have the same."""
    for link, (owner, kinds) in names.items():
        rate = getattr(getattr(link, "cell", None), "rate", None)
        if rate is not None:
            yield owner, f"{kinds[TRANSFER]} rate", rate
    for hop in world.routes.hops:
        owner, kinds = names[hop]
        yield owner, f"{kinds[TRANSFER]} rate", hop.fifo.rate
    for device, spec in zip(world.devices, world.classes, strict=True):
        for direction, port in (("up", device.uplink), ("down", device.downlink)):
            if port is not None and not hasattr(getattr(carrier(port), "cell", None), "rate"):
                yield _device(device), f"{spec.link} {direction} rate", port.rate
