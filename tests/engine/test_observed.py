"""To watch a run changes nothing, and what is seen of it adds up to what it has booked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from little_worlds import Tables, assets_of, run
from random_worlds import Data, worlds
from test_random_worlds import close, ports

from edgesim.compute.nodes import Device, Server
from edgesim.engine.observed import AWAY, QUEUE, TRANSFER, WORK, ObservedWorld, Span, carrier
from edgesim.scenario.load import build_scenario

KEY = ["device", "number"]
SLACK_S = 1e-9


def watched(tables: Tables) -> ObservedWorld:
    assert isinstance(tables.world, ObservedWorld)
    return tables.world


def spans(tables: Tables, place: Any, kind: str) -> list[Span]:
    return [span for span in watched(tables).seen.spans.get(place, ()) if span.kind == kind]


def total_s(tables: Tables, found: list[Span]) -> float:
    """Within the measured window."""
    low, high = tables.world.window
    return sum(max(min(span.stop_s, high) - max(span.start_s, low), 0.0) for span in found)


def union_s(tables: Tables, found: list[Span]) -> float:
    busy_s, (until_s, high) = 0.0, tables.world.window
    for span in sorted(found, key=lambda each: each.start_s):
        stop_s = min(span.stop_s, high)
        busy_s += max(stop_s - max(span.start_s, until_s), 0.0)
        until_s = max(until_s, stop_s)
    return busy_s


def the_same_rows(plain: Tables, seen: Tables) -> None:
    by_answer = [*KEY, "time_s", "depth"]
    for one, two, by in ((plain.requests, seen.requests, KEY), (plain.answers, seen.answers, by_answer)):
        frames = [frame.sort_values(by, ignore_index=True) for frame in (one, two)]
        pd.testing.assert_frame_equal(*frames, check_exact=True)
    for summed, one_by_one in ((plain.links, seen.links), (plain.nodes, seen.nodes)):  # in another order
        pd.testing.assert_frame_equal(summed, one_by_one, rtol=1e-11, atol=1e-12)


def lone_workers_do_one_thing_at_a_time(tables: Tables) -> None:
    for node in [*tables.world.devices, *tables.world.engine.serving]:
        if isinstance(node, Device) or in_turn(node):
            workers = node.workers if isinstance(node, Server) else 1
            found = spans(tables, node, WORK) + spans(tables, node, AWAY) * workers
            changes = sorted([(each.start_s + SLACK_S, 1) for each in found] + [(each.stop_s, -1) for each in found])
            most = max(np.cumsum([change for _, change in changes]), default=0)
            assert most <= workers, f"{node.name} does {most} things at once"


def in_turn(server: Server) -> bool:
    return server.batching is None and server.sharing is None


def nodes_are_busy_as_booked(tables: Tables) -> None:
    for node in [*tables.world.devices, *tables.world.engine.serving]:
        row = tables.node(node.name)
        if isinstance(node, Device) or in_turn(node):
            busy_s = total_s(tables, spans(tables, node, WORK))
            assert close(busy_s, row.busy_s), f"{node.name}: seen {busy_s}, booked {row.busy_s}"
        waited_s = total_s(tables, spans(tables, node, QUEUE))
        assert close(waited_s, row.queue_mean * row.window_s), f"{node.name}: seen {waited_s} s of waiting"
        assert close(total_s(tables, spans(tables, node, AWAY)), row.away_s)


def batches_are_as_large_as_they_say(tables: Tables) -> None:
    for server in tables.world.engine.serving:
        if server.batching is None:
            continue
        found: dict[int, list[Span]] = {}
        for span in spans(tables, server, WORK):
            found.setdefault(span.batch, []).append(span)
        for number, batch in found.items():
            assert number
            assert len({span.start_s for span in batch}) == 1
            assert len(batch) <= batch[0].args["batch"] <= server.batching.max_size


def links_are_busy_as_booked(tables: Tables) -> None:
    """What never ends is not booked on devices' own links."""
    names = {device.name for device in tables.world.devices}
    for row in tables.links.itertuples():
        places = {id(place): place for place in places_of(tables, row)}.values()
        found = [span for place in places for span in spans(tables, place, TRANSFER)]
        if row.device in names:
            found = [span for span in found if "endless" not in span.args]
        busy_s = union_s(tables, found)
        assert close(busy_s, row.busy_s), f"{row.link} {row.device} {row.direction}: seen {busy_s}, booked {row.busy_s}"


def places_of(tables: Tables, row: Any) -> list[Any]:
    if ">" in row.device:
        ends = row.link, row.direction, *row.device.split(">")
        return [hop for hop in tables.world.routes.hops if hop[:4] == ends]
    return [carrier(port) for port in ports(tables, row)]  # type: ignore[arg-type]


def requests_are_seen_in_their_stages(tables: Tables) -> None:
    """Of all that was over before the run was."""
    ends = {(each.device.name, each.number): end_s for each, end_s in watched(tables).seen.ends.items()}
    seen: dict[tuple[str, int], dict[str, float]] = {}
    for found in watched(tables).seen.spans.values():
        for span in found:
            if span.request is not None and span.what != "cancel":
                sums = seen.setdefault((span.request.device.name, span.request.number), {})
                sums[span.what] = sums.get(span.what, 0.0) + span.stop_s - span.start_s
    for row in tables.requests.itertuples():
        sums = seen.get((row.device, row.number), {})
        for what, booked_s in (("decide", row.decide_s), ("compute", row.device_compute_s), ("encode", row.encode_s)):
            if ends[row.device, row.number] < tables.world.scenario.end_s:
                assert close(sums.get(what, 0.0), booked_s), f"{row.device}/{row.number}: {what}"


def requests_end_as_recorded(tables: Tables) -> None:
    ends = {(each.device.name, each.number): end_s for each, end_s in watched(tables).seen.ends.items()}
    assert ends.keys() == set(zip(tables.requests.device, tables.requests.number, strict=True))
    last = tables.answers.groupby(KEY).time_s.max()
    for row in tables.requests.itertuples():
        end_s = ends[row.device, row.number]
        if row.answers:
            assert row.arrival_s + last[row.device, row.number] <= end_s + SLACK_S
        if row.end == "unfinished":
            assert end_s == tables.world.scenario.end_s


def batteries_are_seen_within_their_capacity(tables: Tables) -> None:
    for device, spec in zip(tables.world.devices, tables.world.classes, strict=True):
        levels = watched(tables).seen.levels_j.get(device, [])
        if spec.battery is None:
            assert not levels
            continue
        worked = spans(tables, device, WORK)
        assert len(levels) >= len({span.start_s for span in worked if span.what == "compute"})
        assert all(0 <= level_j <= spec.battery.capacity_j * (1 + 1e-9) for _, level_j in levels)
        assert [time_s for time_s, _ in levels] == sorted(time_s for time_s, _ in levels)


def check(data: Data) -> None:
    scenario = build_scenario(data)
    assets = assets_of(scenario)
    seen = run(scenario, assets, kind=ObservedWorld)
    the_same_rows(run(scenario, assets), seen)
    lone_workers_do_one_thing_at_a_time(seen)
    nodes_are_busy_as_booked(seen)
    batches_are_as_large_as_they_say(seen)
    links_are_busy_as_booked(seen)
    requests_are_seen_in_their_stages(seen)
    requests_end_as_recorded(seen)
    batteries_are_seen_within_their_capacity(seen)


LENIENT = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@settings(LENIENT, max_examples=25)
@given(worlds())
def test_random_worlds_are_seen_as_they_are(data: Data) -> None:
    check(data)


@settings(LENIENT, max_examples=25)
@given(worlds(dying=True))
def test_dying_nodes_are_seen_as_they_are(data: Data) -> None:
    check(data)


def test_a_plain_run_is_built_of_nothing_that_watches() -> None:
    from little_worlds import world

    engine = run(world(duration_s=1)).world.engine
    assert [kind.__module__ for kind in type(engine).__mro__ if "observed" in kind.__module__] == []
