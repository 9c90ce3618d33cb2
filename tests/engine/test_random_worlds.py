"""Whatever a world is made of: every request ends once, bytes are conserved, time goes on, and the books are right."""

from __future__ import annotations

from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from little_worlds import assets_of, run
from random_worlds import ONE_ANSWER, Data, worlds
from watching import Watched, holders, watch

from edgesim.engine import endings
from edgesim.engine.reporting import REPORT_BYTES
from edgesim.results.columns import STAGES
from edgesim.scenario.load import build_scenario
from edgesim.scenario.scenario import Scenario

STRICT = 1e-9
KEY = ["device", "number"]


def close(found: Any, wanted: Any) -> bool:
    return bool(np.all(np.abs(np.asarray(found) - np.asarray(wanted)) <= STRICT * (1 + np.abs(np.asarray(wanted)))))


def class_of(name: str) -> str:
    return name.rpartition("-")[0]


# Requests


def every_request_ends_once(seen: Watched) -> None:
    rows = seen.tables.requests
    assert not rows.duplicated(KEY).any(), "a request has two rows"
    for device in seen.world.devices:
        own = rows[rows.device == device.name].sort_values("number")
        coming = seen.coming[device.name]
        assert own.number.tolist() == list(range(len(coming))), f"{device.name}: requests are missing or too many"
        assert own.arrival_s.tolist() == [each[0] for each in coming]
        assert own["sample"].tolist() == [each[1] for each in coming]
        assert close(own.deadline_s.replace(np.inf, -1), [each[2] if each[2] < np.inf else -1 for each in coming])
    assert set(rows.end) <= {"on_time", "late", "dropped", "unfinished"}
    assert not seen.world.engine.open, "requests are left open"


def nothing_happens_to_a_request_behind_its_end(seen: Watched) -> None:
    for request, end_s, answers, left in seen.endings:
        assert request.open == left, f"work on a request ended {left - request.open} times more than there was"
        assert len(request.answers) == answers, "an answer came behind the request's end"
        finished = request.reason == endings.END_OF_RUN and left > 0
        assert (left > 0) == finished, "a request ended while somebody worked on it"
        assert request.arrival_s <= end_s


def nobody_forgets_a_request(seen: Watched) -> None:
    left = holders(seen.world)
    for request, _, _, open_ in seen.endings:
        assert open_ == left[request], f"{open_} parts of a request are open, and {left[request]} are somewhere"


def reasons_fit(seen: Watched, scenario: Scenario) -> None:
    rows = seen.tables.requests
    answered = rows.answers > 0
    assert (answered == rows.end.isin(["on_time", "late"])).all(), "answered is on time or late"
    assert ((rows.reason == "") == answered).all(), "who has no answer has a reason"
    assert ((rows.reason == endings.END_OF_RUN) == (rows.end == "unfinished")).all()
    classes = [scenario.devices[class_of(name)] for name in rows.device]
    down = {event.node for event in scenario.events.values() if event.what == "down"}
    hers = [name in down or class_of(name) in down for name in rows.device]
    lossy = any(link.loss is not None for link in scenario.links.values())
    aborts = any(server.after_deadline == "abort" for server in scenario.servers.values())
    may = {
        endings.QUEUE_FULL: [each.queue.bound is not None for each in classes],
        endings.DEADLINE: [each.after_deadline == "abort" and each.deadline is not None for each in classes],
        endings.LOST: [lossy] * len(rows),
        endings.CANCELLED: [aborts or cancels(scenario)] * len(rows),
        endings.SERVER_DOWN: [any(name in down or class_of(name) in down for name in server_names(seen))] * len(rows),
        endings.DEVICE_DOWN: hers,
        endings.BATTERY_EMPTY: [scenario.devices[class_of(name)].battery is not None for name in rows.device],
        "not wanted": [scenario.policies["p"].type == "little_policies:GiveEveryOtherUp"] * len(rows),
        endings.REJECTED: [turns_away(scenario)] * len(rows),
        endings.NO_TIME: [any(each.scheduler.type == "imprecise" for each in scenario.servers.values())] * len(rows),
        endings.END_OF_RUN: [True] * len(rows),
        "": [True] * len(rows),
    }
    for at, reason in enumerate(rows.reason):
        assert may[reason][at], f"{rows.device[at]} {rows.number[at]} ended for {reason!r}, which cannot be"


def server_names(seen: Watched) -> list[str]:
    return [server.name for server in seen.world.engine.serving]


def turns_away(scenario: Scenario) -> bool:
    return any(each.admission is not None or each.queue.bound is not None for each in scenario.servers.values())


def cancels(scenario: Scenario) -> bool:
    return scenario.policies["p"].type == "little_policies:HedgeThenCancel"


def stages_are_times(seen: Watched) -> None:
    rows = seen.tables.requests
    for stage in STAGES:
        values = rows[stage].to_numpy()
        assert np.isfinite(values).all(), f"{stage} is not finite"
        assert (values >= -STRICT).all(), f"{stage} is negative: {values.min()}"


def stages_add_up(seen: Watched, scenario: Scenario, policy: str) -> None:
    """Of what is done once, and for one answer."""
    if scenario.policies[policy].type not in ONE_ANSWER:
        return
    rows = seen.tables.requests
    waits = [scenario.devices[class_of(name)].fallback is None for name in rows.device]
    rows = rows[(rows.answers > 0) & np.array(waits, bool)]
    assert (rows.answers == 1).all(), "a policy that answers once answered more often"
    assert close(rows[list(STAGES)].sum(axis=1), rows.latency_s), "stages do not add up to the latency"


def answers_come_in_time(seen: Watched) -> None:
    """Not before the arrival, not behind the end of the run, and not to a device that is away."""
    answers, rows = seen.tables.answers, seen.tables.requests
    arrival_s = answers.merge(rows[[*KEY, "arrival_s"]], on=KEY, how="left", validate="many_to_one").arrival_s
    assert arrival_s.notna().all(), "an answer of nobody's"
    assert (answers.time_s >= 0).all(), "an answer before its request"
    at_s = arrival_s + answers.time_s
    assert (at_s < seen.world.scenario.end_s + STRICT).all(), "an answer behind the end of the run"
    for device in seen.world.devices:
        times_s = at_s[(answers.device == device.name).to_numpy()].to_numpy()
        for start_s, stop_s in seen.clock.away[device.name]:
            inside = (start_s + STRICT < times_s) & (times_s < stop_s - STRICT)
            assert not inside.any(), f"{device.name} is answered while it is away"


def slots_hold_the_deepest(seen: Watched) -> None:
    """Rule 1, anew from the answers."""
    answers = {key: group for key, group in seen.tables.answers.groupby(KEY)}
    for row in seen.tables.requests.itertuples():
        own = answers.get((row.device, row.number))
        assert row.answers == (0 if own is None else len(own)), "answers do not match their request"
        if own is None:
            assert isnan(row.latency_s) and isnan(row.used_s) and row.exit == -1 and not row.correct
            assert row.end in ("dropped", "unfinished")
            continue
        assert row.latency_s == own.time_s.min()
        held = final = None
        for each in own.sort_values("time_s", kind="stable").itertuples():
            if final is None or each.depth >= final.depth:
                final = each
                if each.time_s <= row.deadline_s + 1e-9:
                    held = each
        assert final is not None
        assert row.final_correct == final.correct
        assert row.correct == (held is not None and held.correct), "the slot is not what the rule says"
        assert row.end == ("late" if held is None else "on_time")
        if held is not None:
            assert row.used_s == held.time_s and (row.exit, row.model) == (held.exit, held.model)
        else:
            assert isnan(row.used_s)


def waste_is_a_part(seen: Watched) -> None:
    rows = seen.tables.requests
    for whole, part in (("energy_j", "wasted_j"), ("bytes_up", "wasted_bytes")):
        assert (rows[part] >= -STRICT).all(), f"{part} is negative: {rows[part].min()}"
        more = rows[part] - rows[whole]
        assert (more <= STRICT * (1 + rows[whole])).all(), f"{part} is more than {whole}, by {more.max()}"
    assert (rows.wasted_s >= -STRICT).all(), f"wasted time is negative: {rows.wasted_s.min()}"
    assert np.isfinite(rows.energy_j).all()
    assert (rows[["bytes_up", "bytes_down"]] >= 0).all().all()


# Links


def ports(seen: Watched, row: Any) -> list[Any]:
    """What belongs to a row of links.parquet."""
    world = seen.world
    if ">" in row.device:
        return [
            hop.fifo
            for hop in world.routes.hops
            if (hop.link, f"{hop.start}>{hop.stop}", hop.direction) == (row.link, row.device, row.direction)
        ]
    side = "uplink" if row.direction == "up" else "downlink"
    return [
        getattr(device, side)
        for device, spec in zip(world.devices, world.classes, strict=True)
        if spec.link == row.link and row.device in ("", device.name)
    ]


def bytes_are_conserved(seen: Watched) -> None:
    """Sent = received + lost + cancelled + in flight; each of them as the messages themselves tell."""
    for row in seen.tables.links.itertuples():
        became = dict.fromkeys(("delivered", "lost", "cancelled", "in flight"), 0)
        messages = 0
        for port in ports(seen, row):
            messages += len(seen.ledger.sendings[id(port)])
            for fate, nbytes in seen.ledger.bytes_of(port, seen.world.scenario.end_s).items():
                became[fate] += nbytes
        where = f"{row.link} {row.device} {row.direction}"
        in_flight = row.bytes - row.delivered_bytes - row.lost_bytes - row.cancelled_bytes
        found = {
            "delivered": row.delivered_bytes,
            "lost": row.lost_bytes,
            "cancelled": row.cancelled_bytes,
            "in flight": in_flight,
        }
        assert found == became, f"{where}: booked {found}, happened {became}"
        assert row.transfers == messages
        assert min(found.values()) >= 0


def requests_know_their_bytes(seen: Watched) -> None:
    rows, links = seen.tables.requests, seen.tables.links
    for name in {spec.link for spec in seen.world.classes if spec.link is not None}:
        users = [
            device.name
            for device, spec in zip(seen.world.devices, seen.world.classes, strict=True)
            if spec.link == name
        ]
        for direction, column in (("up", "bytes_up"), ("down", "bytes_down")):
            of = links[(links.link == name) & (links.direction == direction)]
            sent = of.bytes.sum() - of.cancelled_bytes.sum()
            reports = sent - rows[rows.device.isin(users)][column].sum()
            may = direction == "down" and any(each.report_every_ms for each in seen.world.scenario.servers.values())
            assert reports == 0 or (may and reports > 0 and reports % REPORT_BYTES == 0), f"{name} {direction}: bytes"


# Nodes


def books_of_nodes(seen: Watched) -> None:
    """Utilisation <= 1, and the integrals of waiting (Little's identity) and of work as they were seen."""
    for node in [*seen.world.devices, *seen.world.engine.serving]:
        row = seen.tables.node(node.name)
        assert -STRICT <= row.busy_s <= row.workers * row.window_s * (1 + STRICT), f"{node.name}: utilisation"
        if getattr(node, "serves_ahead", False):
            continue
        area_s = seen.clock.waiting_s[node.name]
        assert close(row.queue_mean * row.window_s, area_s), (
            f"{node.name}: waited {row.queue_mean * row.window_s}, seen {area_s}"
        )
        assert seen.clock.most[node.name] <= row.queue_max, f"{node.name}: more wait than it knows"
        busy_s = seen.clock.busy_s[node.name]
        assert close(row.busy_s, busy_s), f"{node.name}: busy {row.busy_s}, seen {busy_s}"
    for device, spec in zip(seen.world.devices, seen.world.classes, strict=True):
        if spec.queue.bound is not None:
            assert seen.clock.most[device.name] <= spec.queue.bound, f"{device.name}: the queue is too long"


def batteries_hold_what_came(seen: Watched) -> None:
    """Before + harvested = after + spilled + drawn, within the capacity."""
    for device, spec in zip(seen.world.devices, seen.world.classes, strict=True):
        if spec.battery is None:
            continue
        row = seen.tables.node(device.name)
        came_j = row.battery_start_j + row.battery_harvested_j
        went_j = row.battery_spilled_j + row.battery_drawn_j
        assert close(came_j, row.battery_end_j + went_j), f"{device.name}: its battery leaks"
        for level_j in (row.battery_start_j, row.battery_end_j):
            assert -STRICT <= level_j <= spec.battery.capacity_j * (1 + STRICT)
        assert min(row.battery_harvested_j, row.battery_spilled_j, row.battery_drawn_j) >= -STRICT


def time_away_is_counted(seen: Watched) -> None:
    low, high = seen.world.window
    for node in [*seen.world.devices, *seen.world.engine.serving]:
        spells = [max(min(stop, high) - max(start, low), 0.0) for start, stop in seen.clock.away[node.name]]
        assert close(seen.tables.node(node.name).away_s, sum(spells)), f"{node.name}: time away"


def links_are_busy_while_they_send(seen: Watched) -> None:
    """A link of its own in one message after the other, a cell as long as any is under way.  What never ends, as the
    rate stays 0 for ever, is not counted on devices' own links."""
    low, high = seen.world.window
    for row in seen.tables.links.itertuples():
        own = row.device in seen.coming
        sendings = [sending for port in ports(seen, row) for sending in seen.ledger.sendings[id(port)]]
        spells = [each.spell for each in sendings if not (each.endless and own)]
        found = sorted((max(start, low), min(stop, high)) for start, stop in spells if start < high and stop > low)
        busy_s, until_s = 0.0, low
        for start_s, stop_s in found:
            busy_s += max(stop_s - max(start_s, until_s), 0.0)
            until_s = max(until_s, stop_s)
        assert close(row.busy_s, busy_s), f"{row.link} {row.device} {row.direction}: busy {row.busy_s}, seen {busy_s}"


def links_are_used_at_most_always(seen: Watched) -> None:
    links, (low, high) = seen.tables.links, seen.world.window
    own = links[links.busy_s > (high - low) * (1 + STRICT)]
    assert own.empty, f"{own.link.tolist()} are busier than always"
    assert (links.busy_s >= -STRICT).all()


def check(seen: Watched, scenario: Scenario, policy: str) -> None:
    every_request_ends_once(seen)
    nothing_happens_to_a_request_behind_its_end(seen)
    nobody_forgets_a_request(seen)
    reasons_fit(seen, scenario)
    stages_are_times(seen)
    stages_add_up(seen, scenario, policy)
    answers_come_in_time(seen)
    slots_hold_the_deepest(seen)
    waste_is_a_part(seen)
    bytes_are_conserved(seen)
    requests_know_their_bytes(seen)
    books_of_nodes(seen)
    batteries_hold_what_came(seen)
    time_away_is_counted(seen)
    links_are_used_at_most_always(seen)
    links_are_busy_while_they_send(seen)


def check_world(data: Data, by_events: bool) -> None:
    scenario = build_scenario(data)
    seen = watch(scenario, assets_of(scenario), "p", by_events)
    check(seen, scenario, "p")


def check_draws(data: Data) -> None:
    """The same again, and under another policy: that moves no arrival, no image and no deadline."""
    scenario = build_scenario(data)
    assets = assets_of(scenario)
    once, again, other = (run(scenario, assets, policy) for policy in ("p", "p", "q"))
    for one, two in zip(once[:4], again[:4], strict=True):
        pd.testing.assert_frame_equal(one, two, check_exact=True)
    drawn = [*KEY, "arrival_s", "sample", "deadline_s", "counted"]
    by_key = [tables.requests.sort_values(KEY, ignore_index=True)[drawn] for tables in (once, other)]
    pd.testing.assert_frame_equal(*by_key, check_exact=True)


LENIENT = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@settings(LENIENT, max_examples=60)
@given(worlds(), st.booleans())
def test_random_worlds_keep_their_books(data: Data, by_events: bool) -> None:
    check_world(data, by_events)


@settings(LENIENT, max_examples=60)
@given(worlds(dying=True), st.booleans())
def test_worlds_of_dying_nodes_keep_their_books(data: Data, by_events: bool) -> None:
    check_world(data, by_events)


@settings(LENIENT, max_examples=15)
@given(worlds())
def test_random_worlds_draw_the_same(data: Data) -> None:
    check_draws(data)


@pytest.mark.slow
@settings(LENIENT, max_examples=3000, derandomize=False)
@given(worlds() | worlds(dying=True), st.booleans())
def test_many_random_worlds_keep_their_books(data: Data, by_events: bool) -> None:
    check_world(data, by_events)


@pytest.mark.slow
@settings(LENIENT, max_examples=500, derandomize=False)
@given(worlds())
def test_many_random_worlds_draw_the_same(data: Data) -> None:
    check_draws(data)
